"""Tags: text becomes a type here, and nowhere else is a tag a string."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from nb2pipe.notebook.gates import parse_gate
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import (
    AfterTag,
    AnnotationTag,
    CacheTag,
    DescriptionTag,
    EnvironmentTag,
    ForeignTag,
    FunctionsTag,
    GateTag,
    ImageTag,
    ImportsTag,
    InjectedParametersTag,
    LabelTag,
    MetricsTag,
    NestedTag,
    ParametersTag,
    RaisesExceptionTag,
    ReportTag,
    ResourceTag,
    RetryTag,
    SecretTag,
    SkipTag,
    StepTag,
    Tag,
    TimeoutTag,
)
from nb2pipe.notebook.shown import shown
from nb2pipe.notebook.spelling import misspelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STEP_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""What a step may be called."""

DEFAULT_TAGS = (
    ResourceTag,
    ImageTag,
    LabelTag,
    AnnotationTag,
    EnvironmentTag,
    SecretTag,
    RetryTag,
    TimeoutTag,
    CacheTag,
    ReportTag,
)
"""The tags that can hold for every step of a notebook, as `defaults` of its metadata."""

_DESCRIPTION = "papermill_description="

_WORDS: Mapping[str, Tag] = {
    "parameters": ParametersTag(),
    "pipeline-parameters": ParametersTag(),
    "injected-parameters": InjectedParametersTag(),
    "imports": ImportsTag(),
    "functions": FunctionsTag(),
    "pipeline-metrics": MetricsTag(),
    "skip": SkipTag(),
    "skip-execution": SkipTag(),
    "active-ipynb": SkipTag(),
    "raises-exception": RaisesExceptionTag(),
}

_INSTEAD_OF_WORD = {
    "params": "parameters",
    "pipeline-params": "parameters",
    "metrics": "pipeline-metrics",
    "step": "step:NAME",
    "block": "step:NAME",
    "prev": "prev:NAME",
}
"""Words that are no slips of ours, but can hardly mean something else."""

_INSTEAD_OF_PREFIX = {"previous": "prev", "retries": "retry", "img": "image", "environment": "env"}

_OTHERS = frozenset(
    {
        "hide-input",
        "hide-output",
        "hide-cell",
        "hide_input",
        "hide_output",
        "hide_cell",
        "remove-input",
        "remove-output",
        "remove-cell",
        "remove_input",
        "remove_output",
        "remove_cell",
        "active-py",
        "active-md",
        "full-width",
        "full_width",
        "nbval-skip",
        "nbval-ignore-output",
        "nbval-raises-exception",
        "keep_output",
        "scroll-output",
        "export",
        "hide",
        "exercise",
        "solution",
    }
)
"""Tags of nbconvert, Jupyter Book, jupytext, nbval and others, never taken for slips of ours."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh])", re.ASCII)
_COUNT = re.compile(r"\d{1,4}", re.ASCII)
_RESOURCE = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?(/[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?)?")
_QUANTITY = re.compile(r"\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*")
_KEY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?(/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_SECRET = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_SECRET_KEY = re.compile(r"[-A-Za-z0-9_.]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_tag(text: str, notebook_path: str | None = None) -> Tag:
    """The meaning of one tag.

    Args:
        text: The tag as it stands in the file.
        notebook_path: The cell's metadata of that name, which `notebook:NAME` needs.

    Raises:
        MalformedError: The tag is ours, but does not follow its form.

    >>> parse_tag("annotation:a.b/url:https://h:80/x")
    AnnotationTag(key='a.b/url', value='https://h:80/x')
    """
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith(_DESCRIPTION):
        return _description(text.removeprefix(_DESCRIPTION))
    prefix, colon, rest = text.partition(":")
    if not colon or prefix not in _PREFIXES:
        return ForeignTag(text)
    if prefix == "notebook":
        return NestedTag(_step_name(rest, "notebook:"), notebook_path)
    return _PREFIXES[prefix](rest)


def tag_text(tag: Tag) -> str:
    """The text of a tag that may be a default of a notebook: `parse_tag` gives the tag again.

    >>> tag_text(TimeoutTag(5400.0)), tag_text(LabelTag("team", "a:b"))
    ('timeout:5400s', 'label:team:a:b')
    """
    if type(tag) in _PARTS:
        prefix, *parts = _PARTS[type(tag)]
        return ":".join((prefix, *(getattr(tag, part) for part in parts)))
    match tag:
        case CacheTag(enabled=enabled) | ReportTag(enabled=enabled):
            return f"{'cache' if isinstance(tag, CacheTag) else 'report'}:{'enabled' if enabled else 'disabled'}"
        case RetryTag(count=count, delay=delay):
            return f"retry:{count}:{_decimal(delay)}s" if delay else f"retry:{count}"
        case TimeoutTag(seconds=seconds):
            return f"timeout:{_decimal(seconds)}s"
        case _:
            raise ValueError(f"{tag} cannot hold for every step")


_PARTS: Mapping[type, tuple[str, ...]] = {
    LabelTag: ("label", "key", "value"),
    AnnotationTag: ("annotation", "key", "value"),
    EnvironmentTag: ("env", "variable", "value"),
    ResourceTag: ("limit", "resource", "quantity"),
    SecretTag: ("secret", "secret", "key", "variable"),
    ImageTag: ("image", "reference"),
}
"""Tags that are texts joined by colons: the prefix, and the attributes that follow."""


def _decimal(number: float) -> str:
    """The shortest decimals that mean a number, without an exponent."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def intended(text: str) -> str | None:
    """What a foreign tag most likely should have been, or None where it does not look like ours.

    >>> intended("steps:train"), intended("pre:load"), intended("hide-input")
    ('step:train', 'prev:load', None)
    """
    plain = text.strip()
    if not plain or plain.lower() in _OTHERS:
        return None
    if plain in {"step:", "block:"}:
        return "step:NAME"
    key, colon, rest = _parts(plain)
    if not colon:
        return _intended_word(text, plain)
    word = key.strip().lower()
    if misspelled(word.replace("-", "_"), [_DESCRIPTION.removesuffix("=")]):
        return _DESCRIPTION + rest.strip()
    known = misspelled(word, _PREFIXES) or _INSTEAD_OF_PREFIX.get(word)
    return f"{known}:{rest.strip()}" if known else None


