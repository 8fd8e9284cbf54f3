"""`bundle.json`: how a bundle was made, so that it can be made again anywhere, and edits of its files are seen."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe import __version__
from nb2pipe.digest import Digest
from nb2pipe.errors import ConversionError
from nb2pipe.targets.model import Flags, Mode, Origin, Requirement, Requirements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Material

SCHEMA = 1
_TAG = "bundle"
_DEFAULTS = asdict(Flags())
_ALWAYS = ("image", "include", "templates")
_TEXTS = ("image", "templates", "operator", "schedule", "timezone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `bundle.json` says.

    Attributes:
        version: Of the nb2pipe that made the bundle.
        target: The target's name.
        notebook: The notebook's path, relative to the bundle, with `/`.
        digest: Of the notebook as it was.
        types: Types of values that a run saw.
        files: The SHA-256 of each file but this one, by path.
        edited: Somebody changed `bundle.json` itself.
    """

    version: str
    target: str
    notebook: str
    digest: str
    flags: Flags
    types: Mapping[str, str]
    requirements: Requirements
    files: Mapping[str, str] = field(default_factory=dict)
    edited: bool = False


def manifest_text(pipeline: Pipeline, material: Material, target: str, files: Mapping[str, str]) -> str:
    """The text of `bundle.json`.

    Args:
        pipeline: The pipeline.
        material: What the bundle was made of.
        target: The target's name.
        files: The SHA-256 of each other file, by path.
    """
    flags, needs = material.flags, material.requirements
    content = {
        "schema": SCHEMA,
        "nb2pipe": __version__,
        "target": target,
        "name": pipeline.name,
        "package": material.plan.name,
        "notebook": {"path": material.notebook, "digest": str(pipeline.notebook.digest)},
        "flags": {name: value for name, value in asdict(flags).items() if name in _ALWAYS or value != _DEFAULTS[name]},
        "types": dict(sorted(material.types.items())),
        "python": needs.python,
        "modules": dict(sorted(needs.modules.items())),
        "requirements": {each.name: _requirement_json(each) for each in needs.direct},
        "lock": {each.name: _requirement_json(each) for each in needs.lock},
        "files": dict(sorted(files.items())),
    }
    return json.dumps(content | {"digest": str(Digest.of(_TAG, content))}, indent=1, allow_nan=False) + "\n"


def read_manifest(text: str, place: str) -> Manifest:
    """What a `bundle.json` says.

    Args:
        text: Its text.
        place: Its path, for messages.

    Raises:
        ConversionError: It is none, or a newer version wrote it.
    """
    try:
        content = json.loads(text)
        schema = content["schema"]
        if schema != SCHEMA:
            raise ConversionError(
                f"{place} has the schema {schema!r}, and this version knows {SCHEMA}",
                hint="a newer nb2pipe wrote it: pip install --upgrade nb2pipe",
            )
        return _manifest(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ConversionError(
            f"{place} cannot be read: {problem}", hint="take it from version control, or convert with --force"
        ) from error


def _manifest(content: dict[str, Any]) -> Manifest:
    flags = content["flags"]
    digest = content.pop("digest", None)
    return Manifest(
        version=_text(content["nb2pipe"]),
        target=_text(content["target"]),
        notebook=_text(content["notebook"]["path"]),
        digest=_text(content["notebook"]["digest"]),
        flags=Flags(
            **{name: None if flags.get(name) is None else _text(flags[name]) for name in _TEXTS},
            include=tuple(map(_text, flags.get("include", ()))),
            mode=Mode(flags.get("mode", Mode.MODULE)),
        ),
        types={_text(name): _text(value) for name, value in content["types"].items()},
        requirements=Requirements(
            direct=tuple(_requirement(name, value) for name, value in content["requirements"].items()),
            lock=tuple(_requirement(name, value) for name, value in content["lock"].items()),
            modules=dict(content["modules"]),
            python=_text(content["python"]),
        ),
        files={_text(path): _text(value) for path, value in content["files"].items()},
        edited=digest != str(Digest.of(_TAG, content)),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _requirement_json(requirement: Requirement) -> object:
    """What is said of a requirement: its version, or more where more is to be said."""
    content: dict[str, object] = {}
    if requirement.specifier:
        content["specifier"] = requirement.specifier
    if requirement.extras:
        content["extras"] = list(requirement.extras)
    if requirement.origin is not Origin.INDEX:
        content["origin"] = requirement.origin.value
    if requirement.url is not None:
        content["url"] = requirement.url
    return {"version": requirement.version, **content} if content else requirement.version


def _requirement(name: str, said: object) -> Requirement:
    content: dict[str, Any] = said if isinstance(said, dict) else {"version": said}
    version = content["version"]
    return Requirement(
        name=name,
        version=None if version is None else _text(version),
        specifier=_text(content.get("specifier", "")),
        extras=tuple(map(_text, content.get("extras", ()))),
        origin=Origin(content.get("origin", Origin.INDEX)),
        url=content.get("url"),
    )
