"""The names whose numbers are metrics: what a `pipeline-metrics` cell assigns or prints."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def metric_names(python: str) -> tuple[str, ...]:
    r"""The names, in the order of the text; what they are bound to shows only in the run.

    Args:
        python: The cell as plain Python.

    >>> metric_names("score = fit()\nprint(loss)\nprint(f'f1 is {f1}')\n_hidden = 1")
    ('score', 'loss', 'f1')
    """
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):
        return ()
    found = [name for statement in tree.body for name in _names(statement)]
    return tuple(dict.fromkeys(name for name in found if not name.startswith("_")))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        yield from _targets(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        for argument in node.args:
            yield from _printed(argument)
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _printed(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Starred):
        yield from _printed(node.value)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
                yield part.value.id
