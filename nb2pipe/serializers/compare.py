"""Where two values differ: bit by bit, NaN equal to NaN, unknown classes by state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.serializers.digests import Walk, head
from nb2pipe.serializers.graph import Graph
from nb2pipe.serializers.paths import step_of
from nb2pipe.serializers.shapes import Extent, Items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nb2pipe.serializers.shapes import Shape

_Namespaces = tuple[dict[str, object], dict[str, object]]
_Link = tuple["_Link | None", "Shape | None", object, int, object]
"""The link before, the parent's shape, the part, its place among the parts, and the other value's part there."""


@dataclass(frozen=True, slots=True)
class Met:
    """A part of two values on the way to what differs."""

    path: str
    one: object
    other: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlike:
    """The first difference of two values.

    Attributes:
        way: The parts that lead there, from the whole values on.
        shared: Where each of the two was met before with the same object; both None unless the two differ in what
            is one object.
    """

    way: tuple[Met, ...]
    shared: tuple[str | None, str | None] = (None, None)

    @property
    def path(self) -> str:
        """As Python would write it."""
        return self.way[-1].path


def same(one: object, other: object, *, namespaces: _Namespaces | None = None, name: str = "value") -> str | None:
    """The path to the first difference of two values; None where there is none.

    Args:
        one: A value.
        other: Another one.
        namespaces: The `__main__` dictionaries that the two belong to.
        name: What the path begins with.

    Raises:
        UnstorableError: A value holds something that has no lasting state.

    >>> same({"a": [1, 2]}, {"a": [1, 3]})
    'value["a"][1]'
    >>> same(float("nan"), float("nan")) is None
    True
    """
    found = first_unlike(one, other, namespaces=namespaces, name=name)
    return None if found is None else found.path


def first_unlike(
    one: object, other: object, *, namespaces: _Namespaces | None = None, name: str = "value"
) -> Unlike | None:
    """The first difference of two values, with what it is part of; arguments and errors are those of `same`.

    >>> one, other = [[1], [1]], [[1]] * 2
    >>> first_unlike(one, other).shared
    (None, 'value[0]')
    """
    first, second = namespaces or ({}, {})
    sides = _Side(one, first, name), _Side(other, second, name)
    comparison = _Comparison(*sides)
    link = comparison.run(one, other)
    if link is None:
        return None
    way = _way(name, link)
    before = [_way(name, each)[-1].path if each is not None else None for each in comparison.before(link)]
    return Unlike(way=way, shared=(before[0], before[1]))


class _Side:
    """One of the two values, and what was met in it so far."""

    def __init__(self, value: object, namespace: dict[str, object], name: str) -> None:
        self.graph = Graph({name: value}, namespace)
        self.graph.raise_refused()
        self.walk = Walk(self.graph, value)
        self.numbers: dict[int, int] = {}
        self.links: dict[int, _Link] = {}

    def key(self, value: object) -> int:
        """What an object or a place in memory is known by."""
        inner = self.graph.inner(value)
        return id(self.graph.memory.region(inner)) if type(inner) is Extent else id(inner)


class _Comparison:
    """Walks down both values side by side."""

    def __init__(self, one: _Side, other: _Side) -> None:
        self._one = one
        self._other = other

    def run(self, one: object, other: object) -> _Link | None:
        """The way to the first difference."""
        work: list[tuple[object, object, _Link]] = [(one, other, (None, None, one, 0, other))]
        while work:
            left, right, link = work.pop()
            left, right = self._one.graph.inner(left), self._other.graph.inner(right)
            atoms = self._one.walk.atom(left), self._other.walk.atom(right)
            if atoms[0] is not None or atoms[1] is not None:
                if atoms[0] != atoms[1]:
                    return link
                if type(left) is Extent and type(right) is Extent:
                    self._note(left, right, link)
                continue
            parts = self._parts(left, right)
            if parts is None:
                return link
            self._note(left, right, link)
            shape = self._one.graph.shape(left)
            pairs = list(enumerate(zip(*parts, strict=True)))
            work.extend((a, b, (link, shape, a, place, b)) for place, (a, b) in reversed(pairs))
        return None

    def _note(self, left: object, right: object, link: _Link) -> None:
        self._one.links.setdefault(self._one.key(left), link)
        self._other.links.setdefault(self._other.key(right), link)

    def before(self, link: _Link) -> tuple[_Link | None, _Link | None]:
        """Where the two objects that a way ends with were met before, if one may be told from its equals."""
        sides = (self._one, link[2]), (self._other, link[4])
        links = [side.links.get(side.key(value)) if self._is_object(side, value) else None for side, value in sides]
        return links[0], links[1]

    def _is_object(self, side: _Side, value: object) -> bool:
        inner = side.graph.inner(value)
        return type(inner) is Extent or (side.walk.atom(inner) is None and not side.walk.is_pure(inner))

    def _parts(self, left: object, right: object) -> tuple[Sequence[object], Sequence[object]] | None:
        """The parts to compare next; None where the two differ themselves."""
        known = self._one.numbers.get(id(left)), self._other.numbers.get(id(right))
        pure = self._one.walk.is_pure(left), self._other.walk.is_pure(right)
        if pure[0] and pure[1] and self._one.walk.by_content(left) == self._other.walk.by_content(right):
            return (), ()
        if not (pure[0] or pure[1]):
            if known != (None, None):
                return ((), ()) if known[0] == known[1] else None
            self._one.numbers[id(left)] = self._other.numbers[id(right)] = len(self._one.numbers)
        return self._heads(left, right)

    def _heads(self, left: object, right: object) -> tuple[Sequence[object], Sequence[object]] | None:
        tag, parts, unordered = head(self._one.graph.shape(left))
        other_tag, other_parts, _ = head(self._other.graph.shape(right))
        if tag != other_tag or len(parts) != len(other_parts):
            return None
        if not unordered:
            return parts, other_parts
        keys = sorted(self._one.walk.set_key(part) for part in parts)
        others = sorted(self._other.walk.set_key(part) for part in other_parts)
        return ((), ()) if keys == others else None


def _way(name: str, link: _Link) -> tuple[Met, ...]:
    chain: list[_Link] = []
    current: _Link | None = link
    while current is not None:
        chain.append(current)
        current = current[0]
    text, attributes = name, False
    way: list[Met] = []
    for _, shape, child, place, other in reversed(chain):
        if isinstance(shape, Items) and shape.kind in (list, tuple) and not attributes:
            text += f"[{place}]"
        elif shape is not None:
            label, attributes = step_of(shape, child, attributes=attributes)
            text += label
        way.append(Met(text, child, other))
    return tuple(way)
