"""What variables hold, as far as the text tells: abstract objects that hold each other.

Two names share when what they reach has a mutable object in common; a change of an object concerns every name above it.
Edges are only added, so that a branch that was not taken in truth never hides a sharing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from nb2pipe.analysis.scopes import Scope

ITEMS = "[]"
"""The field of elements whose place is not known."""

KEYS = "[keys]"
"""The field of a dictionary's keys."""

CLASS = "__class__"
"""The field of an instance's class, which is not shared as what it holds is."""

FACTORY = "factory"
"""The field of what makes the missing elements of a dictionary, or a data class's defaults."""

SOURCE = "source"
"""The field of what an iterator reads as it goes."""

CACHE = "[cache]"
"""The field of a function's remembered results."""

FACTORY = "factory"
"""The field of what makes the values that a dictionary or a field of a class does not have yet."""

REGISTERED = "[registered]"
"""The field of the functions that `singledispatch` may call instead of a function."""

STATE = "[state]"
"""The field of what functions keep: their own attributes, what was registered with them."""

_IMMUTABLE_TYPES = frozenset({"builtins.tuple", "builtins.frozenset", "builtins.slice"})


@dataclass(eq=False, slots=True)
class Obj:
    """An abstract object.

    Attributes:
        born: The cell that made it.
        fields: What it holds, by attribute name, `[0]` or `['key']` for a known place, `[]` for any place.
        holders: The objects that hold it.
        names: The notebook's variables that hold it.
        lenders: Objects that it was computed from and whose state a call on it may change or show: the parameters of
            an autograd graph, the memory that a column borrows. They are not shared as such.
    """

    born: int
    fields: dict[str, set[Obj]] = field(default_factory=dict)
    holders: set[Obj] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    lenders: set[Obj] = field(default_factory=set)

    @property
    def mutable(self) -> bool:
        """Whether it can be changed, so that sharing it matters."""
        return False


Value = frozenset[Obj]
"""The objects that an expression may stand for; empty for what is immutable and holds nothing."""

NOTHING: Value = frozenset()


@dataclass(eq=False, slots=True)
class Thing(Obj):
    """An instance.

    Attributes:
        type: The dotted name of its library type; empty where it is not known.
        klass: Its class, if that is one of the notebook.
        draws: Random generators that its use draws from (a loader that shuffles, an estimator without a seed).
        path: The file that it stands for, if that is known.
        merged: The objects that it stands for, where they were too many to be followed one by one.
        closed: The cell that surely closed it, if it is a file; 0 for none.
        parts: The types of the several new objects that it stands for until it is unpacked.
    """

    type: str = ""
    klass: Klass | None = None
    draws: frozenset[str] = frozenset()
    path: str | None = None
    parts: tuple[str, ...] = ()
    merged: frozenset[Obj] = frozenset()
    closed: int = 0

    @property
    def mutable(self) -> bool:
        """Whether it can be changed, so that sharing it matters."""
        return self.type not in _IMMUTABLE_TYPES


@dataclass(eq=False, slots=True)
class Text(Obj):
    """A string or a path whose value is known."""

    value: str = ""


@dataclass(eq=False, slots=True)
class Library(Obj):
    """A module, function or class of a library, by its dotted name."""

    path: str = ""


@dataclass(eq=False, slots=True, kw_only=True)
class Function(Obj):
    """A function of the notebook; its default values and the state that its closure keeps are fields.

    Attributes:
        node: Its code.
        scope: The scope that it was made in.
        owner: The class whose method it is.
        definition: Its index among the notebook's definitions, if it is repeated in steps.
        kind: `function`, `property`, `classmethod` or `staticmethod`.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: Klass | None = None
    definition: int | None = None
    kind: str = "function"


@dataclass(eq=False, slots=True, kw_only=True)
class Klass(Obj):
    """A class of the notebook; its attributes are fields.

    Attributes:
        annotated: The names that its body annotates, in order: a data class is made of them.
        meta: Its metaclass, if that is one of the notebook.
    """

    name: str
    bases: Value = NOTHING
    annotated: tuple[str, ...] = ()
    definition: int | None = None
    meta: Value = NOTHING

    @property
    def mutable(self) -> bool:
        """Whether it can be changed, so that sharing it matters."""
        return True


@dataclass(eq=False, slots=True, kw_only=True)
class Bound(Obj):
    """A method of the notebook with its receiver, or a library's method with its receiver."""

    receiver: Obj
    function: Function | None = None
    method: str = ""


@dataclass(eq=False, slots=True, kw_only=True)
class Partial(Obj):
    """What `functools.partial` returns."""

    function: Value
    positional: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()


@dataclass(eq=False, slots=True, kw_only=True)
class Super(Obj):
    """What `super()` returns."""

    owner: Klass
    receiver: Value


def elements(value: Value) -> Value:
    """What the objects hold as elements."""
    found: set[Obj] = set()
    for thing in value:
        for key, held in thing.fields.items():
            if key.startswith("[") and key != KEYS:
                found |= held
    return frozenset(found)


_AWAITED = frozenset({"builtins.coroutine", "_asyncio.Task"})


def awaited(value: Value) -> Value:
    """What `await` gives of some objects."""
    waiting = frozenset(thing for thing in value if isinstance(thing, Thing) and thing.type in _AWAITED)
    return (value - waiting) | elements(waiting)


def held(value: Value) -> Value:
    """What the objects hold in any field."""
    found: set[Obj] = set()
    for thing in value:
        for key, inner in thing.fields.items():
            if key != CLASS:
                found |= inner
    return frozenset(found)


def reach(roots: Iterable[Obj], *, limit: int = 5_000) -> set[Obj]:
    """All objects that can be reached from some, themselves included."""
    seen = set(roots)
    waiting = list(seen)
    while waiting and len(seen) < limit:
        for key, inner in waiting.pop().fields.items():
            if key == CLASS:
                continue
            fresh = inner - seen
            seen |= fresh
            waiting.extend(fresh)
    return seen


def holders(changed: Obj) -> set[Obj]:
    """All objects that reach one, itself included; forgets holders that nobody can reach any more."""
    seen = {changed}
    waiting = [changed]
    while waiting:
        thing = waiting.pop()
        for above in tuple(thing.holders):
            if above in seen:
                continue
            if not above.holders and not above.names:
                thing.holders.discard(above)
                continue
            seen.add(above)
            waiting.append(above)
    return seen