def _parts(text: str) -> tuple[str, str, str]:
    """What stands before the first `:` or, as in `step=load`, `=`."""
    if ":" in text:
        return text.partition(":")
    return text.partition("=")


def _intended_word(text: str, plain: str) -> str | None:
    if text != plain and plain in _WORDS:
        return plain
    return _INSTEAD_OF_WORD.get(plain.lower()) or misspelled(plain.replace("_", "-"), _WORDS)


def _step_name(name: str, tag: str) -> str:
    if STEP_NAME.fullmatch(name):
        return name
    what = f"`{shown(name)}` is no name of a step" if name.strip() else f"`{tag}` names no step"
    example = re.sub(r"[^A-Za-z0-9_-]+", "_", name.strip()).strip("_") or "train"
    if not STEP_NAME.fullmatch(example):
        example = f"step_{example}"
    hint = f"a name is letters, digits, `_` and `-`, and does not begin with a digit, such as `{tag}{shown(example)}`"
    raise MalformedError(what, hint)


def _step(rest: str) -> Tag:
    # Kale's panel leaves `step:` on a cell whose name was left empty, and Kale takes the cell as untagged.
    return StepTag(_step_name(rest, "step:")) if rest else ForeignTag("step:")


def _block(rest: str) -> Tag:
    return StepTag(_step_name(rest, "block:")) if rest else ForeignTag("block:")


def _after(rest: str) -> Tag:
    return AfterTag(_step_name(rest, "prev:"))


def _nested(rest: str) -> Tag:
    return NestedTag(_step_name(rest, "notebook:"), None)


def _switch(rest: str, tag: str) -> bool:
    if rest in {"enabled", "disabled"}:
        return rest == "enabled"
    raise MalformedError(f"`{tag}:{shown(rest)}` is neither on nor off", f"write `{tag}:enabled` or `{tag}:disabled`")


def _cache(rest: str) -> Tag:
    return CacheTag(_switch(rest, "cache"))


def _report(rest: str) -> Tag:
    return ReportTag(_switch(rest, "report"))


def _limit(rest: str) -> Tag:
    resource, colon, quantity = rest.rpartition(":")
    if not colon:
        hint = f"write `limit:RESOURCE:QUANTITY`, such as `limit:{shown(rest) or 'cpu'}:1`"
        raise MalformedError(f"`limit:{shown(rest)}` says no quantity", hint)
    if not _RESOURCE.fullmatch(resource):
        hint = "write `limit:RESOURCE:QUANTITY`, such as `limit:memory:4Gi` or `limit:nvidia.com/gpu:1`"
        raise MalformedError(f"`{shown(resource)}` is no name of a resource", hint)
    if not _QUANTITY.fullmatch(quantity):
        hint = "a quantity is a number with a unit such as `m`, `k`, `M`, `G`, `Ki`, `Mi`, `Gi`: `500m`, `2`, `4Gi`"
        raise MalformedError(f"`{shown(quantity)}` is no quantity", hint)
    return ResourceTag(resource, quantity)


