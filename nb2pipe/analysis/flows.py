"""Flows between cells: from the last cell back to the first, each takes what it needs from the version before it.

A cell takes the names that it reads, and the names that a later cell takes from it without its binding them. Names that
share a mutable object are taken from one cell, the last that touched any of them: two halves of one object that came
from different steps would part.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.heap import Klass
from nb2pipe.analysis.model import Flow, FlowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nb2pipe.analysis.definitions import Defined
    from nb2pipe.analysis.heap import Obj
    from nb2pipe.analysis.history import History, Version
    from nb2pipe.analysis.trace import Trace


@dataclass(slots=True, kw_only=True)
class Taken:
    """What flows between cells.

    Attributes:
        flows: Values and changes.
        parameter_uses: The cells that are given a parameter.
        needs: The definitions that have to stand before each cell.
        tied: The names that a cell leaves a new reference to.
    """

    flows: set[Flow] = field(default_factory=set)
    parameter_uses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    needs: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    tied: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))


def value_flows(
    traces: Sequence[Trace],
    history: History,
    definitions: Sequence[Defined],
    parameters: Mapping[str, int],
) -> Taken:
    """What each cell takes from the cells before it.

    Args:
        traces: In notebook order.
        history: The versions of the names.
        definitions: In notebook order.
        parameters: The cell of each parameter.
    """
    taken = Taken()
    demands: dict[int, set[str]] = defaultdict(set)
    for trace in reversed(traces):
        names = _wanted(trace, demands[trace.cell], history, definitions, taken)
        for group in _groups(names, trace.cell, history):
            _take(group, trace.cell, history, parameters, taken, demands)
    return taken


def _wanted(
    trace: Trace, demanded: set[str], history: History, definitions: Sequence[Defined], taken: Taken
) -> dict[str, Version]:
    """The names that a cell has to be given, each with its version; notes the definitions that it needs."""
    waiting = sorted(trace.uses | demanded | _changed_definitions(trace.defined, trace.cell, history))
    wanted: dict[str, Version] = {}
    needs = set(trace.needs)
    while waiting:
        name = waiting.pop()
        version = history.before(name, trace.cell)
        if name in wanted or version is None or version.deleted:
            continue
        if version.bound and not version.code:
            needs |= version.definitions
            continue
        wanted[name] = version
        waiting += _of_classes(name, trace.cell, history, needs)
        waiting += sorted(_close(needs, trace.cell, history, definitions))
    _close(needs, trace.cell, history, definitions)
    eager = _close(needs, trace.cell, history, definitions)
    for name in sorted(eager - wanted.keys() - trace.bound):
        version = history.before(name, trace.cell)
        if version is not None and version.code and not version.deleted:
            wanted[name] = version
    taken.needs[trace.cell] = needs
    return wanted


def _changed_definitions(names: Iterable[str], cell: int, history: History) -> set[str]:
    versions = {name: history.before(name, cell) for name in names}
    return {name for name, version in versions.items() if version is not None and not version.bound}


def _of_classes(name: str, cell: int, history: History, needs: set[int]) -> list[str]:
    """The classes that what a name reaches is an instance of; notes those that are definitions."""
    reached = history.reach(name, cell)
    if reached is None:
        return []
    found = []
    for thing in reached.described_before(cell):
        if thing.definition is not None:
            needs.add(thing.definition)
        elif isinstance(thing, Klass) and thing.name != name:
            binding = history.binding_before(thing.name, cell)
            if binding is not None and binding.cell == thing.born and binding.function:
                found.append(thing.name)
    return sorted(found)


def _close(needs: set[int], cell: int, history: History, definitions: Sequence[Defined]) -> set[str]:
    """Adds the definitions that definitions need; gives the variables that they read when they are executed."""
    waiting = sorted(needs)
    variables: set[str] = set()
    while waiting:
        defined = definitions[waiting.pop()]
        for name in defined.definition.reads:
            binding = history.binding_before(name, cell + 1)
            fresh = binding.definitions - needs if binding is not None else frozenset()
            needs |= fresh
            waiting.extend(fresh)
        variables |= defined.eager
    return variables


class _Parts:
    """Names, joined step by step into groups."""

    def __init__(self, names: Iterable[str]) -> None:
        self._leader = {name: name for name in names}

    def find(self, name: str) -> str:
        """The name that stands for a name's group."""
        while self._leader[name] != name:
            self._leader[name] = self._leader[self._leader[name]]
            name = self._leader[name]
        return name

    def join(self, one: str, other: str) -> None:
        """Makes one group of two."""
        self._leader[self.find(one)] = self.find(other)


def _groups(names: Mapping[str, Version], cell: int, history: History) -> list[dict[str, Version]]:
    """The names, parted into groups that share mutable objects."""
    parts = _Parts(names)
    owner: dict[Obj, str] = {}
    reached = {name: reach for name in names if (reach := history.reach(name, cell)) is not None}
    by_size = sorted(reached, key=lambda name: len(reached[name].since))
    for name in by_size[:-1]:
        for thing in reached[name].shared_before(cell):
            parts.join(name, owner.setdefault(thing, name))
    # The largest is asked, not read: a container that all cells fill would cost the square of their number.
    for name in by_size[-1:]:
        for thing, other in owner.items():
            if reached[name].since.get(thing, cell) < cell:
                parts.join(other, name)
    groups: dict[str, dict[str, Version]] = defaultdict(dict)
    for name, version in names.items():
        groups[parts.find(name)][name] = version
    return list(groups.values())


def _take(
    group: Mapping[str, Version],
    cell: int,
    history: History,
    parameters: Mapping[str, int],
    taken: Taken,
    demands: Mapping[int, set[str]],
) -> None:
    """Takes a group of names that share from the cell that touched any of them last."""
    source = max(version.cell for version in group.values())
    for name, version in group.items():
        origin = source if len(group) > 1 and not version.function else version.cell
        if parameters.get(name) == origin:
            taken.parameter_uses[name].add(cell)
            continue
        touched = history.at(name, origin)
        if touched is None:
            taken.tied[origin].add(name)
        if touched is None or not touched.bound or touched.partial:
            demands[origin].add(name)
        taken.flows.add(_flow(name, origin, cell, touched, version))


def _flow(name: str, source: int, target: int, touched: Version | None, version: Version) -> Flow:
    return Flow(
        name=name,
        source=source,
        target=target,
        kind=FlowKind.VALUE if touched is not None and touched.bound and touched.certain else FlowKind.CHANGE,
        certain=touched is None or touched.certain,
        function=version.function,
    )
