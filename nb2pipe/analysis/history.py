"""The versions of each name through the notebook: who bound it, who changed what it holds, and what it reached then."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.analysis.heap import CLASS, NOTHING, Function, Klass, Obj, Thing, Value, holders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


@dataclass(slots=True)
class Reach:
    """What a name reaches, while it is bound to one thing; it only grows.

    Attributes:
        cell: The cell that bound it.
        roots: What it is bound to.
        since: The cell from which each object is reached.
        described: The classes and functions among what is reached, and the classes of instances, likewise.
    """

    cell: int
    roots: Value = NOTHING
    since: dict[Obj, int] = field(default_factory=dict)
    described: dict[Function | Klass, int] = field(default_factory=dict)

    def add(self, roots: Iterable[Obj], cell: int) -> None:
        """Takes in what can be reached from some objects."""
        waiting = [thing for thing in roots if thing not in self.since]
        self.since.update(dict.fromkeys(waiting, cell))
        while waiting:
            thing = waiting.pop()
            self._describe(thing, cell)
            for key, inner in thing.fields.items():
                if key == CLASS:
                    continue
                fresh = [one for one in inner if one not in self.since]
                self.since.update(dict.fromkeys(fresh, cell))
                waiting.extend(fresh)

    def _describe(self, thing: Obj, cell: int) -> None:
        if isinstance(thing, (Function, Klass)):
            self.described.setdefault(thing, cell)
        elif isinstance(thing, Thing) and thing.klass is not None:
            self.described.setdefault(thing.klass, cell)

    def described_before(self, cell: int) -> list[Function | Klass]:
        """The classes and functions that are reached when a cell begins."""
        return [thing for thing, since in self.described.items() if since < cell]

    def shared_before(self, cell: int) -> Iterator[Obj]:
        """The mutable objects that are reached when a cell begins."""
        for thing, since in self.since.items():
            if since < cell and thing.mutable and not isinstance(thing, Klass):
                yield thing


@dataclass(slots=True)
class History:
    """The versions of all names, in notebook order."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    reaches: dict[str, list[Reach]] = field(default_factory=dict)
    _current: dict[str, Value] = field(default_factory=dict)

    def commit(self, trace: Trace, module: Scope) -> dict[str, bool]:
        """Takes in what a cell did; gives the names it changed without binding them, and whether it surely did."""
        touched = trace.bound | trace.deleted
        for name in sorted(touched):
            self._rebind(name, module.slots.get(name), trace)
        changed: dict[str, bool] = {}
        for thing, certain in trace.changes.items():
            for name in _names_above(thing) - touched:
                changed[name] = certain or changed.get(name, False)
        for name, certain in sorted(changed.items()):
            function = is_function(module.slots[name].value)
            self.versions[name].append(Version(trace.cell, bound=False, certain=certain, function=function))
        self._measure(trace)
        return changed

    def _measure(self, trace: Trace) -> None:
        for name in sorted(trace.bound & self._current.keys()):
            reach = Reach(trace.cell, self._current[name])
            reach.add(self._current[name], trace.cell)
            self.reaches.setdefault(name, []).append(reach)
        for holder, fresh in trace.linked.items():
            for name in _names_above(holder) - trace.bound:
                self.reaches[name][-1].add(fresh, trace.cell)

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
                certain=slot.certain,
                partial=slot.partial,
                function=is_function(slot.value),
                code=slot.code,
                definitions=slot.definitions,
            )
        )

    def bind_late(self, name: str, cell: int, value: Value) -> None:
        """Takes in that an earlier cell may have bound a name that nothing else binds."""
        self.versions.setdefault(name, []).append(Version(cell, bound=True, certain=False))
        self._current[name] = value
        for thing in value:
            thing.names.add(name)
        reach = Reach(cell)
        reach.add(value, cell)
        self.reaches.setdefault(name, []).append(reach)

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

    def reach(self, name: str, cell: int) -> Reach | None:
        """What a name reaches when a cell begins."""
        reaches = self.reaches.get(name, [])
        place = bisect_left(reaches, cell, key=lambda one: one.cell)
        return reaches[place - 1] if place else None


def _names_above(thing: Obj) -> set[str]:
    return set().union(*(above.names for above in holders(thing)))


def is_function(value: Value) -> bool:
    """Whether a value is a function or class of the notebook."""
    return bool(value) and all(isinstance(thing, (Function, Klass)) for thing in value)
