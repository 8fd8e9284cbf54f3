"""Where the author wrote what is to blame: a variable that cannot be stored, an import that fails."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Location

if TYPE_CHECKING:
    from nb2pipe.execution.model import StepCall


def where_bound(call: StepCall, name: str) -> Location:
    """The last line of the step's own cells that binds a name; its last cell if none does by its text."""
    for place in reversed(call.step.cells):
        cell = call.notebook.cell(place)
        line = _last_binding(cell.python, name)
        if line is not None:
            text = cell.source.split("\n")[line - 1]
            return Location(notebook=call.notebook.path, position=place, line=line, source_line=text)
    last = call.step.cells[-1] if call.step.cells else None
    return Location(notebook=call.notebook.path, position=last)


def where_imported(call: StepCall, statement: str) -> tuple[int, int] | None:
    """The cell and line of the import that a statement on top of a module was made of; None if there is none.

    Args:
        call: The step; its own cells are looked at first.
        statement: The first line of the statement.
    """
    wanted = _modules(statement.replace("(", "*") if statement.endswith("(") else statement)
    blocks = [block.cell for block in call.step.blocks]
    for place in (*blocks, *(cell.position for cell in call.notebook.cells)):
        for node in _imports(call.notebook.cell(place).python):
            if wanted & _modules(ast.unparse(node)):
                return place, node.lineno
    return None


def _modules(statement: str) -> set[str]:
    """The modules that an import names."""
    return {
        name
        for node in _imports(statement)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }


def _imports(python: str) -> list[ast.Import | ast.ImportFrom]:
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def _last_binding(python: str, name: str) -> int | None:
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):
        return None
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and name in _bound(node)]
    return max(lines, default=None)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement itself binds, not those that statements within it do."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    parts = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr | ast.withitem)]
    nodes = [node for part in parts for node in ast.walk(part)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
