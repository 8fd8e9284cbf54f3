"""Where IPython's own syntax stands in a cell: logical lines, told apart from strings, brackets and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r'''
    (?P<string>
        """(?:[^\\]|\\.)*?(?:"""|\Z)
      | \'\'\'(?:[^\\]|\\.)*?(?:\'\'\'|\Z)
      | "(?:[^"\\\n]|\\.)*(?:"|(?=\n)|\Z)
      | '(?:[^'\\\n]|\\.)*(?:'|(?=\n)|\Z)
    )
  | (?P<comment>\#[^\n]*)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<joined>\\\r?\n)
  | (?P<newline>\n)
  | (?P<comparison>[=!<>:+\-*/%&|^@~]=)
  | (?P<assignment>=)
''',
    re.DOTALL | re.VERBOSE,
)

_HELP = re.compile(r"(%{0,2}(?!\d)[\w*]+(?:\.(?!\d)[\w*]+|\[-?[0-9]+\])*)(\?\??)$")
_LONGEST_NAME = 500
_ESCAPES = frozenset("%!?,;/")
_BLANK = re.compile(r"[ \t\f]*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of IPython syntax.

    Attributes:
        start: Offset of the first character of its line.
        column: Where it begins in that line: what stands before is indentation, or `names = `.
        end: Offset after its last character, without the line's end.
        text: The text from `column`, with joined lines made one.
        help: For `object?`, the object; None for all else.
        detailed: `object??` rather than `object?`.
    """

    start: int
    column: int
    end: int
    text: str
    help: str | None = None
    detailed: bool = False


@dataclass(frozen=True, slots=True)
class _Logical:
    """A logical line: where it ends, and where its first `=` and its closing comment or string stand."""

    end: int
    assignment: int | None
    open_end: bool


def pieces(text: str) -> Iterator[Piece]:
    r"""The IPython syntax of a cell that has no cell magic, in order.

    >>> [piece.text for piece in pieces("x = 5 % 3\n%time x\ny = !ls")]
    ['%time x', '!ls']
    """
    position = 0
    while position < len(text):
        piece, position = _next(text, position)
        if piece:
            yield piece


def _next(text: str, start: int) -> tuple[Piece | None, int]:
    """The piece of the logical line that begins at an offset, and where the next one begins."""
    first = _blank_end(text, start)
    logical = _logical(text, start)
    asked = None if logical.open_end else _asked(text, first, logical.end)
    piece: Piece | None
    if asked:
        piece = _help(text, start, first, logical.end, asked)
    elif text[first : first + 1] in _ESCAPES and first < len(text):
        piece = _escaped(text, start, first)
    else:
        piece = _assigned(text, logical)
    return piece, (piece.end if piece else logical.end) + 1


def _blank_end(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return found.end() if found else start


def _logical(text: str, start: int) -> _Logical:
    depth, assignment, last = 0, None, start
    for token in _TOKEN.finditer(text, start):
        match token.lastgroup:
            case "newline" if depth <= 0:
                return _Logical(token.start(), assignment, open_end=last == token.start())
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case "assignment" if depth == 0 and assignment is None:
                assignment = token.start()
            case "string" | "comment":
                last = token.end()
            case _:
                pass
    return _Logical(len(text), assignment, open_end=last == len(text))


def _asked(text: str, first: int, end: int) -> re.Match[str] | None:
    """The question at the end of a line; only its tail is searched, so that a hostile line costs no time."""
    if text[end - 1 : end] != "?":
        return None
    return _HELP.search(text[max(first, end - _LONGEST_NAME) : end])


def _help(text: str, start: int, first: int, end: int, asked: re.Match[str]) -> Piece:
    return Piece(
        start=start,
        column=first - start,
        end=end,
        text=text[first:end],
        help=asked.group(1),
        detailed=asked.group(2) == "??",
    )


def _escaped(text: str, start: int, first: int) -> Piece:
    end = _continued_end(text, first)
    return Piece(start=start, column=first - start, end=end, text=_joined(text[first:end]))


def _assigned(text: str, logical: _Logical) -> Piece | None:
    if logical.assignment is None:
        return None
    first = _blank_end(text, logical.assignment + 1)
    if not re.compile(r"%[^\W\d]|!").match(text, first, logical.end):
        return None
    start = text.rfind("\n", 0, first) + 1
    end = _continued_end(text, first)
    return Piece(start=start, column=first - start, end=end, text=_joined(text[first:end]))


def _continued_end(text: str, first: int) -> int:
    """The end of a line, further lines counted where a backslash joins them."""
    end = text.find("\n", first)
    while end != -1 and text[end - 1 : end] == "\\":
        end = text.find("\n", end + 1)
    return len(text) if end == -1 else end


def _joined(text: str) -> str:
    *parts, last = text.split("\n")
    return " ".join([*(part.rstrip()[:-1] for part in parts), last.rstrip()])
