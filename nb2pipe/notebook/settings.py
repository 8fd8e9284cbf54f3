"""The notebook's metadata become `Settings`: our own `nb2pipe` and Kale's `kubeflow_notebook`, key by key."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

from nb2pipe.notebook.checks.nb120_wrong_setting import wrong_setting
from nb2pipe.notebook.checks.nb121_setting_without_effect import setting_without_effect
from nb2pipe.notebook.checks.nb122_unknown_setting import unknown_setting
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import CacheTag, SecretTag, Settings, Tag, TimeoutTag
from nb2pipe.notebook.shown import shown
from nb2pipe.notebook.spelling import misspelled
from nb2pipe.notebook.tags import DEFAULT_TAGS, parse_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nb2pipe.diagnostics import Diagnostic, Location

    _Reader = Callable[["_Found", object], None]

OURS = "nb2pipe"
KALE = "kubeflow_notebook"

_LONGEST_NAME = 200

_CLUSTER = "volumes of a cluster are not used; files are found in the notebook's folder"
_SNAPSHOT = "there are no snapshots; a run's values are kept in the store"
_KATIB = "Katib's search is not run"
_TARGET = "where a pipeline is sent is said on the command line"

_WITHOUT_EFFECT: Mapping[str, str] = {
    "volumes": _CLUSTER,
    "volume_access_mode": _CLUSTER,
    "storage_class_name": _CLUSTER,
    "marshal_volume": _CLUSTER,
    "marshal_path": "values pass between steps through the store",
    "abs_working_dir": "steps run in the notebook's folder; `--cwd` says another",
    "snapshot_volumes": _SNAPSHOT,
    "autosnapshot": _SNAPSHOT,
    "katib_run": _KATIB,
    "katib_metadata": _KATIB,
    "kfp_host": _TARGET,
    "output_path": _TARGET,
    "security_context": "the user that steps run as is the platform's to say",
}
"""Keys of Kale 1 and 2 that are understood and not followed, each with the reason."""

_NOTHING: tuple[object, ...] = (None, False, "", [], {})
"""Kale's panel writes all keys; one with such a value asks for nothing."""

_IDLE_WITHOUT: Mapping[str, str] = {
    "katib_metadata": "katib_run",
    "volume_access_mode": "volumes",
    "storage_class_name": "volumes",
}
"""Keys that do nothing in Kale either, unless another one asks for something."""

_CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_CRON_PART = re.compile(r"(?:\*|(\d{1,2}|[A-Za-z]{3})(?:-(\d{1,2}|[A-Za-z]{3}))?)(?:/(\d{1,2}))?", re.ASCII)
_CRON_NAMES = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "weekday": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_WEBHOOK = re.compile(r"https?://[\x21-\x7e]+", re.ASCII)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")


@dataclass(slots=True)
class _Found:
    """What has been read so far; ours is read last and wins."""

    values: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Tag] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add_default(self, tag: Tag) -> None:
        self.defaults[_slot(tag)] = tag


def read_settings(metadata: Mapping[str, object], location: Location) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """What the notebook's metadata say of the pipeline.

    Args:
        metadata: The notebook's, as the file has them.
        location: The notebook as a whole.
    """
    found = _Found()
    for section, readers in ((KALE, _KALE_READERS), (OURS, _OUR_READERS)):
        if section in metadata:
            _read_section(found, section, metadata[section], readers, location)
    settings = Settings(
        name=found.values.get("name"),
        description=found.values.get("description"),
        schedule=found.values.get("schedule"),
        timezone=found.values.get("timezone"),
        owner=found.values.get("owner"),
        experiment=found.values.get("experiment"),
        on_failure=found.values.get("on_failure"),
        run_date=found.values.get("run_date"),
        step_defaults=tuple(found.defaults.values()),
    )
    return settings, tuple(found.diagnostics)


