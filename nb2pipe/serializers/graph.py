"""The graph of what variables reach: every object reduced once, which variables tie, and what stands in the way."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from nb2pipe.serializers.memory import Memory
from nb2pipe.serializers.paths import path_of
from nb2pipe.serializers.reduce import Reducer
from nb2pipe.serializers.shapes import (
    MARKS,
    Extent,
    Items,
    Made,
    Named,
    Pairs,
    Raw,
    Refused,
    Shape,
    Through,
    UnstorableError,
    is_plain,
    objects,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


_SINGLE: Final = frozenset({type(None), bool, type(...), type(NotImplemented)})
_SMALL: Final = (-5, 256)


@dataclass(eq=False, slots=True)
class Node:
    """An object with its shape; it keeps the object alive, so that its `id` stays its own."""

    value: object
    shape: Shape


class Graph:
    """What some variables reach.

    Args:
        values: The variables, by name.
        namespace: The notebook's `__main__` dictionary.
    """

    def __init__(self, values: Mapping[str, object], namespace: dict[str, object]) -> None:
        self.values = dict(values)
        self.memory = Memory()
        self._nodes: dict[int, Node] = {}
        self._refused = False
        self._reducer = Reducer(namespace)
        with warnings.catch_warnings():  # of what libraries say when they are pickled
            warnings.simplefilter("ignore")
            for value in self.values.values():
                self._walk(value)
        self.memory.settle()

    def node(self, value: object) -> Node | None:
        """The node of a value; None for what is written where it stands."""
        return self._nodes.get(id(value))

    def shape(self, value: object) -> Shape:
        """The shape of a value that is in the graph and not plain."""
        return self._nodes[id(value)].shape

    def inner(self, value: object) -> object:
        """The value that a value stands for; itself mostly."""
        node = self._nodes.get(id(value))
        while node is not None and isinstance(node.shape, Through):
            value = node.shape.value
            node = self._nodes.get(id(value))
        return value

    def _shape_or_none(self, value: object) -> Shape | None:
        node = self._nodes.get(id(value))
        return None if node is None else node.shape

    def single(self, value: object) -> Named | None:
        """The place of an object that each process has once, such as `math.nan`."""
        return self._reducer.names.single(value)

    def raise_refused(self) -> None:
        """Stops if a variable reaches what cannot be stored.

        Raises:
            UnstorableError: For the first such variable, with the way to the culprit.
        """
        for error in self.refusals():
            raise error

    def refusals(self) -> tuple[UnstorableError, ...]:
        """For each variable that reaches what cannot be stored, why, with the way to the culprit."""
        if not self._refused:
            return ()
        found = ((name, self._find_refused(value)) for name, value in self.values.items())
        return tuple(
            UnstorableError(name, path_of(name, way, self._shape_or_none), shape.reason, shape.hint)
            for name, (way, shape) in ((name, one) for name, one in found if one is not None)
        )

    def reaches_refused(self, value: object) -> bool:
        """Whether a value holds what cannot be stored."""
        return self._refused and self._find_refused(value) is not None

    def components(self) -> tuple[tuple[str, ...], ...]:
        """The variables by whether they reach a common mutable object; sorted."""
        union = _Union(self.values)
        first: dict[int, str] = {}
        if len(self.values) == 1:
            return union.groups()
        for name, value in self.values.items():
            if one_by_one(value):
                union.join(first.setdefault(id(value), name), name)
            self._tie(name, value, first, union)
        return union.groups()

    def _tie(self, name: str, root: object, first: dict[int, str], union: _Union) -> None:
        """Joins a variable with those that reached a mutable object before it; below such an object all is known."""
        seen: set[tuple[int, bool]] = set()
        stack = [(root, False)]
        while stack:
            value, within = stack.pop()
            key = self._tie_key(value, within=within)
            if key is not None:
                other = first.setdefault(key, name)
                if other is not name:
                    union.join(other, name)
                    continue
            node = self.node(value)
            if node is None or (id(value), within) in seen or isinstance(node.shape, Through):
                continue
            seen.add((id(value), within))
            inside = within or (isinstance(node.shape, Made) and node.shape.definition)
            stack.extend([(child, inside) for child in objects(node.shape)])

    def _tie_key(self, value: object, *, within: bool) -> int | None:
        if type(value) is Extent:
            return id(self.memory.region(value))
        node = self.node(value)
        if node is None or id(value) in self._reducer.still:
            return None
        return id(value) if _ties(node.shape, within=within) else None

    def _find_refused(self, root: object) -> tuple[list[object], Refused] | None:
        before: dict[int, object] = {id(root): None}
        queue = [root]
        for value in queue:
            node = self.node(value)
            if node is None:
                continue
            if isinstance(node.shape, Refused):
                return _way(value, root, before), node.shape
            for child in objects(node.shape):
                if id(child) not in before and id(child) in self._nodes:
                    before[id(child)] = value
                    queue.append(child)
        return None

    def _walk(self, root: object) -> None:
        stack = [root]
        while stack:
            value = stack.pop()
            if type(value) is Extent:
                self.memory.add(value)
                continue
            if id(value) in self._nodes or type(value) in MARKS or is_plain(value):
                continue
            shape = self._reducer.reduce(value)
            self._nodes[id(value)] = Node(value, shape)
            self._refused = self._refused or isinstance(shape, Refused)
            below = objects(shape)
            if isinstance(shape, Made) and shape.needs:
                below.extend(shape.needs.values())
            stack.extend(reversed(below))


def _ties(shape: Shape, *, within: bool) -> bool:
    match shape:
        case Items(kind=kind):
            return kind in (list, set)
        case Pairs():
            return True
        case Raw(frozen=frozen):
            return not frozen
        case Made(ties=ties, within=also):
            return ties and (also or not within)
        case _:
            return False


def one_by_one(value: object) -> bool:
    """Whether two variables that are bound to one such immutable object are told from two that are equal by `is`.

    Python has one of each short text and small number; a text that could be a name is one again once it is loaded.
    """
    if type(value) in _SINGLE:
        return False
    if type(value) is int:
        return not _SMALL[0] <= value <= _SMALL[1]
    if type(value) in (str, bytes):
        return len(cast("str | bytes", value)) > 1 and not may_be_interned(value)
    return type(value) in (float, complex) or (type(value) in (tuple, frozenset) and bool(value))


def may_be_interned(value: object) -> bool:
    """Whether Python has one object for each text like this one that stands in code.

    >>> may_be_interned("a_name"), may_be_interned("a text")
    (True, False)
    """
    return type(value) is str and value.isascii() and value.replace("_", "a").isalnum()


def _way(value: object, root: object, before: Mapping[int, object]) -> list[object]:
    way = [value]
    while way[-1] is not root:
        way.append(before[id(way[-1])])
    return way[::-1]


class _Union:
    """Names, joined step by step."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self._parent = {name: name for name in names}

    def root(self, name: str) -> str:
        while self._parent[name] != name:
            name = self._parent[name]
        return name

    def join(self, one: str, other: str) -> None:
        one, other = sorted((self.root(one), self.root(other)))
        self._parent[other] = one

    def groups(self) -> tuple[tuple[str, ...], ...]:
        groups: dict[str, list[str]] = {}
        for name in sorted(self._parent):
            groups.setdefault(self.root(name), []).append(name)
        return tuple(sorted(tuple(names) for names in groups.values()))
