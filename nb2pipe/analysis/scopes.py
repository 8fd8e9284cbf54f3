"""Scopes while code is followed: what each name holds, and how branches join."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.analysis.heap import NOTHING, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.analysis.heap import Klass, Obj
    from nb2pipe.analysis.names import Block


class Slot(NamedTuple):
    """What a name holds.

    Attributes:
        value: The objects.
        cell: The cell that bound it.
        partial: Some paths of that cell leave it as it was before.
        definitions: Indices of the definitions that bound it; empty for a variable.
        code: A statement that is no definition bound it.
        certain: It was surely bound, rather than perhaps, by code whose effect cannot be told.
    """

    value: Value
    cell: int
    partial: bool = False
    definitions: frozenset[int] = frozenset()
    code: bool = True
    certain: bool = True


class ScopeKind(StrEnum):
    """The kinds of scopes."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"


Branch = dict[tuple["Scope", str], Slot | None]
"""The names that a branch bound, and what they hold at its end."""


@dataclass(slots=True, kw_only=True)
class Jumps:
    """What names hold where a loop or a function is left before its end.

    Attributes:
        nones: Names that hold None, as far as the text tells.
        level: The branches that were open when it began.
        out: At each `break` or `return`.
        on: At each `continue`.
    """

    level: int
    out: list[Branch] = field(default_factory=list)
    on: list[Branch] = field(default_factory=list)


@dataclass(eq=False, slots=True, kw_only=True)
class Scope:
    """A scope while code is followed.

    Attributes:
        block: What the text says of its names; None for a module.
        closure: Stands for the cells that inner functions share, and is changed when one of them binds a name here.
        returns: What the function returns or yields.
        owner: The class of a method, for `super()`.
        receiver: The first argument of a method.
        level: The branches that were open when it was made: older ones know nothing of it.
        widened: A recursive call handed over something new.
        loops: The loops that are being followed, the innermost last.
        exits: Where the function is left.
    """

    kind: ScopeKind
    parent: Scope | None = None
    block: Block | None = None
    slots: dict[str, Slot] = field(default_factory=dict)
    closure: Obj | None = None
    returns: set[Obj] = field(default_factory=set)
    owner: Klass | None = None
    receiver: Value = NOTHING
    nones: set[str] = field(default_factory=set)
    level: int = 0
    widened: bool = False
    loops: list[Jumps] = field(default_factory=list)
    exits: Jumps | None = None

    def jumps(self) -> list[Branch]:
        """What names hold at each jump that was seen so far."""
        exits = [self.exits] if self.exits is not None else []
        return [branch for jumps in (*exits, *self.loops) for branch in (*jumps.out, *jumps.on)]


@dataclass(slots=True)
class Watch:
    """All that names hold in turn while something is followed that may end at any place.

    Attributes:
        level: The branches that were open when it began.
        slots: What was bound in turn; None where the name was deleted.
    """

    level: int
    slots: dict[tuple[Scope, str], list[Slot | None]] = field(default_factory=dict)

    def interrupted(self, cell: int) -> Branch:
        """What each name may hold where it ended before its end, beside what it held before."""
        return {key: joined(slots, cell) for key, slots in self.slots.items()}


class Journal:
    """Remembers what branches bind, so that they can be undone and joined."""

    def __init__(self) -> None:
        self._open: list[Branch] = []
        self._watches: list[Watch] = []

    @property
    def level(self) -> int:
        """The number of branches that are open."""
        return len(self._open)

    def put(self, scope: Scope, name: str, slot: Slot | None) -> None:
        """Binds a name, or unbinds it."""
        if len(self._open) > scope.level:
            self._open[-1].setdefault((scope, name), scope.slots.get(name))
        for watch in self._watches:
            if scope.level <= watch.level:
                watch.slots.setdefault((scope, name), []).append(slot)
        if slot is None:
            scope.slots.pop(name, None)
        else:
            scope.slots[name] = slot

    def fork(self) -> None:
        """Begins a branch."""
        self._open.append({})

    def leave(self) -> Branch:
        """Ends the branch that began last: all is as it was before."""
        before = self._open.pop()
        branch = {(scope, name): scope.slots.get(name) for scope, name in before}
        for (scope, name), slot in before.items():
            if slot is None:
                scope.slots.pop(name, None)
            else:
                scope.slots[name] = slot
        return branch

    def since(self, level: int) -> Branch:
        """What the names hold now that were bound in the branches begun since so many were open."""
        keys = dict.fromkeys(key for branch in self._open[level:] for key in branch)
        return {(scope, name): scope.slots.get(name) for scope, name in keys}

    def watch(self) -> Watch:
        """Begins to note all that names hold in turn."""
        self._watches.append(Watch(len(self._open)))
        return self._watches[-1]

    def unwatch(self) -> None:
        """Ends what `watch` began last."""
        self._watches.pop()

    def join(self, branches: Sequence[Mapping[tuple[Scope, str], Slot | None]], cell: int) -> None:
        """Goes on after branches of which one is taken; an empty one stands for none of them."""
        keys = dict.fromkeys(key for branch in branches for key in branch)
        for scope, name in keys:
            now = scope.slots.get(name)
            ends = [branch.get((scope, name), now) for branch in branches]
            self.put(scope, name, joined(ends, cell))


def joined(ends: Sequence[Slot | None], cell: int) -> Slot | None:
    """What a name holds where one of several ways was taken."""
    slots = [slot for slot in ends if slot is not None]
    if not slots:
        return None
    if len(slots) == len(ends) == 1:
        return slots[0]
    return Slot(
        value=frozenset().union(*(slot.value for slot in slots)),
        cell=max(slot.cell for slot in slots),
        partial=len(slots) < len(ends) or any(slot.partial or slot.cell != cell for slot in slots),
        definitions=frozenset().union(*(slot.definitions for slot in slots)),
        code=any(slot.code for slot in slots),
        certain=all(slot.certain for slot in slots if slot.cell == cell),
    )
