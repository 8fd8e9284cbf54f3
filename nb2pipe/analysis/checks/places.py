"""Places of what analysis found, for the checks of codes NB200 to NB249."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Location

if TYPE_CHECKING:
    from nb2pipe.analysis.walk import Seen


def place(seen: Seen, position: int, node: ast.AST | int) -> Location:
    """The place of a piece of syntax, or of a line, in a cell."""
    cell = seen.notebook.cell(position)
    section = seen.sections.get(position)
    number = node if isinstance(node, int) else getattr(node, "lineno", 1)
    lines = cell.source.split("\n")
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    columns = _columns(node, line) if cell.python == cell.source else (None, None)
    return Location(
        notebook=seen.notebook.path,
        cell=cell.id,
        position=position,
        line=number,
        column=columns[0],
        end_column=columns[1],
        source_line=line,
        step=section.step if section is not None else None,
    )


def _columns(node: ast.AST | int, line: str) -> tuple[int | None, int | None]:
    if isinstance(node, int) or not isinstance(node, (ast.expr, ast.stmt)):
        return None, None
    encoded = line.encode()
    first = len(encoded[: node.col_offset].decode(errors="replace")) + 1
    if node.end_lineno != node.lineno or node.end_col_offset is None:
        return first, None
    return first, len(encoded[: node.end_col_offset].decode(errors="replace")) + 1
