"""The versions of each name through the notebook: who bound it, who changed what it holds, and what it reached then."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.analysis.heap import CLASS, NOTHING, Function, Klass, Obj, Value, holders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.analysis.scopes import Scope, Slot
    from nb2pipe.analysis.trace import Trace


class Version(NamedTuple):
    """A version of a name.

    Attributes:
        cell: The cell that made it.
        bound: It bound the name; otherwise it changed what the name holds.
        certain: It surely did.
        partial: It may have left the name as it was.
        function: The name is a function or class.
        code: A statement that is no definition made it.
        definitions: The definitions that bound it.
        deleted: The name is gone.
    """

    cell: int
    bound: bool
    certain: bool = True
    partial: bool = False
    function: bool = False
    code: bool = True
    definitions: frozenset[int] = frozenset()
    deleted: bool = False


class Span(NamedTuple):
    """What a name reached after a cell.

    Attributes:
        shared: The mutable objects.
        definitions: The definitions of the classes and functions among what it reached.
        classes: The classes of step cells among it.
    """

    cell: int
    shared: frozenset[Obj]
    definitions: frozenset[int]
    classes: frozenset[Klass]


def span(cell: int, roots: Iterable[Obj]) -> Span:
    """What can be reached from some objects."""
    seen = set(roots)
    waiting = list(seen)
    classes: set[Klass] = set()
    while waiting:
        thing = waiting.pop()
        for key, inner in thing.fields.items():
            if key == CLASS:
                classes |= {klass for klass in inner if isinstance(klass, Klass)}
                continue
            fresh = inner - seen
            seen |= fresh
            waiting.extend(fresh)
    classes |= {thing for thing in seen if isinstance(thing, Klass)}
    described: set[Obj] = classes | {thing for thing in seen if isinstance(thing, Function)}
    definitions = {thing.definition for thing in described if isinstance(thing, (Function, Klass))} - {None}
    return Span(
        cell,
        frozenset(thing for thing in seen if thing.mutable and not isinstance(thing, Klass)),
        frozenset(index for index in definitions if index is not None),
        frozenset(klass for klass in classes if klass.definition is None),
    )


@dataclass(slots=True)
class History:
    """The versions of all names, in notebook order."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    _current: dict[str, Value] = field(default_factory=dict)

    def commit(self, trace: Trace, module: Scope) -> dict[str, bool]:
        """Takes in what a cell did; gives the names it changed without binding them, and whether it surely did."""
        for name in sorted(trace.bound | trace.deleted):
            self._rebind(name, module.slots.get(name), trace)
        changed: dict[str, bool] = {}
        for thing, certain in trace.changes.items():
            for name in _names_above(thing):
                changed[name] = certain or changed.get(name, False)
        changed = {name: certain for name, certain in changed.items() if name not in trace.bound | trace.deleted}
        for name in sorted(changed):
            slot = module.slots[name]
            self.versions[name].append(
                Version(trace.cell, bound=False, certain=changed[name], function=is_function(slot.value))
            )
        linked = {name for thing in trace.linked for name in _names_above(thing)}
        for name in sorted(trace.bound | linked):
            self._measure(name, trace.cell)
        return changed

    def _rebind(self, name: str, slot: Slot | None, trace: Trace) -> None:
        for thing in self._current.pop(name, NOTHING):
            thing.names.discard(name)
        versions = self.versions.setdefault(name, [])
        if slot is None:
            if versions:
                versions.append(Version(trace.cell, bound=True, deleted=True))
            return
        for thing in slot.value:
            thing.names.add(name)
        self._current[name] = slot.value
        versions.append(
            Version(
                trace.cell,
                bound=True,
                partial=slot.partial,
                function=is_function(slot.value),
                code=slot.code,
                definitions=slot.definitions,
            )
        )

    def _measure(self, name: str, cell: int) -> None:
        if (value := self._current.get(name)) is not None:
            spans = self.spans.setdefault(name, [])
            if spans and spans[-1].cell == cell:
                spans.pop()
            spans.append(span(cell, value))

    def before(self, name: str, cell: int) -> Version | None:
        """The version of a name that a cell is given."""
        versions = self.versions.get(name, [])
        place = bisect_left(versions, cell, key=lambda version: version.cell)
        return versions[place - 1] if place else None

    def binding_before(self, name: str, cell: int) -> Version | None:
        """The last binding of a name before a cell."""
        versions = self.versions.get(name, [])
        place = bisect_left(versions, cell, key=lambda version: version.cell)
        while place and not versions[place - 1].bound:
            place -= 1
        return versions[place - 1] if place else None

    def at(self, name: str, cell: int) -> Version | None:
        """The version of a name that a cell makes, if it makes one."""
        version = self.before(name, cell + 1)
        return version if version is not None and version.cell == cell else None

    def reach(self, name: str, cell: int) -> Span | None:
        """What a name reaches when a cell begins."""
        spans = self.spans.get(name, [])
        place = bisect_left(spans, cell, key=lambda one: one.cell)
        return spans[place - 1] if place else None


def _names_above(thing: Obj) -> set[str]:
    return set().union(*(above.names for above in holders(thing)))


def is_function(value: Value) -> bool:
    """Whether a value is a function or class of the notebook."""
    return bool(value) and all(isinstance(thing, (Function, Klass)) for thing in value)
