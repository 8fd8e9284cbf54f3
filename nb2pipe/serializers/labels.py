"""An order for the elements of sets that lead back to themselves: by what is around each, without end.

Elements of other sets are ordered by their digests, but a digest that wants the digest of what it is part of never
ends. So each object gets a label of its own content, and again and again one of its parts' labels, until no two objects
part any more (Weisfeiler and Leman's refinement). Objects that still have one label play the same part.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from nb2pipe.serializers.shapes import MARKS, Extent, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nb2pipe.serializers.graph import Graph
    from nb2pipe.serializers.shapes import Shape

Head = tuple[bytes, "Sequence[object]", bool]
_MOST_ROUNDS = 100
_SIZE = 16


class Labels:
    """The objects below one, and their labels.

    Args:
        graph: The graph.
        root: The object.
        head: What a shape says itself, its parts, and whether their order says nothing.
        atom: The bytes of what is no object of its own.
    """

    def __init__(
        self, graph: Graph, root: object, head: Callable[[Shape], Head], atom: Callable[[object], bytes]
    ) -> None:
        self._graph = graph
        self._own: dict[int, bytes] = {}
        self._parts: dict[int, list[int | bytes]] = {}
        self._unordered: set[int] = set()
        stack = [graph.inner(root)]
        while stack:
            value = stack.pop()
            if id(value) in self._own or self._is_atom(value):
                continue
            tag, parts, unordered = head(graph.shape(value))
            inner = [graph.inner(part) for part in parts]
            self._own[id(value)] = _hash(tag, b"u" if unordered else b"o")
            self._parts[id(value)] = [_atom(part, atom) if self._is_atom(part) else id(part) for part in inner]
            if unordered:
                self._unordered.add(id(value))
            stack.extend(inner)

    def _is_atom(self, value: object) -> bool:
        return is_plain(value) or type(value) in MARKS

    def has_circles(self) -> bool:
        """Whether a set leads back to itself."""
        return bool(self._unordered) and any(
            len(part) > 1 and not self._unordered.isdisjoint(part) for part in _circles(self._parts)
        )

    def settled(self) -> Mapping[int, bytes]:
        """The labels, by `id`."""
        labels = self._own
        different = 0
        for _ in range(_MOST_ROUNDS):
            now = len(set(labels.values()))
            if now == different:
                break
            different = now
            labels = {key: self._next(key, labels) for key in labels}
        return labels

    def _next(self, key: int, labels: Mapping[int, bytes]) -> bytes:
        parts = [labels[part] if isinstance(part, int) else part for part in self._parts[key]]
        return _hash(labels[key], *(sorted(parts) if key in self._unordered else parts))


def _atom(value: object, atom: Callable[[object], bytes]) -> bytes:
    return b"memory" if type(value) is Extent else _hash(atom(value))


def _hash(*pieces: bytes) -> bytes:
    return hashlib.blake2b(b"".join(pieces), digest_size=_SIZE).digest()


def _circles(parts: Mapping[int, Sequence[int | bytes]]) -> list[list[int]]:
    """The objects, those together that lead to each other (Tarjan's components, without recursion)."""
    found: list[list[int]] = []
    low: dict[int, int] = {}
    open_: dict[int, None] = {}
    for root in parts:
        if root not in low:
            _visit(root, parts, low, open_, found)
    return found


def _visit(
    root: int,
    parts: Mapping[int, Sequence[int | bytes]],
    low: dict[int, int],
    open_: dict[int, None],
    found: list[list[int]],
) -> None:
    number: dict[int, int] = {root: len(low)}
    low[root] = len(low)
    open_[root] = None
    path = [(root, iter(parts[root]))]
    while path:
        current, rest = path[-1]
        for part in rest:
            if not isinstance(part, int):
                continue
            if part not in low:
                number[part] = low[part] = len(low)
                open_[part] = None
                path.append((part, iter(parts[part])))
                break
            if part in open_:
                low[current] = min(low[current], low[part])
        else:
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[current])
            if low[current] == number[current]:
                found.append(_closed(current, open_))


def _closed(first: int, open_: dict[int, None]) -> list[int]:
    component: list[int] = []
    while not component or component[-1] != first:
        component.append(open_.popitem()[0])
    return component
