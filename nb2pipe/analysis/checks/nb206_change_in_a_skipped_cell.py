"""A skipped cell changes a variable that later cells use.

The cell is tagged `skip`, so the pipeline runs without its change, and later cells see the variable as it was before.

    table.dropna(inplace=True)      # tagged `skip`

What to do: nothing, if that is what you want; otherwise take the tag away.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen
    from nb2pipe.notebook.model import Cell

CODE = "NB206"

_CHANGING = frozenset({"append", "extend", "insert", "update", "add", "fit", "partial_fit", "sort", "remove", "clear"})


def changes_in_skipped_cells(seen: Seen) -> Iterator[Diagnostic]:
    """A warning for each change that the pipeline does without."""
    for cell in seen.skipped:
        for name, node in _changed(cell).items():
            version = seen.history.before(name, cell.position)
            used = any(name in trace.uses for trace in seen.traces if trace.cell > cell.position)
            if version is not None and not version.deleted and used:
                yield Diagnostic(
                    code=CODE,
                    severity=Severity.WARNING,
                    message=f"the skipped cell changes `{shown(name)}`, which later cells use without that change",
                    location=place(seen, cell.position, node),
                    hint="remove the tag `skip` if the change is wanted",
                )


def _changed(cell: Cell) -> dict[str, ast.AST]:
    """The names that a cell's text changes without need to follow it."""
    tree = parsed(cell.python)
    found: dict[str, ast.AST] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            _note(found, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_change(node):
            _note(found, node.func)
    return found


def is_change(node: ast.Call) -> bool:
    """Whether a call of a method changes its object, as its name tells."""
    in_place = any(keyword.arg == "inplace" and ast.unparse(keyword.value) == "True" for keyword in node.keywords)
    return in_place or (isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING)


def _note(found: dict[str, ast.AST], node: ast.expr) -> None:
    base: ast.expr = node
    while isinstance(base, (ast.Subscript, ast.Attribute)):
        base = base.value
    if isinstance(base, ast.Name):
        found.setdefault(base.id, node)