def _read_section(
    found: _Found, section: str, value: object, readers: Mapping[str, _Reader], location: Location
) -> None:
    if not isinstance(value, dict):
        error = MalformedError(f"it should be an object, and is {_kind(value)}", f'write {{"{section}": {{...}}}}')
        found.diagnostics.append(wrong_setting(section, error, location))
        return
    for key, item in value.items():
        name = f"{section}.{key}"
        if key in readers:
            _read_key(found, name, item, readers[key], location)
        elif section == KALE and key in _WITHOUT_EFFECT:
            if item not in _NOTHING:
                idle = key in _IDLE_WITHOUT and value.get(_IDLE_WITHOUT[key]) in _NOTHING
                found.diagnostics.append(setting_without_effect(name, _WITHOUT_EFFECT[key], location, idle=idle))
        else:
            known = tuple(readers)
            found.diagnostics.append(unknown_setting(name, misspelled(str(key), known), known, location))


def _read_key(found: _Found, name: str, item: object, reader: _Reader, location: Location) -> None:
    try:
        reader(found, item)
    except MalformedError as error:
        found.diagnostics.append(wrong_setting(name, error, location))


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "null")


def _wrong_type(value: object, wanted: str) -> NoReturn:
    raise MalformedError(f"it should be {wanted}, and is {_kind(value)}", f"write {wanted}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        _wrong_type(value, "a text")
    return value.strip()


def _line(value: object) -> str:
    text = _text(value)
    if not text.isprintable() or len(text) > _LONGEST_NAME:
        hint = f"write one line of at most {_LONGEST_NAME} characters"
        raise MalformedError("it is no short line of text", hint)
    return text


def _description(value: object) -> str:
    text = _text(value)
    if any(not (character.isprintable() or character.isspace()) for character in text):
        raise MalformedError("it holds control characters", "write plain text")
    return text


def checked_schedule(value: object) -> str:
    """Five fields of cron with one space between them.

    Raises:
        MalformedError: They are none.
    """
    fields = _text(value).split()
    if len(fields) != len(_CRON_FIELDS):
        hint = "write five fields of cron, minute hour day month weekday, such as `0 6 * * 1`"
        raise MalformedError(f"`{shown(str(value))}` has not five fields", hint)
    for text, (name, lowest, highest) in zip(fields, _CRON_FIELDS, strict=True):
        if not all(_is_cron_part(part, name, lowest, highest) for part in text.split(",")):
            hint = (
                f"the {name} is `*`, a number from {lowest} to {highest}, a range `1-5`, a step `*/2` or a list `1,3`"
            )
            raise MalformedError(f"`{shown(text)}` is no {name} of cron", hint)
    return " ".join(fields)


def _is_cron_part(text: str, name: str, lowest: int, highest: int) -> bool:
    part = _CRON_PART.fullmatch(text)
    if part is None or part.group(3) in {"0", "00"}:
        return False
    numbers = [_cron_number(value, name) for value in (part.group(1), part.group(2)) if value]
    return all(lowest <= number <= highest for number in numbers) and numbers == sorted(numbers)


def _cron_number(text: str, name: str) -> int:
    if text.isdigit():
        return int(text)
    names = _CRON_NAMES.get(name, ())
    return names.index(text.lower()) + (name == "month") if text.lower() in names else -1


def checked_timezone(value: object) -> str:
    """The name of a time zone; empty for none.

    Raises:
        MalformedError: There is no such zone.
    """
    text = _text(value)
    if text and not _zone_exists(text):
        raise MalformedError(f"there is no time zone `{shown(text)}`", "write one such as `Europe/Berlin` or `UTC`")
    return text


def _on_failure(value: object) -> str:
    text = _line(value)
    if text and not _WEBHOOK.fullmatch(text):
        try:
            secret = isinstance(parse_tag(text), SecretTag)
        except MalformedError:
            secret = False
        if not secret:
            hint = "write the URL of a webhook, or `secret:SECRET:KEY:ENV` where the URL itself is one"
            raise MalformedError(f"`{shown(text)}` is no URL", hint)
    return text


def _run_date(value: object) -> str:
    text = _line(value)
    if text and (not text.isidentifier() or keyword.iskeyword(text)):
        raise MalformedError(f"`{shown(text)}` is no name of a parameter", "name the parameter that takes the date")
    return text


def _zone_exists(name: str) -> bool:
    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo("Europe/Berlin")
    except (KeyError, OSError):
        return True  # this machine knows no zones at all, so it cannot tell
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _slot(tag: Tag) -> str:
    """What a default says: a later one of the same slot replaces it."""
    for name in ("resource", "variable", "key"):
        if hasattr(tag, name):
            return f"{type(tag).__name__}:{getattr(tag, name)}"
    return type(tag).__name__


def _default_tag(text: str) -> Tag:
    tag = parse_tag(text)
    if not isinstance(tag, DEFAULT_TAGS):
        hint = "defaults are tags such as `limit:memory:4Gi`, `image:REF`, `retry:1`, `timeout:2h` or `cache:disabled`"
        raise MalformedError(f"`{shown(text)}` cannot hold for every step", hint)
    return tag


def _defaults(found: _Found, value: object) -> None:
    if isinstance(value, dict):
        texts = [*_kale_defaults(value)]
    elif isinstance(value, list):
        texts = value
    else:
        _wrong_type(value, "a list of tags")
    for text in texts:
        if not isinstance(text, str):
            _wrong_type(text, "a tag")
        found.add_default(_default_tag(text))


def _kale_defaults(value: Mapping[object, object]) -> Iterator[str]:
    """The tags that Kale's other form means: `{"labels": {"team": "vision"}, "limits": {"cpu": "2"}}`."""
    for key, item in value.items():
        match key, item:
            case (("labels" | "annotations" | "limits" | "env"), dict()):
                yield from (f"{str(key).removesuffix('s')}:{name}:{text}" for name, text in item.items())
            case "base_image", str():
                yield from [f"image:{item}"] if item else []
            case (("enable_caching" | "generate_html_report"), bool()):
                yield f"{'cache' if key == 'enable_caching' else 'report'}:{'enabled' if item else 'disabled'}"
            case "retry_count", int():
                yield f"retry:{item}"
            case "timeout", int():
                yield f"timeout:{item}s"
            case "secrets", dict():
                yield from (_kale_secret(str(variable), reference) for variable, reference in item.items())
            case _:
                hint = 'write a list of tags: ["limit:cpu:2", "label:team:vision"]'
                raise MalformedError(f"`{shown(str(key))}` cannot be read as a default", hint)


def _kale_secret(variable: str, reference: object) -> str:
    match reference:
        case {"secret_name": str(secret), "secret_key": str(key)}:
            return f"secret:{secret}:{key}:{variable}"
        case _:
            _wrong_type(reference, "an object with `secret_name` and `secret_key`")


def _image(found: _Found, value: object) -> None:
    text = _line(value)
    if text:
        found.add_default(_default_tag(f"image:{text}"))


def _caching(found: _Found, value: object) -> None:
    if not isinstance(value, bool):
        _wrong_type(value, "true or false")
    found.add_default(CacheTag(value))


def _timeout(found: _Found, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise MalformedError("it should be a number of seconds", "write a whole number above 0")
    found.add_default(TimeoutTag(float(value)))


def _experiment(found: _Found, value: object) -> None:
    """Kale 1 writes `{"id": ..., "name": ...}` beside `experiment_name`, which wins."""
    match value:
        case {"name": str(name)} if "experiment" not in found.values and name.strip():
            found.values["experiment"] = _line(name)
        case dict():
            pass
        case _:
            _wrong_type(value, "an object with `name`")


def _into(slot: str, read: Callable[[object], str]) -> _Reader:
    def reader(found: _Found, value: object) -> None:
        text = read(value)
        if text:
            found.values[slot] = text

    return reader


_OUR_READERS: Mapping[str, _Reader] = {
    "name": _into("name", _line),
    "description": _into("description", _description),
    "defaults": _defaults,
    "schedule": _into("schedule", checked_schedule),
    "timezone": _into("timezone", checked_timezone),
    "owner": _into("owner", _line),
    "experiment": _into("experiment", _line),
    "on_failure": _into("on_failure", _on_failure),
    "run_date": _into("run_date", _run_date),
}

_KALE_READERS: Mapping[str, _Reader] = {
    "pipeline_name": _into("name", _line),
    "pipeline_description": _into("description", _description),
    "experiment_name": _into("experiment", _line),
    "experiment": _experiment,
    "docker_image": _image,
    "base_image": _image,
    "enable_caching": _caching,
    "timeout": _timeout,
    "steps_defaults": _defaults,
    "notebook_path": _into("notebook_path", _line),
}
