"""Parameters of the command line: `-f` files, `-y` texts and `-p` words become one mapping; the later win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError
from nb2pipe.pipeline.parameters import parse_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def given_values(words: Sequence[str], files: Sequence[Path] = (), texts: Sequence[str] = ()) -> Mapping[str, object]:
    """The values that the user gave, by name; whether they fit the notebook is not looked at.

    Args:
        words: `NAME=VALUE`; the value is YAML.
        files: YAML or JSON files that hold a mapping.
        texts: YAML texts that are a mapping.

    Raises:
        UsageError: Something cannot be read, or is no mapping of names.
    """
    values: dict[str, object] = {}
    for path in files:
        values |= _mapping(_text(path), str(path))
    for text in texts:
        values |= _mapping(text, "the text after `-y`")
    for word in words:
        name, value = _named(word)
        values[name] = value
    return values


def _named(word: str) -> tuple[str, object]:
    name, equals, text = word.partition("=")
    name = name.strip()
    if not equals:
        raise UsageError(f"the parameter `{word}` has no value", hint=f"-p {word} VALUE")
    if not name:
        raise UsageError(f"`-p {word}` names no parameter", hint="-p NAME VALUE")
    return name, parse_value(text)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise UsageError(f"the parameters file {path} cannot be read: {reason}") from cause


def _mapping(text: str, origin: str) -> dict[str, object]:
    try:
        value = parse_value(text)
    except UsageError as cause:
        raise UsageError(f"{origin}: {cause.message}", hint=cause.hint) from cause
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{origin} holds no mapping of names to values", hint="write `name: value`, one a line")
    odd = [name for name in value if not isinstance(name, str)]
    if odd:
        raise UsageError(f"{origin}: {odd[0]!r} is no name of a parameter", hint="names are texts; quote them")
    return value
