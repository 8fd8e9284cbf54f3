"""Writes a graph as one pickle: the opcodes themselves, without recursion, so that depth does not matter.

The order is pickle's own, so that any unpickler that knows our references reads it. Equal graphs give equal bytes:
texts are shared by value, and nothing depends on addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.graph import one_by_one
from nb2pipe.serializers.opcodes import TUPLES, Stream
from nb2pipe.serializers.shapes import (
    ATOMS,
    LEAF_SIZE,
    NOTHING,
    Extent,
    Items,
    Made,
    Named,
    Namespace,
    Nothing,
    Offset,
    Pairs,
    Raw,
    Shape,
    Through,
    is_plain,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.digest import Digest
    from nb2pipe.serializers.graph import Graph

_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_SHORT_LIST: Final = 16
_DEEPEST_SELF: Final = 8


class SelfMadeError(Exception):
    """An object is among the arguments that make it."""


class _Values:
    """Values that are still to be written."""

    __slots__ = ("rest",)

    def __init__(self, values: Iterable[object]) -> None:
        self.rest: Iterator[object] = iter(values)


_Task = _Values | bytes | Callable[[], object]


class Encoder:
    """Writes one group of a graph.

    Args:
        graph: The graph.
        put: Keeps large memory apart, and gives its digest.

    Attributes:
        needs: What the functions in it read as globals.
    """

    def __init__(self, graph: Graph, put: Callable[[bytes | bytearray | memoryview], Digest]) -> None:
        stream = Stream(put)
        self.needs: dict[str, object] = {}
        self._graph = graph
        self._stream = stream
        self._work: list[_Task] = []
        self._started: dict[int, int] = {}
        self._unfinished: set[int] = set()
        self._late: list[tuple[object, list[object], bytes]] = []
        self._writers: dict[type, Callable[[Any], None]] = {
            type(None): stream.none,
            bool: stream.truth,
            int: stream.integer,
            float: self._float,
            str: stream.text,
            bytes: stream.data,
            complex: stream.complex,
            type(...): lambda _: stream.named(Named("builtins", "Ellipsis")),
            type(NotImplemented): lambda _: stream.named(Named("builtins", "NotImplemented")),
            Offset: self._offset,
            Namespace: lambda _: stream.reference("namespace"),
            Nothing: lambda _: stream.none(None),
        }

    @property
    def leaves(self) -> tuple[Digest, ...]:
        """What lies apart, in the order of its first use."""
        return tuple(self._stream.leaves)

    def encode(self, values: Mapping[str, object]) -> bytes:
        """The pickle of some variables; a dictionary by name.

        Raises:
            SelfMadeError: An object cannot be made without itself.
        """
        self._push([b"}(", *(task for pair in values.items() for task in self._variable(*pair)), b"u"])
        self._write()
        while self._late:
            value, parts, end = self._late.pop(0)
            self._stream.again(id(value))
            self._push([b"(", _Values(parts), end, b"0"])
            self._write()
        return bytes(self._stream.out + b".")

    def _variable(self, name: str, value: object) -> Iterator[_Task]:
        """A name and its value; an immutable one that two names have is written once."""
        yield _Values((name,))
        if one_by_one(value) and is_plain(value):
            yield lambda: self._once(value)
        else:
            yield _Values((value,))

    def _once(self, value: object) -> None:
        key = ("variable", id(value))
        if not self._stream.again(key):
            self._push([_Values((value,)), lambda: self._stream.remember(key)])

    def _write(self) -> None:
        work, out = self._work, self._stream.out
        while work:
            task = work[-1]
            if isinstance(task, _Values):
                self._go_on(task)
                continue
            work.pop()
            if isinstance(task, bytes):
                out += task
            else:
                task()

    def _push(self, tasks: Sequence[_Task]) -> None:
        self._work.extend(reversed(tasks))

    def _go_on(self, values: _Values) -> None:
        """Writes values until one has parts of its own; those come first then."""
        writers, memo = self._writers, self._stream.memo
        for value in values.rest:
            writer = writers.get(type(value))
            if writer is not None:
                writer(value)
            elif is_plain(value):
                self._plain_tuple(cast("tuple[object, ...]", value))
            else:
                looked_at = self._anchor(value) if type(value) is Extent else value
                if looked_at is None:
                    self._extent(cast("Extent", value))
                elif id(looked_at) in memo:
                    self._stream.again(id(looked_at))
                else:
                    self._open(looked_at, self._graph.shape(looked_at))
                    return
        self._work.pop()

    def _plain_tuple(self, items: tuple[object, ...]) -> None:
        out = self._stream.out
        if len(items) >= len(TUPLES):
            out += b"("
        for item in items:
            self._writers[type(item)](item)
        out += TUPLES[len(items)] if len(items) < len(TUPLES) else b"t"

    def _open(self, value: object, shape: Shape) -> None:
        """Writes the beginning of an object, and leaves its parts as work."""
        match shape:
            case Made():
                self._made(value, shape)
            case Items(kind=kind, items=items):
                self._items(value, kind, items)
            case Pairs(pairs=pairs):
                self._stream.out += b"}"
                self._stream.remember(id(value))
                self._hashed(value, pairs, [part for pair in pairs.items() for part in pair], b"u")
            case Named():
                self._stream.named(shape)
            case Through(value=inner):
                self._push([_Values((inner,))])
            case Raw():
                self._raw(value, shape)
            case _:
                raise SelfMadeError(type(value).__name__)

    # Containers

    def _push_between(self, begin: bytes, values: Sequence[object], end: bytes) -> None:
        if values:
            self._push([begin, _Values(values), end])

    def _items(self, value: object, kind: type, items: Sequence[object]) -> None:
        if kind is list:
            self._list(value, items)
        elif kind is set:
            self._stream.out += b"\x8f"
            self._stream.remember(id(value))
            self._hashed(value, items, items, b"\x90")
        else:
            self._start(value)
            many = kind is frozenset or len(items) >= len(TUPLES)
            end = b"\x91" if kind is frozenset else b"t" if many else TUPLES[len(items)]
            self._push([b"(" if many else b"", _Values(items), end, lambda: self._finish(value)])

    def _list(self, value: object, items: Sequence[object]) -> None:
        if len(items) >= _SHORT_LIST and _NUMBERS.issuperset(map(type, items)) and not _has_nan(items):
            self._stream.numbers(items)
            self._stream.remember(id(value))
            return
        self._stream.out += b"]"
        self._stream.remember(id(value))
        self._push_between(b"(", items, b"e")

    def _start(self, value: object) -> None:
        self._started[id(value)] = self._started.get(id(value), 0) + 1
        if self._started[id(value)] > _DEEPEST_SELF:
            raise SelfMadeError(type(value).__name__)

    def _finish(self, value: object) -> bool:
        """Remembers an object; one that its own parts have led to, and so made before, is taken instead."""
        if id(value) not in self._stream.memo:
            self._stream.remember(id(value))
            return True
        self._stream.out += b"0"
        self._stream.again(id(value))
        return False

    def _hashed(self, value: object, keys: Iterable[object], parts: Sequence[object], end: bytes) -> None:
        """Fills a set or dictionary; at the very end if a key has no state yet, and so no hash."""
        if self._waits(keys):
            self._late.append((value, list(parts), end))
        else:
            self._push_between(b"(", parts, end)

    def _waits(self, keys: Iterable[object]) -> bool:
        """Whether a key, or its class, is among the objects that are being written."""
        if not self._unfinished:
            return False
        kinds: set[type] = set()
        stack = list(keys)
        while stack:
            key = stack.pop()
            kind = type(key)
            if kind in ATOMS:
                continue
            if id(key) in self._unfinished:
                return True
            if kind is tuple or kind is frozenset:
                stack.extend(cast("Iterable[object]", key))
            kinds.add(kind)
        return any(id(base) in self._unfinished for kind in kinds for base in kind.__mro__)

    # Objects

    def _made(self, value: object, shape: Made) -> None:
        self._start(value)
        self._unfinished.add(id(value))
        many = len(shape.args) >= len(TUPLES)
        end = b"tR" if many else TUPLES[len(shape.args)] + b"R"
        tasks: list[_Task] = [_Values((shape.make,)), b"(" if many else b"", _Values(shape.args), end]
        self._push([*tasks, lambda: self._fill(value, shape)])

    def _fill(self, value: object, shape: Made) -> None:
        if not self._finish(value):
            return
        tasks: list[_Task] = []
        if shape.items:
            tasks += [b"(", _Values(shape.items), b"e"]
        if shape.pairs:
            parts = [part for pair in shape.pairs for part in pair]
            if self._waits(key for key, _ in shape.pairs):
                self._late.append((value, parts, b"u"))
            else:
                tasks += [b"(", _Values(parts), b"u"]
        if shape.state is not NOTHING and shape.setter is None:
            tasks += [_Values((shape.state,)), b"b"]
        elif shape.state is not NOTHING:
            tasks += [_Values((shape.setter, value, shape.state)), b"\x86R0"]
        self._push([*tasks, lambda: self._unfinished.discard(id(value))] if tasks else [])
        if not tasks:
            self._unfinished.discard(id(value))
        self.needs.update(shape.needs)

    def _float(self, value: float) -> None:
        """A NaN is found again in a list or dictionary by its identity, so that is kept."""
        if value == value:  # noqa: PLR0124 # only NaN differs from itself
            self._stream.real(value)
            return
        single = self._graph.single(value)
        if single is not None:
            self._stream.named(single)
        elif not self._stream.again(id(value)):
            self._stream.real(value)
            self._stream.remember(id(value))

    # Memory

    def _raw(self, value: object, shape: Raw) -> None:
        data = memoryview(shape.data).cast("B")
        if shape.typecode:
            self._array(shape.typecode, bytes(data))
        elif not shape.frozen:
            self._stream.buffer(data)
        elif data.nbytes >= LEAF_SIZE:
            self._stream.apart("frozen", data)
        else:
            self._stream.data(bytes(data))
        self._stream.remember(id(value))

    def _array(self, typecode: str, data: bytes) -> None:
        self._stream.named(Named("array", "array"))
        self._stream.text(typecode)
        self._stream.data(data)
        self._stream.out += b"\x86R"

    def _anchor(self, extent: Extent) -> object | None:
        """The object whose memory is looked at; None for that object itself, and where there is none."""
        anchor = self._graph.memory.region(extent).anchor
        return None if anchor is extent.owner else anchor

    def _offset(self, offset: Offset) -> None:
        region = self._graph.memory.region(offset.extent)
        self._stream.integer(offset.extent.start - region.start + offset.plus)

    def _extent(self, extent: Extent) -> None:
        region = self._graph.memory.region(extent)
        key = ("region", id(region))
        if self._stream.again(key):
            return
        if region.size >= LEAF_SIZE:
            self._stream.apart("memory", region.data())
        elif len(region.extents) == 1 or region.anchor is not None:
            self._stream.data(bytes(region.data()))
        else:
            self._stream.reference("shared", bytes(region.data()))
        self._stream.remember(key)


def _has_nan(items: Sequence[object]) -> bool:
    return any(item != item for item in items)  # noqa: PLR0124 # only NaN differs from itself