def _image(rest: str) -> Tag:
    if not _IMAGE.fullmatch(rest):
        hint = "write `image:REF`, such as `image:python:3.12-slim` or `image:registry.example.com:5000/team/train:1`"
        raise MalformedError(f"`{shown(rest)}` is no reference of an image", hint)
    return ImageTag(rest)


def _key_value(rest: str, tag: str) -> tuple[str, str]:
    key, colon, value = rest.partition(":")
    if not colon:
        hint = f"write `{tag}:KEY:VALUE`, such as `{tag}:team:vision`"
        raise MalformedError(f"`{tag}:{shown(rest)}` has no value", hint)
    if not _KEY.fullmatch(key):
        hint = "a key is letters, digits, `-`, `_` and `.`, with one `/` after a domain, such as `example.com/team`"
        raise MalformedError(f"`{shown(key)}` is no key", hint)
    if not value.isprintable():
        raise MalformedError(f"the value of `{tag}:{key}` holds control characters", "remove them")
    return key, value


def _label(rest: str) -> Tag:
    return LabelTag(*_key_value(rest, "label"))


def _annotation(rest: str) -> Tag:
    return AnnotationTag(*_key_value(rest, "annotation"))


_THREE_PARTS = "write `secret:SECRET:KEY:ENV`, such as `secret:database:password:DB_PASSWORD`"


def _secret(rest: str) -> Tag:
    match rest.split(":"):
        case [secret, key, variable]:
            pass
        case _:
            raise MalformedError(f"`secret:{shown(rest)}` has not three parts", _THREE_PARTS)
    if not _SECRET.fullmatch(secret):
        raise MalformedError(f"`{shown(secret)}` is no name of a secret", _THREE_PARTS)
    if not _SECRET_KEY.fullmatch(key):
        raise MalformedError(f"`{shown(key)}` is no key of a secret", _THREE_PARTS)
    if not _VARIABLE.fullmatch(variable):
        hint = "letters, digits and `_`, not beginning with a digit, such as `DB_PASSWORD`"
        raise MalformedError(f"`{shown(variable)}` is no name of an environment variable", hint)
    return SecretTag(secret, key, variable)


def _environment(rest: str) -> Tag:
    variable, colon, value = rest.partition(":")
    if not colon:
        hint = f"write `env:NAME:VALUE`, such as `env:{shown(rest) or 'OMP_NUM_THREADS'}:1`"
        raise MalformedError(f"`env:{shown(rest)}` has no value", hint)
    if not _VARIABLE.fullmatch(variable):
        hint = "letters, digits and `_`, not beginning with a digit, such as `OMP_NUM_THREADS`"
        raise MalformedError(f"`{shown(variable)}` is no name of an environment variable", hint)
    if not value.isprintable():
        raise MalformedError(f"the value of `env:{variable}` holds control characters", "remove them")
    return EnvironmentTag(variable, value)


def _retry(rest: str) -> Tag:
    count, colon, delay = rest.partition(":")
    if not _COUNT.fullmatch(count):
        hint = "write `retry:COUNT`, such as `retry:2`: how often a failed step is tried again; or `retry:2:30s`"
        raise MalformedError(f"`{shown(count)}` is no count", hint)
    return RetryTag(int(count), _seconds(delay, f"retry:{count}") if colon else 0.0)


def _timeout(rest: str) -> Tag:
    seconds = _seconds(rest, "timeout")
    if not 0 < seconds < float("inf"):
        raise MalformedError("a step cannot finish in no time", "write a duration such as `90s`, `15m` or `2h`")
    return TimeoutTag(seconds)


def _seconds(text: str, tag: str) -> float:
    found = _DURATION.fullmatch(text)
    if not found:
        raise MalformedError(f"`{shown(text)}` is no duration", _duration_hint(text, tag))
    return float(found.group(1)) * _UNITS[found.group(2)]


def _duration_hint(text: str, tag: str) -> str:
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return f"say the unit: `{tag}:{text}s` or `{tag}:{text}m`"
    return "a duration is a number and `s`, `m` or `h`, such as `90s`, `15m` or `2h`"


def _gate(rest: str) -> Tag:
    return GateTag(parse_gate(rest), " ".join(rest.split()))


def _description(text: str) -> Tag:
    if not text.strip():
        raise MalformedError("the description is empty", "write `papermill_description=TEXT`")
    return DescriptionTag(text.strip())


_PREFIXES: Mapping[str, Callable[[str], Tag]] = {
    "step": _step,
    "block": _block,
    "prev": _after,
    "cache": _cache,
    "report": _report,
    "limit": _limit,
    "image": _image,
    "label": _label,
    "annotation": _annotation,
    "env": _environment,
    "secret": _secret,
    "retry": _retry,
    "timeout": _timeout,
    "gate": _gate,
    "notebook": _nested,
}
