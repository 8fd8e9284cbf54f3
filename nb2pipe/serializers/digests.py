"""The digest of a value by a canonical walk: the same in every process, before and after a round trip.

It covers types, state, the structure of identities among mutable objects, and the content of memory bit by bit; sets
count as sets, dictionaries in their order, NaN by its bits, functions by what they do and not where they stand.
"""

from __future__ import annotations

import hashlib
import marshal
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.digest import Digest
from nb2pipe.serializers.collecting import paused
from nb2pipe.serializers.graph import Graph
from nb2pipe.serializers.labels import Labels
from nb2pipe.serializers.shapes import (
    ATOMS,
    MARKS,
    Extent,
    Items,
    Made,
    Named,
    Namespace,
    Offset,
    Pairs,
    Raw,
    Refused,
    Shape,
    Through,
    children,
    is_plain,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.serializers.graph import Node

_TAG: Final = b"nb2pipe-value-1\0"
_MARSHAL: Final = 2
_MARSHALED: Final = ATOMS - {type(NotImplemented)}
_CHUNK: Final = 1 << 16
_CONTAINERS: Final[dict[type, bytes]] = {list: b"l", tuple: b"t", set: b"s", frozenset: b"f"}


def digest(value: object, *, namespace: dict[str, object]) -> Digest:
    """The digest of a value.

    Args:
        value: Any value that can be passed on.
        namespace: The notebook's `__main__` dictionary, to which its functions and classes belong.

    Raises:
        UnstorableError: The value holds something that has no lasting state.

    >>> digest({1, 2}, namespace={}) == digest({2, 1}, namespace={})
    True
    >>> digest([1, 2], namespace={}) == digest([1, 2.0], namespace={})
    False
    """
    with paused():
        graph = Graph({"value": value}, namespace)
        graph.raise_refused()
        return Walk(graph, value).digest()


class Walk:
    """One walk over a graph.

    Mutable objects are numbered as they are met, so that the structure of identities counts. Immutable ones that hold
    nothing mutable count by what they hold: nobody can tell two equal ones from one.

    Args:
        graph: What is walked over.
        root: Where it begins.
    """

    def __init__(self, graph: Graph, root: object) -> None:
        self._graph = graph
        self._root = root
        self._labels: Mapping[int, bytes] | None = None
        self._numbers: dict[int, int] = {}
        self._pure: dict[int, bool] = {}
        self._known: dict[int, bytes] = {}
        self._hash = hashlib.sha256(_TAG)
        self._parts: list[bytes] = []
        self._size = 0

    def digest(self) -> Digest:
        """The digest of the value that the walk begins at."""
        work = [self._root]
        while work:
            current = self._graph.inner(work.pop())
            atom = self.atom(current)
            if atom is not None:
                self._write(atom)
                continue
            if id(current) in self._numbers:
                self._write(b"@%d;" % self._numbers[id(current)])
            elif self.is_pure(current):
                self._write(b"P" + self.by_content(current))
            else:
                self._number(current)
                tag, parts = self._head(self._graph.shape(current))
                self._write(tag)
                work.extend(reversed(parts))
        self._flush()
        return Digest(self._hash.hexdigest())

    def _write(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > _CHUNK:
            self._flush()

    def _flush(self) -> None:
        self._hash.update(b"".join(self._parts))
        self._parts.clear()
        self._size = 0

    def _number(self, value: object) -> int:
        return self._numbers.setdefault(id(value), len(self._numbers))

    def atom(self, value: object) -> bytes | None:
        """The bytes of what is no object of its own; None for an object."""
        kind = type(value)
        if is_plain(value):
            return _plain(value)
        if kind is Extent:
            return b"m%d;" % self._number(self._graph.memory.region(cast("Extent", value)))
        if kind is Offset:
            place = cast("Offset", value)
            return b"o%d;" % (place.extent.start - self._graph.memory.region(place.extent).start + place.plus)
        if kind in MARKS:
            return b"G" if kind is Namespace else b"-"
        return None

    def _head(self, shape: Shape) -> tuple[bytes, Sequence[object]]:
        """What a shape says itself, and the parts that follow."""
        tag, parts, unordered = head(shape)
        if not unordered:
            return (tag, parts) if not _only_atoms(parts) else (tag + _run(parts), ())
        if all(is_plain(part) for part in parts):
            return tag + b"".join(sorted(_plain(part) for part in parts)), ()
        return tag, self.in_order(parts)

    def in_order(self, elements: Sequence[object]) -> Sequence[object]:
        """The elements of a set, in an order that comes of their content."""
        return sorted(elements, key=self.set_key)

    def set_key(self, element: object) -> bytes:
        """What a set is sorted by: an element's digest as if nothing else were there, or its label."""
        inner = self._graph.inner(element)
        atom = self.atom(inner)
        if atom is not None:
            return atom
        if self._labels is None:
            labels = Labels(self._graph, self._root, head, self._label)
            self._labels = labels.settled() if labels.has_circles() else {}
        return self._labels.get(id(inner)) or self._alone(inner)

    def _label(self, atom: object) -> bytes:
        return self.atom(atom) or b""

    def _alone(self, value: object) -> bytes:
        walk = Walk(self._graph, value)
        walk._labels = self._labels
        return bytes.fromhex(walk.digest().hex)

    def is_pure(self, value: object) -> bool:
        """Whether an object and all that it holds is immutable, and none of it leads back to itself."""
        known = self._pure.get(id(value))
        if known is not None:
            return known
        above: dict[int, None] = {}
        stack: list[tuple[object, bool]] = [(value, False)]
        while stack:
            current, leaving = stack.pop()
            if leaving:
                del above[id(current)]
                self._pure[id(current)] = True
                continue
            found = self._graph.node(current)
            pure = self._pure_itself(current, found, above)
            if pure is False:
                self._pure.update(dict.fromkeys((*above, id(value)), False))
                return False
            if pure is None and found is not None:
                above[id(current)] = None
                stack.append((current, True))
                stack.extend((part, False) for part in head(found.shape)[1])
        return True

    def _pure_itself(self, value: object, node: Node | None, above: dict[int, None]) -> bool | None:
        """Whether an object is pure; None if that depends on what it holds."""
        if type(value) is Extent or id(value) in above:
            return False
        if node is None:
            return True
        known = self._pure.get(id(value))
        return known if known is not None or is_immutable(node.shape) else False

    def by_content(self, root: object) -> bytes:
        """The digest of an immutable object, from those of its parts; each object once, however often it is held."""
        stack = [] if id(root) in self._known else [root]
        while stack:
            value = stack[-1]
            tag, parts, unordered = head(self._graph.shape(value))
            parts = [self._graph.inner(part) for part in parts]
            missing = [part for part in parts if self.atom(part) is None and id(part) not in self._known]
            if missing and id(value) not in self._known:
                stack.extend(missing)
                continue
            pieces = [self.atom(part) or self._known[id(part)] for part in parts]
            self._known[id(value)] = hashlib.sha256(tag + b"".join(sorted(pieces) if unordered else pieces)).digest()
            stack.pop()
        return self._known[id(root)]


def head(shape: Shape) -> tuple[bytes, Sequence[object], bool]:
    """What a shape says itself; the parts that follow; whether their order says nothing."""
    match shape:
        case Made(identity=None):
            sizes = (len(shape.args), len(shape.items), len(shape.pairs))
            return b"O%d,%d,%d;" % sizes, list(children(shape)), False
        case Made(identity=identity) if identity is not None:
            parts = identity()
            return b"i%d;" % len(parts), parts, False
        case Items(kind=kind, items=items):
            return _CONTAINERS[kind] + b"%d;" % len(items), items, kind in (set, frozenset)
        case Pairs(pairs=pairs):
            return b"d%d;" % len(pairs), [part for pair in pairs.items() for part in pair], False
        case Raw(data=data, frozen=frozen):
            return _raw(shape, data, frozen=frozen)
        case _:
            return _rest(shape)


def _raw(shape: Raw, data: bytes | bytearray | memoryview, *, frozen: bool) -> tuple[bytes, Sequence[object], bool]:
    content = hashlib.sha256(data).digest()
    if frozen:
        return b"r" + content, (), False
    return b"R" + shape.typecode.encode() + content, () if shape.extent is None else (shape.extent,), False


def _rest(shape: Shape) -> tuple[bytes, Sequence[object], bool]:
    match shape:
        case Named(module=module, qualname=qualname):
            return b"n" + _plain(f"{module}:{qualname}"), (), False
        case Through(value=value):
            return b"", (value,), False
        case Refused(reason=reason):
            return b"!" + _plain(reason), (), False
        case _:
            raise TypeError(type(shape).__name__)


def is_immutable(shape: Shape) -> bool:
    """Whether an object of this shape cannot be changed itself."""
    match shape:
        case Items(kind=kind):
            return kind in (tuple, frozenset)
        case Made(ties=ties):
            return not ties
        case Raw(frozen=frozen):
            return frozen
        case Pairs():
            return False
        case _:
            return True


def _only_atoms(parts: Sequence[object]) -> bool:
    return bool(parts) and _MARSHALED.issuperset(map(type, parts))


def _run(parts: Sequence[object]) -> bytes:
    """Many atoms at the speed of C."""
    return b"=" + marshal.dumps(list(parts), _MARSHAL)


def _plain(value: object) -> bytes:
    if value is NotImplemented:
        return b"N!"
    if type(value) is tuple and NotImplemented in value:
        return b"N(" + b"".join(_plain(part) for part in value) + b")"
    return b"a" + marshal.dumps(cast("Any", value), _MARSHAL)
