"""The author's text, moved to the right without a change to what it means."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INDENT = "    "

_MAY_CROSS = re.compile(r"\"\"\"|'''|\\\n")
"""Without one of these no string crosses a line."""

_BEGINS = frozenset(getattr(tokenize, name) for name in ("FSTRING_START", "TSTRING_START") if hasattr(tokenize, name))
_ENDS = frozenset(getattr(tokenize, name) for name in ("FSTRING_END", "TSTRING_END") if hasattr(tokenize, name))
"""Since Python 3.12 an f-string is many tokens."""


@lru_cache(maxsize=4096)
def indented(text: str, indent: str = INDENT) -> str | None:
    r"""The text as the body of a function, or None where it would mean something else there.

    What stands inside a string keeps its place; blank lines get no spaces, and page breaks
    before a line go.

    Args:
        text: Plain Python.
        indent: What to put before each line.

    >>> print(indented("a = '''x\n  y'''\nif a:\n    b = 1"))
        a = '''x
      y'''
        if a:
            b = 1
    """
    try:
        inside = lines_inside_strings(text)
        rows = enumerate(text.split("\n"), start=1)
        moved = "\n".join(_moved(row, indent, kept=number in inside) for number, row in rows)
        return moved if _means_the_same(text, moved) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None


@lru_cache(maxsize=4096)
def lines_inside_strings(text: str) -> frozenset[int]:
    """The lines, from 1, whose begin belongs to a string or f-string that began in an earlier line.

    Raises:
        SyntaxError: The text has no tokens.
        tokenize.TokenError: It ends too early.
    """
    if not _MAY_CROSS.search(text):
        return frozenset()
    return frozenset(number for first, last in _strings(text) for number in range(first + 1, last + 1))


def _strings(text: str) -> Iterator[tuple[int, int]]:
    begun: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            yield token.start[0], token.end[0]
        elif token.type in _BEGINS:
            begun.append(token.start[0])
        elif token.type in _ENDS:
            yield begun.pop(), token.end[0]


def _moved(row: str, indent: str, *, kept: bool) -> str:
    if kept:
        return row
    return indent + row.lstrip("\f") if row.strip() else ""


def _means_the_same(text: str, moved: str) -> bool:
    body = ast.parse(f"async def _():\n{INDENT}pass\n{moved}").body
    assert isinstance(body[0], ast.AsyncFunctionDef)
    return len(body) == 1 and _dumps(body[0].body[1:]) == _dumps(ast.parse(text).body)


def _dumps(body: list[ast.stmt]) -> list[str]:
    return [ast.dump(statement) for statement in body]
