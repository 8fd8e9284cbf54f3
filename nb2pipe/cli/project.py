"""`[tool.nb2pipe]` of the nearest pyproject.toml: what holds where nobody says more."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "pyproject.toml"
KEYS = ("color", "cwd", "executor", "home", "jobs", "keep-going", "kernel", "seed", "strict")
"""The keys that mean something: the long options that a project may set for all its notebooks."""
PATHS = frozenset({"cwd", "home"})
"""Those that are paths; a relative one counts from the file's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a pyproject.toml says.

    Attributes:
        path: The file, or None where there is none.
        values: By the option's parameter name (`keep_going`), as they stand in the file.
        unknown: Keys that mean nothing, each with the one that was meant, or None.
    """

    path: Path | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    unknown: tuple[tuple[str, str | None], ...] = ()


def read_project(start: Path) -> Project:
    """The settings of the nearest pyproject.toml, upward from a folder.

    Args:
        start: A folder.

    Raises:
        UsageError: The file cannot be read as TOML.
    """
    folder = Path(start).absolute()
    path = next((here / FILE for here in (folder, *folder.parents) if (here / FILE).is_file()), None)
    if path is None:
        return Project()
    section = _section(path)
    known = {key: value for key, value in _dashed(section).items() if key in KEYS}
    unknown = tuple((key, _meant(key)) for key in _dashed(section) if key not in KEYS)
    values = {key.replace("-", "_"): _placed(key, value, path.parent) for key, value in known.items()}
    return Project(path=path, values=values, unknown=unknown)


def _section(path: Path) -> Mapping[str, object]:
    import tomllib  # noqa: PLC0415 - only a command that runs needs it

    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as cause:
        raise UsageError(f"{path} cannot be read: {cause}", hint="mend the file, or move it away") from cause
    tool = content.get("tool", {})
    section = tool.get("nb2pipe", {}) if isinstance(tool, dict) else {}
    if not isinstance(section, dict):
        raise UsageError(
            f"{path}: `tool.nb2pipe` is no table", hint="write `[tool.nb2pipe]` and `key = value` below it"
        )
    return section


def _dashed(section: Mapping[str, object]) -> dict[str, object]:
    return {key.replace("_", "-"): value for key, value in section.items()}


def _placed(key: str, value: object, folder: Path) -> object:
    return str(folder / Path(value).expanduser()) if key in PATHS and isinstance(value, str) else value


def _meant(key: str) -> str | None:
    from nb2pipe.plugins import suggestion  # noqa: PLC0415 - loads importlib.metadata

    return suggestion(key, KEYS)
