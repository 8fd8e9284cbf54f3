"""A step changes what a module beside the notebook holds, and a later step uses the module.

Modules are not passed from step to step: each step imports them anew, and finds them as their file makes them.

    helpers.SEEN.append(row)        # in the step `load`
    print(helpers.SEEN)             # in the step `report`: empty again

What to do: keep what changes in a variable of the notebook (`seen = []`), which is passed on, or do both in one step.
`nb2pipe verify` shows whether it makes a difference. Changes that functions of the module make themselves are not seen
by this check.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.nb206_change_in_a_skipped_cell import is_change
from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.model import CellKind
from nb2pipe.notebook.sections import Role
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.analysis.walk import Seen
    from nb2pipe.notebook.environment import Environment

CODE = "NB208"


def changes_in_modules(seen: Seen, environment: Environment) -> Iterator[Diagnostic]:
    """A warning for the first change of each module in a cell that later steps do without."""
    if not environment.local_sources:
        return
    trees = dict(_trees(seen))
    names = {name for tree in trees.values() for name in _modules(tree, environment.local_sources)}
    used = {position: _mentioned(tree) for position, tree in trees.items()} if names else {}
    for position, tree in trees.items() if names else ():
        for name, node in _changed(tree, names).items():
            if any(name in found and _is_later(seen, position, other) for other, found in used.items()):
                yield Diagnostic(
                    code=CODE,
                    severity=Severity.WARNING,
                    message=f"a change of the module `{shown(name)}` stays in its step: later steps import it anew",
                    location=place(seen, position, node),
                    hint="keep what changes in a variable of the notebook, which is passed on",
                )


def _trees(seen: Seen) -> Iterator[tuple[int, ast.Module]]:
    for cell in seen.notebook.cells:
        section = seen.sections.get(cell.position)
        if cell.kind is CellKind.CODE and section is not None and section.role is not Role.SKIPPED:
            tree = parsed(cell.python)
            if tree is not None:
                yield cell.position, tree


def _modules(tree: ast.Module, sources: Mapping[str, str]) -> Iterator[str]:
    """The names that imports give to modules beside the notebook."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            local = (alias for alias in node.names if alias.name in sources)
            yield from (alias.asname or alias.name.partition(".")[0] for alias in local)
        elif isinstance(node, ast.ImportFrom):
            local = (alias for alias in node.names if f"{node.module}.{alias.name}" in sources)
            yield from (alias.asname or alias.name for alias in local)


def _mentioned(tree: ast.Module) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _is_later(seen: Seen, position: int, other: int) -> bool:
    """Whether a cell stands below another one and is of another step."""
    return other > position and seen.sections[other].step != seen.sections[position].step


def _changed(tree: ast.Module, names: set[str]) -> dict[str, ast.expr]:
    """The modules that a cell changes, with the first place of each."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        target: ast.AST | None = None
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            target = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_change(node):
            target = node.func.value  # `helpers.update(x)` is a function of the module
        name = _root(target)
        if name in names and isinstance(target, ast.expr):
            found.setdefault(name, target)
    return found


def _root(node: ast.AST | None) -> str:
    """The name that an attribute or element is of; empty for a name itself.

    >>> _root(ast.parse("a.b[0].c", mode="eval").body), _root(ast.parse("a", mode="eval").body)
    ('a', '')
    """
    base = node
    while isinstance(base, ast.Subscript | ast.Attribute):
        base = base.value
    return base.id if isinstance(base, ast.Name) and base is not node else ""
