"""The top-level statements of cells that steps share: which are repeated, and which run once, in a step `setup`."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import MagicKind
from nb2pipe.notebook.private import with_private_names
from nb2pipe.pipeline.settings import is_setting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nb2pipe.analysis.model import Definition
    from nb2pipe.notebook.model import Cell


class Part(StrEnum):
    """What a statement of a shared cell is to the steps."""

    DEFINITION = "definition"
    PARAMETER = "parameter"
    SETTING = "setting"
    ONCE = "once"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A top-level statement.

    Attributes:
        node: Its syntax.
        first_line: From 1 within the cell, decorators counted.
        last_line: The last line of it.
        part: What it is to the steps.
    """

    node: ast.stmt
    first_line: int
    last_line: int
    part: Part = Part.ONCE

    @property
    def lines(self) -> frozenset[int]:
        """All lines that it touches."""
        return frozenset(range(self.first_line, self.last_line + 1))

    @property
    def names(self) -> tuple[ast.Name, ...]:
        """All names in it."""
        return tuple(_names(self.node))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCell:
    """A cell of definitions or parameters, cut into its statements."""

    cell: Cell
    statements: tuple[Statement, ...]

    def of(self, *parts: Part) -> tuple[Statement, ...]:
        """The statements that are of one of the parts."""
        return tuple(statement for statement in self.statements if statement.part in parts)

    @property
    def runs_once(self) -> bool:
        """Whether it holds code that needs a step of its own."""
        return bool(self.of(Part.ONCE))


