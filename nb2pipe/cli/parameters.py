"""Parameters of the command line: `-f` files, `-y` texts and `-p` words become one mapping; the later win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError
from nb2pipe.pipeline.parameters import parse_mapping, parse_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def given_values(words: Sequence[str], files: Sequence[Path] = (), texts: Sequence[str] = ()) -> Mapping[str, object]:
    """The values that the user gave, by name; whether they fit the notebook is not looked at.

    Args:
        words: `NAME=VALUE`.
        files: YAML or JSON files that hold a mapping.
        texts: YAML texts that are a mapping.

    Raises:
        UsageError: Something cannot be read, or is no mapping of names.
    """
    values: dict[str, object] = {}
    for path in files:
        values |= parse_mapping(_text(path), f"the parameters file {path}")
    for text in texts:
        values |= parse_mapping(text, "the text after -y")
    for word in words:
        name, value = _named(word)
        values[name] = parse_value(value)
    return values


def _named(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise UsageError(f"the parameter `{word}` has no value", hint=f"-p {word} VALUE")
    if not name.strip():
        raise UsageError(f"`-p {word}` names no parameter", hint="-p NAME VALUE")
    return name.strip(), value


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise UsageError(f"the parameters file {path} cannot be read: {reason}") from cause
