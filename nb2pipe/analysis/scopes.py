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
    """

    value: Value
    cell: int
    partial: bool = False
    definitions: frozenset[int] = frozenset()
    code: bool = True


class ScopeKind(StrEnum):
    """The kinds of scopes."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"


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
    """

    kind: ScopeKind
    parent: Scope | None = None
    block: Block | None = None
    slots: dict[str, Slot] = field(default_factory=dict)
    closure: Obj | None = None
    returns: set[Obj] = field(default_factory=set)
    owner: Klass | None = None
    receiver: Value = NOTHING
    level: int = 0
    widened: bool = False


Branch = dict[tuple[Scope, str], Slot | None]
"""The names that a branch bound, and what they hold at its end."""


class Journal:
    """Remembers what branches bind, so that they can be undone and joined."""

    def __init__(self) -> None:
        self._open: list[Branch] = []

    @property
    def level(self) -> int:
        """The number of branches that are open."""
        return len(self._open)

    def put(self, scope: Scope, name: str, slot: Slot | None) -> None:
        """Binds a name, or unbinds it."""
        if len(self._open) > scope.level:
            self._open[-1].setdefault((scope, name), scope.slots.get(name))
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

    def join(self, branches: Sequence[Mapping[tuple[Scope, str], Slot | None]], cell: int) -> None:
        """Goes on after branches of which one is taken; an empty one stands for none of them."""
        keys = dict.fromkeys(key for branch in branches for key in branch)
        for scope, name in keys:
            now = scope.slots.get(name)
            ends = [branch.get((scope, name), now) for branch in branches]
            self.put(scope, name, _joined(ends, cell))


def _joined(ends: Sequence[Slot | None], cell: int) -> Slot | None:
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
    )
