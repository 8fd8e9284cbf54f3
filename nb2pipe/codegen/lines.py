"""Our own lines, as formatters would break them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.codegen.words import WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence


ROUND = ("(", ")")
SQUARE = ("[", "]")
CURLY = ("{", "}")
NONE = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brackets:
    """What encloses items in one line, and in many."""

    flat: tuple[str, str] = ROUND
    broken: tuple[str, str] = ROUND


CALL = Brackets()
LIST = Brackets(flat=SQUARE, broken=SQUARE)
DICT = Brackets(flat=CURLY, broken=CURLY)
NAMES = Brackets(flat=NONE)
"""What `from module import` lists."""


def bracketed(head: str, items: Sequence[str], tail: str, *, indent: str = "", brackets: Brackets = CALL) -> str:
    """A statement `head(item, item)tail`, in one line where it fits, else with one item a line.

    Args:
        head: What stands before the bracket.
        items: What stands in it.
        tail: What stands after it.
        indent: What stands before each line.
        brackets: Which ones.

    >>> print(bracketed("f", ["a" * 50, "b" * 50], ""))
    f(
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
        bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
    )
    """
    return skipped(enclosed(head, items, tail, indent=indent, brackets=brackets))


def enclosed(head: str, items: Sequence[str], tail: str, *, indent: str = "", brackets: Brackets = CALL) -> str:
    """The same for a part of a statement."""
    flat = f"{indent}{head}{brackets.flat[0]}{', '.join(items)}{brackets.flat[1]}{tail}"
    if not items or (len(flat) <= WIDTH and "\n" not in flat):
        return flat
    rows = [f"{indent}    {item}," for item in items]
    return "\n".join([f"{indent}{head}{brackets.broken[0]}", *rows, f"{indent}{brackets.broken[1]}{tail}"])


def skipped(statement: str) -> str:
    """A statement, with a word to formatters to leave it alone where a name is too long for any line."""
    fits = all(len(row) <= WIDTH for row in statement.split("\n"))
    return statement if fits else f"{statement}  # fmt: skip"
