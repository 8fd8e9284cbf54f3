"""Texts of the notebook inside text of ours: names in comments, markdown as docstrings, values as literals.

Whatever they hold, they end where we end them, and look the same on every Python.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 88
"""Columns of our own lines, as formatters have it by default."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""What cannot be seen, ends a line for some programs, or turns the direction in which text is read."""

_VERBATIM = re.compile(r"\s*(\||>|#|!\[|<|\$\$|`{3}|~{3}|[-=*_]{3,}\s*$)|\s{4,}")
"""Lines of markdown that mean something else when they are wrapped."""

_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_FENCE = re.compile(r"\s*(`{3}|~{3})")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str) -> str:
    r"""A text for a comment: one line, with nothing that hides or that ends it.

    >>> one_line("a\nb\x00\u202ec  ")
    'a b c'
    """
    return " ".join(_HIDDEN.sub(" ", text).split())


def quoted(text: str) -> str:
    r"""A text as a Python literal, with the quotes that formatters prefer.

    >>> print(quoted("it's"), quoted('"a"'), quoted("a\n\u202e"))
    "it's" '"a"' "a\n\u202e"
    """
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + "".join(_escaped(character, mark) for character in text) + mark


def _escaped(character: str, mark: str) -> str:
    if character == mark:
        return "\\" + character
    if character in _ESCAPES:
        return _ESCAPES[character]
    if not _HIDDEN.match(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004  # one byte


def docstring(text: str, *, indent: str = "", more: str = "") -> str:
    r"""A docstring, from its quotes to its quotes; the first line is not indented.

    Args:
        text: Markdown, or words of ours.
        indent: What stands before each of its lines in the module.
        more: Words of ours that come after it as paragraphs of their own.

    >>> print(docstring("## Train the net\n\nOn `train_ds`.").strip('"'))
    Train the net.
    <BLANKLINE>
    On `train_ds`.
    <BLANKLINE>
    """
    room = WIDTH - len(indent)
    lines = _prose(text, room)
    if more:
        lines += ["", *_prose(more, room)] if lines else _prose(more, room)
    lines[0] = lines[0].lstrip()
    raw, body = _safe("\n".join(lines))
    if "\n" not in body:
        return f'{raw}"""{body}"""'
    rows = body.split("\n")
    return raw + '"""' + "\n".join([rows[0], *(f"{indent}{row}" if row else "" for row in rows[1:]), f'{indent}"""'])


def _safe(text: str) -> tuple[str, str]:
    """The prefix of the literal and its text: raw where that keeps backslashes readable."""
    text = text.replace('"""', "'''")
    if text.endswith('"'):
        text += "."
    if text.startswith('"'):
        text = f" {text}"
    if "\\" not in text:
        return "", text
    return ("", text.replace("\\", "\\\\")) if text.endswith("\\") else ("r", text)


def _prose(text: str, room: int) -> list[str]:
    """Markdown as lines of a docstring: its first heading is the summary, and prose is wrapped."""
    plain = _HIDDEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)).strip()
    if not plain:
        return []
    first, *others = plain.split("\n")
    heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", first)
    summary = _ended(heading[1] if heading else first) if heading or not any(o.strip() for o in others[:1]) else first
    if heading and others and others[0].strip():
        others = ["", *others]
    return _wrapped([summary, *others], room)


def _ended(line: str) -> str:
    """A line that ends as a sentence does."""
    line = line.rstrip()
    return line if not line or line[-1] in ".!?:;,|" else f"{line}."


def _wrapped(lines: list[str], room: int) -> list[str]:
    """The lines, each paragraph with a line that is too long wrapped anew."""
    wrapped: list[str] = []
    paragraph: list[str] = []
    for line, is_prose in _marked(lines):
        if not is_prose or _ITEM.match(line):
            wrapped += _fitted(paragraph, room if wrapped else room - 7)
            paragraph = []
        if is_prose:
            paragraph.append(line)
        else:
            wrapped.append(line)
    return wrapped + _fitted(paragraph, room if wrapped else room - 7)


def _marked(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is prose rather than code, a table, a heading or blank."""
    fence = ""
    for line in lines:
        row = line.rstrip()
        mark = _FENCE.match(row)
        inside = bool(fence)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
        yield row, not (inside or fence or not row or _VERBATIM.match(row))


def _fitted(paragraph: list[str], room: int) -> list[str]:
    if all(len(line) <= room for line in paragraph):
        return paragraph
    item = _ITEM.match(paragraph[0])
    hang = " " * len(item[0]) if item else ""
    text = " ".join([paragraph[0], *(line.strip() for line in paragraph[1:])])
    return textwrap.wrap(text, room, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
