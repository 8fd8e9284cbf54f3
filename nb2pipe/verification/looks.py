"""Which variables are compared, and when the straight run has to look at each."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.pipeline.statements import parse
from nb2pipe.verification.model import Look

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.analysis.model import CellFacts
    from nb2pipe.pipeline.work import Unit, Work

Owners = dict[str, dict[int, str]]


def looks(work: Work) -> tuple[Look, ...]:
    """The variables of each step that are compared: what it leaves, and what it was given and did not bind itself.

    A variable that a step was given and bound again without leaving it to anybody has two values, the one that it was
    given and the one that nobody asks for; neither is compared.
    """
    owners: Owners = {}
    for unit in work.units:
        owners.setdefault(unit.scope, {}).update(dict.fromkeys(unit.step.cells, unit.name))
    facts = {unit.scope: _facts(unit) for unit in work.units}
    return tuple(
        look
        for unit in work.units
        if unit.step.cells and not unit.inner
        for look in _looks_of(unit, facts[unit.scope], owners[unit.scope])
    )


def kept_by_nobody(unit: Unit) -> frozenset[str]:
    """The variables that a step binds and that it does not leave, since no later step takes them."""
    facts = _facts(unit)
    own = [facts[cell] for cell in unit.step.cells if cell in facts]
    bound = frozenset[str]().union(*(fact.definitions for fact in own))
    deleted = frozenset[str]().union(*(fact.deletions for fact in own))
    return bound - deleted - {port.name for port in unit.step.outputs}


def _facts(unit: Unit) -> dict[int, CellFacts]:
    dataflow = unit.pipeline.dataflow
    return {fact.cell: fact for fact in dataflow.facts} if dataflow is not None else {}


def _looks_of(unit: Unit, facts: Mapping[int, CellFacts], owners: Mapping[int, str]) -> Iterator[Look]:
    touched: dict[str, int] = {}
    lines: dict[tuple[int, str], int] = {}
    bound: set[str] = set()
    for cell in sorted(unit.step.cells):
        stored, read = lines_of(unit.pipeline.notebook.cell(cell).python)
        fact = facts.get(cell)
        binds = stored.keys() if fact is None else fact.definitions
        bound |= binds if fact is None else binds | fact.deletions
        changes = binds if fact is None else binds | fact.mutations
        touched |= dict.fromkeys(changes, cell)
        lines |= {(cell, name): line for name, line in (read | stored).items()}
    left = {port.name for port in unit.step.outputs}
    given = {port.name for port in unit.step.inputs}
    last = max(unit.step.cells)
    for name in sorted(left | (given - bound)):
        cell = touched.get(name, last)
        after = _end_of_section(cell, unit, owners)
        line = lines.get((cell, name))
        yield Look(step=unit.name, name=name, cell=cell, line=line, after=after, given=name not in left)


def _end_of_section(cell: int, unit: Unit, owners: Mapping[int, str]) -> int:
    """The step's last cell after a cell, before any cell of another step."""
    found = cell
    for place in sorted(place for place in owners if place > cell):
        if owners[place] != unit.name:
            break
        found = place
    return found


def lines_of(python: str) -> tuple[dict[str, int], dict[str, int]]:
    r"""The last line that binds each name of a cell, and the last one that mentions it.

    >>> lines_of("x = 1\nx.append(y)\n")
    ({'x': 1}, {'y': 2, 'x': 2})
    """
    stored: dict[str, int] = {}
    read: dict[str, int] = {}
    tree = parse(python)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Name):
            kind = read if isinstance(node.ctx, ast.Load) else stored
            kind[node.id] = max(kind.get(node.id, 0), node.lineno)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stored[node.name] = max(stored.get(node.name, 0), node.lineno)
    return stored, read
