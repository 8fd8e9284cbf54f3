"""Our own lines, as formatters would break them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.words import WIDTH

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


def wrapped(head: str, item: str, tail: str, *, indent: str = "") -> str:
    """A statement `head(item)tail` around what may be broken itself, in one line where it fits.

    Args:
        head: What stands before the bracket.
        item: What stands in it, as it is at one more indent.
        tail: What stands after it.
        indent: What stands before the statement.

    >>> print(wrapped("exit", "    run(1)", ""))
    exit(run(1))
    """
    flat = f"{indent}{head}({item.strip()}){tail}"
    if "\n" not in item and len(flat) <= WIDTH:
        return flat
    return f"{indent}{head}(\n{item}\n{indent}){tail}"


def exit_call(module: str, function: str, items: Sequence[str]) -> str:
    """The statement that ends a program with what a function of ours returns.

    Args:
        module: The name that `sys` has.
        function: The function.
        items: Its arguments.
    """
    inner = enclosed(function, items, "", indent=" " * 8)
    return wrapped(f"{module}.exit", inner, "", indent=" " * 4)


def skipped(statement: str) -> str:
    """A statement, with a word to formatters to leave it alone where a name is too long for any line."""
    fits = all(len(row) <= WIDTH for row in statement.split("\n"))
    return statement if fits else f"{statement}  # fmt: skip"