def parse(source: str) -> ast.Module | None:
    """The syntax of a cell, or None where it has none (the reader has said so then).

    >>> parse("x = ") is None
    True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return with_private_names(ast.parse(source), source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def statements(source: str) -> tuple[Statement, ...]:
    r"""The top-level statements of a source text.

    >>> [(s.first_line, s.last_line) for s in statements("x = 1\ndef f():\n    pass")]
    [(1, 1), (2, 3)]
    """
    tree = parse(source)
    return tuple(_statement(node) for node in tree.body) if tree else ()


def shared_cell(
    cell: Cell, definitions: Iterable[Definition], repeatable: Collection[str] | None, *, settings: bool = True
) -> SharedCell:
    """A cell of definitions or parameters, cut.

    Args:
        cell: The cell.
        definitions: What analysis says that steps repeat of it.
        repeatable: For a parameters cell, the names whose defaults every step may evaluate; else None.
        settings: Whether settings of the kernel may be repeated; otherwise they run once like other code.
    """
    defined = frozenset((definition.first_line, definition.last_line) for definition in definitions)
    found = (_with_rest(cell, statement) for statement in statements(cell.python))
    parts = (replace(item, part=_part(cell, item, defined, repeatable)) for item in found)
    if not settings:
        parts = (replace(item, part=Part.ONCE) if item.part is Part.SETTING else item for item in parts)
    return SharedCell(cell=cell, statements=tuple(parts))


def reads(node: ast.AST) -> frozenset[str]:
    """The names that a statement reads, a few too many where names are local to it."""
    return frozenset(name.id for name in _names(node) if isinstance(name.ctx, ast.Load)) | (
        frozenset({node.target.id})
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
        else frozenset()
    )


def binds(node: ast.AST) -> frozenset[str]:
    """The names that a statement assigns."""
    return frozenset(name.id for name in _names(node) if isinstance(name.ctx, ast.Store))


def slice_of(candidates: Iterable[Statement], wanted: Collection[str]) -> tuple[tuple[Statement, ...], frozenset[str]]:
    """The statements that the values of names at the end of a cell come from.

    Args:
        candidates: Statements of one cell, in order.
        wanted: The names.

    Returns:
        Those statements in order, and the names that have to come from before the cell.
    """
    open_names = set(wanted)
    kept: list[Statement] = []
    for statement in reversed(tuple(candidates)):
        bound = binds(statement.node) & open_names
        if not bound:
            continue
        kept.append(statement)
        if isinstance(statement.node, ast.Assign | ast.AnnAssign):
            open_names -= bound
        open_names |= reads(statement.node)
    return tuple(reversed(kept)), frozenset(open_names)


def cut(cell: Cell, kept: Collection[Statement], everything: Iterable[Statement]) -> tuple[frozenset[int], str | None]:
    """The lines of some statements, and the text where lines are not enough.

    Args:
        cell: The cell.
        kept: The statements that stay.
        everything: All statements of the cell.

    Returns:
        The lines; and, if a line holds both a statement that stays and one that does not, the text of the whole cell in
        which the others are `pass`.
    """
    wrapping = _magic_lines(cell)
    lines = frozenset(line for statement in kept for line in statement.lines) | wrapping
    left_out = (item for item in everything if item not in kept and item.first_line not in wrapping)
    dropped = [item for item in left_out if item.lines & lines]
    return lines, _text(cell, lines, dropped) if dropped else None


def _statement(node: ast.stmt) -> Statement:
    decorators: Iterable[ast.expr] = getattr(node, "decorator_list", ())
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return Statement(node=node, first_line=first, last_line=node.end_lineno or node.lineno)


def _with_rest(cell: Cell, statement: Statement) -> Statement:
    """A statement, with the lines of a magic that plain Python has no words for: its continuation, or its body."""
    if not cell.magics:
        return statement
    written, read = cell.source.split("\n"), cell.python.split("\n")
    last = statement.last_line
    while last < min(len(written), len(read)) and written[last].strip() and not read[last].strip():
        last += 1
    return replace(statement, last_line=last)


_DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.If)


def _part(
    cell: Cell, statement: Statement, defined: Collection[tuple[int, int]], repeatable: Collection[str] | None
) -> Part:
    node = statement.node
    if isinstance(node, _DEFINING) and (statement.first_line, statement.last_line) in defined:
        return Part.DEFINITION
    if is_setting(cell, node):
        return Part.SETTING
    if _is_idle(cell, statement):
        return Part.IDLE
    if repeatable is not None and isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        bound = binds(node)
        if bound and bound <= frozenset(repeatable):
            return Part.PARAMETER
    return Part.ONCE


def _is_idle(cell: Cell, statement: Statement) -> bool:
    """Whether a statement does nothing that a step could see: a docstring, `pass`, a bare annotation, `object?`."""
    node = statement.node
    magic = next((magic for magic in cell.magics if magic.line == node.lineno), None)
    if magic is not None:
        wraps = magic.kind is MagicKind.CELL and not magic.target and statement.first_line == statement.last_line
        return magic.kind is MagicKind.HELP or (wraps and bool(magic.body.strip()))
    if isinstance(node, ast.Pass) or (isinstance(node, ast.AnnAssign) and node.value is None):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (name for name in ast.walk(node) if isinstance(name, ast.Name))


def _magic_lines(cell: Cell) -> frozenset[int]:
    """The first line of a cell magic that runs the rest of the cell: it belongs to every part of the cell."""
    return frozenset(magic.line for magic in cell.magics if magic.kind is MagicKind.CELL)


def _text(cell: Cell, lines: Collection[int], dropped: Iterable[Statement]) -> str:
    """The cell with blank lines for those that are not kept, and `pass` for statements that share a line."""
    rows = [line.encode() for line in cell.source.split("\n")]
    rows = [row if number in lines else b"" for number, row in enumerate(rows, start=1)]
    for statement in sorted(dropped, key=lambda item: (item.first_line, item.node.col_offset), reverse=True):
        _blank(rows, statement, frozenset(lines))
    return "\n".join(row.decode() for row in rows)


def _blank(rows: list[bytes], statement: Statement, lines: Collection[int]) -> None:
    """Puts `pass` for a statement: on its last line where that is kept, else on its first."""
    node = statement.node
    start, end = node.col_offset, node.end_col_offset or 0
    first, last = statement.first_line - 1, statement.last_line - 1
    if first == last:
        rows[first] = rows[first][:start] + b"pass" + rows[first][end:]
        return
    for row in range(first + 1, last):
        rows[row] = b""
    rows[first] = rows[first][:start] + b"pass" if statement.first_line in lines else b""
    rows[last] = b"pass" + rows[last][end:] if statement.last_line in lines else b""


def by_cell(definitions: Iterable[Definition]) -> Mapping[int, tuple[Definition, ...]]:
    """Definitions by their cells."""
    found: dict[int, list[Definition]] = {}
    for definition in definitions:
        found.setdefault(definition.cell, []).append(definition)
    return {cell: tuple(group) for cell, group in found.items()}
