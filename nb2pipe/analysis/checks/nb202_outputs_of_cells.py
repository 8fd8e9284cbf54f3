"""IPython's `_`, `In` and `Out`, which hold what other cells showed.

They depend on the cells that the kernel ran before, and steps run in kernels of their own.

    Out[3]

`_` is allowed where the cell that showed something last belongs to the same step.

What to do: give the value a name in the cell that makes it, and use that name.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.model import CellKind
from nb2pipe.notebook.sections import Role, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen
    from nb2pipe.notebook.model import Cell

CODE = "NB202"


def outputs_of_cells(seen: Seen) -> Iterator[Diagnostic]:
    """An error at each use of them."""
    for trace in seen.traces:
        for node in trace.outputs:
            if node.id == "_" and _is_from_own_step(seen, trace.cell):
                continue
            yield Diagnostic(
                code=CODE,
                severity=Severity.ERROR,
                message=f"`{node.id}` holds what other cells showed, and steps run in kernels of their own",
                location=place(seen, trace.cell, node),
                hint="give the value a name in the cell that makes it, and use that name here",
            )


def _is_from_own_step(seen: Seen, position: int) -> bool:
    """Whether only cells of its own step may have shown what a cell finds in `_`."""
    section = seen.sections[position]
    for cell in reversed(seen.notebook.cells[: position - 1]):
        if cell.kind is not CellKind.CODE or seen.sections[cell.position].role is Role.SKIPPED:
            continue
        shows = _shown(cell)
        if shows is not None and seen.sections[cell.position] != Section(cell.position, section.role, section.step):
            return False
        if shows:
            return True
    return True


def _shown(cell: Cell) -> bool | None:
    """Whether a cell surely shows a value (True), may do so (False), or does not (None)."""
    tree = parsed(cell.python)
    last = tree.body[-1] if tree is not None and tree.body else None
    if cell.magics or tree is None:
        return False
    if not isinstance(last, ast.Expr) or cell.source.rstrip().endswith(";"):
        return None
    return not isinstance(last.value, (ast.Call, ast.Name, ast.Await))
