"""Writes a graph as one pickle: the opcodes themselves, without recursion, so that depth does not matter.

The order is pickle's own, so that any unpickler that knows our references reads it. Equal graphs give equal bytes:
strings are shared by value, and nothing depends on addresses.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import TYPE_CHECKING, Final, cast

from nb2pipe.serializers.code import provide
from nb2pipe.serializers.shapes import (
    ATOMS,
    LEAF_SIZE,
    NAMESPACE,
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
    Refused,
    Shape,
    Through,
    is_plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nb2pipe.digest import Digest
    from nb2pipe.serializers.graph import Graph

_PROTOCOL: Final = b"\x80\x05"
_CONSTANTS: Final = {None: b"N", True: b"\x88", False: b"\x89"}
_TUPLES: Final = (b")", b"\x85", b"\x86", b"\x87")
_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_SHORT_LIST: Final = 16
_DEEPEST_SELF: Final = 8
_BYTE, _WORD, _INT = 1 << 8, 1 << 16, 1 << 31


class SelfMadeError(Exception):
    """An object is among the arguments that make it."""


class Encoder:
    """Writes one group of a graph.

    Args:
        graph: The graph.
        put: Keeps large memory apart, and gives its digest.

    Attributes:
        leaves: What lies apart, in the order of its first use.
    """

    def __init__(self, graph: Graph, put: Callable[[bytes | bytearray | memoryview], Digest]) -> None:
        self.leaves: dict[Digest, None] = {}
        self._graph = graph
        self._put = put
        self._out: list[bytes] = [_PROTOCOL]
        self._memo: dict[object, int] = {}
        self._work: list[Callable[[], None] | bytes | _Value] = []
        self._started: dict[int, int] = {}

    def encode(self, values: Mapping[str, object]) -> bytes:
        """The pickle of some variables; a dictionary by name.

        Raises:
            SelfMadeError: An object cannot be made without itself.
        """
        self._out.append(b"}(")
        self._push([part for name, value in values.items() for part in (_Value(name), _Value(value))])
        work, out = self._work, self._out
        while work:
            task = work.pop()
            if type(task) is _Value:
                self._value(task.value)
            elif type(task) is bytes:
                out.append(task)
            else:
                cast("Callable[[], None]", task)()
        out.append(b"u.")
        return b"".join(out)

    def _push(self, tasks: Sequence[Callable[[], None] | bytes | _Value]) -> None:
        self._work.extend(reversed(tasks))

    # Values

    def _value(self, value: object) -> None:
        kind = type(value)
        if kind in ATOMS:
            self._atom(value)
        elif is_plain(value):
            self._tuple(cast("tuple[object, ...]", value), after=())
        elif kind in (Extent, Offset, Namespace, Nothing):
            self._mark(value)
        elif not self._get(id(value)):
            self._shape(value, self._graph.shape(value))

    def _get(self, key: object) -> bool:
        """Writes what was written before, if it was."""
        place = self._memo.get(key)
        if place is None:
            return False
        self._out.append(b"h" + bytes([place]) if place < _BYTE else b"j" + struct.pack("<I", place))
        return True

    def _memoize(self, key: object) -> None:
        self._memo[key] = len(self._memo)
        self._out.append(b"\x94")

    def _shape(self, value: object, shape: Shape) -> None:
        match shape:
            case Made():
                self._made(value, shape)
            case Items(kind=kind, items=items):
                self._items(value, kind, items)
            case Pairs(pairs=pairs):
                self._out.append(b"}")
                self._memoize(id(value))
                self._set_items(list(pairs.items()))
            case Named():
                self._named(shape)
            case Through(value=inner):
                self._value(inner)
            case Raw():
                self._raw(value, shape)
            case Refused():
                raise SelfMadeError(shape.reason)

    # Containers

    def _items(self, value: object, kind: type, items: Sequence[object]) -> None:
        if kind is list:
            self._list(value, items)
        elif kind is set:
            self._out.append(b"\x8f")
            self._memoize(id(value))
            if items:
                self._push([b"(", *map(_Value, items), b"\x90"])
        elif kind is tuple:
            self._start(value)
            self._tuple(items, after=(lambda: self._finish(value, len(items)),))
        else:
            self._start(value)
            self._push([b"(", *map(_Value, items), b"\x91", lambda: self._finish(value, 1)])

    def _list(self, value: object, items: Sequence[object]) -> None:
        if len(items) >= _SHORT_LIST and _NUMBERS.issuperset(map(type, items)) and not any(one != one for one in items):  # noqa: PLR0124 # only NaN differs from itself
            self._out.append(_fast(items))
            self._memoize(id(value))
            return
        self._out.append(b"]")
        self._memoize(id(value))
        if items:
            self._push([b"(", *map(_Value, items), b"e"])

    def _tuple(self, items: Sequence[object], after: tuple[Callable[[], None], ...]) -> None:
        if len(items) < len(_TUPLES):
            self._push([*map(_Value, items), _TUPLES[len(items)], *after])
        else:
            self._push([b"(", *map(_Value, items), b"t", *after])

    def _set_items(self, pairs: Sequence[tuple[object, object]]) -> None:
        if pairs:
            self._push([b"(", *(_Value(part) for pair in pairs for part in pair), b"u"])

    def _start(self, value: object) -> None:
        self._started[id(value)] = self._started.get(id(value), 0) + 1
        if self._started[id(value)] > _DEEPEST_SELF:
            raise SelfMadeError(type(value).__name__)

    def _finish(self, value: object, _size: int) -> None:
        """Remembers an object that its own parts may have led to, and so made, before."""
        if id(value) in self._memo:
            self._out.append(b"0")
            self._get(id(value))
        else:
            self._memoize(id(value))

    # Objects

    def _made(self, value: object, shape: Made) -> None:
        self._start(value)
        args: list[Callable[[], None] | bytes | _Value]
        if len(shape.args) < len(_TUPLES):
            args = [*map(_Value, shape.args), _TUPLES[len(shape.args)]]
        else:
            args = [b"(", *map(_Value, shape.args), b"t"]
        self._push([_Value(shape.make), *args, b"R", lambda: self._fill(value, shape)])

    def _fill(self, value: object, shape: Made) -> None:
        if id(value) in self._memo:
            self._finish(value, 1)
            return
        self._memoize(id(value))
        tasks: list[Callable[[], None] | bytes | _Value] = []
        if shape.items:
            tasks += [b"(", *map(_Value, shape.items), b"e"]
        if shape.pairs:
            tasks += [b"(", *(_Value(part) for pair in shape.pairs for part in pair), b"u"]
        if shape.state is not NOTHING and shape.setter is None:
            tasks += [_Value(shape.state), b"b"]
        elif shape.state is not NOTHING:
            tasks += [_Value(shape.setter), _Value(value), _Value(shape.state), b"\x86R0"]
        needs = {name: one for name, one in shape.needs.items() if not self._graph.reaches_refused(one)}
        if needs:
            parts = [part for name, one in needs.items() for part in (_Value(name), _Value(one))]
            tasks += [lambda: self._named(_PROVIDE), _Value(NAMESPACE), b"}(", *parts, b"u\x86R0"]
        self._push(tasks)

    def _named(self, shape: Named) -> None:
        key = (shape.module, shape.qualname)
        if not self._get(key):
            self._text(shape.module)
            self._text(shape.qualname)
            self._out.append(b"\x93")
            self._memoize(key)

    # Atoms

    def _atom(self, value: object) -> None:
        match value:
            case None | True | False:
                self._out.append(_CONSTANTS[value])
            case int():
                self._out.append(_integer(value))
            case float():
                self._float(value)
            case str():
                self._text(value)
            case bytes():
                self._bytes(value)
            case complex():
                self._named(Named("builtins", "complex"))
                self._out.append(b"G" + struct.pack(">d", value.real) + b"G" + struct.pack(">d", value.imag) + b"\x86R")
            case _:
                self._named(Named("builtins", "Ellipsis" if value is ... else "NotImplemented"))

    def _float(self, value: float) -> None:
        """A NaN is found again in a list or dictionary by its identity, so that is kept."""
        if value == value:  # noqa: PLR0124 # only NaN differs from itself
            self._out.append(b"G" + struct.pack(">d", value))
            return
        single = self._graph.single(value)
        if single is not None:
            self._named(single)
        elif not self._get(id(value)):
            self._out.append(b"G" + struct.pack(">d", value))
            self._memoize(id(value))

    def _text(self, value: str) -> None:
        if self._get(value):
            return
        data = value.encode("utf-8", "surrogatepass")
        if len(data) >= LEAF_SIZE:
            self._apart("text", data)
        elif len(data) < _BYTE:
            self._out.append(b"\x8c" + bytes([len(data)]) + data)
        else:
            self._out.append(b"X" + struct.pack("<I", len(data)) + data)
        self._memoize(value)

    def _bytes(self, value: bytes) -> None:
        if len(value) >= LEAF_SIZE:
            self._apart("bytes", value)
        elif len(value) < _BYTE:
            self._out.append(b"C" + bytes([len(value)]) + value)
        else:
            self._out.append(b"B" + struct.pack("<I", len(value)) + value)

    # Memory

    def _raw(self, value: object, shape: Raw) -> None:
        data = memoryview(shape.data).cast("B")
        if data.nbytes >= LEAF_SIZE:
            self._apart("frozen" if shape.frozen else "bytearray", data)
        elif shape.frozen:
            self._bytes(bytes(data))
        else:
            self._out.append(b"\x96" + struct.pack("<Q", data.nbytes) + bytes(data))
        self._memoize(id(value))

    def _mark(self, value: object) -> None:
        match value:
            case Namespace():
                self._reference(("namespace",))
            case Extent():
                self._extent(value)
            case Offset(extent=extent, plus=plus):
                self._atom(extent.start - self._graph.memory.region(extent).start + plus)
            case _:
                self._atom(None)

    def _extent(self, extent: Extent) -> None:
        region = self._graph.memory.region(extent)
        key = ("region", id(region))
        if self._get(key):
            return
        if region.size >= LEAF_SIZE:
            self._apart("memory", region.data())
        elif len(region.extents) == 1:
            self._bytes(bytes(region.data()))
        else:
            self._reference(("shared", bytes(region.data())))
        self._memoize(key)

    def _apart(self, kind: str, data: bytes | bytearray | memoryview) -> None:
        digest = self._put(data)
        self.leaves[digest] = None
        self._reference((kind, digest.hex, len(data)))

    def _reference(self, parts: tuple[object, ...]) -> None:
        for part in parts:
            self._atom(part)
        self._out.append(_TUPLES[len(parts)] + b"Q")


class _Value:
    """A value that is still to be written."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


_PROVIDE: Final = Named(provide.__module__, provide.__qualname__)


def _integer(value: int) -> bytes:
    if 0 <= value < _BYTE:
        return b"K" + bytes([value])
    if 0 <= value < _WORD:
        return b"M" + struct.pack("<H", value)
    if -_INT <= value < _INT:
        return b"J" + struct.pack("<i", value)
    data = pickle.encode_long(value)
    if len(data) < _BYTE:
        return b"\x8a" + bytes([len(data)]) + data
    return b"\x8b" + struct.pack("<i", len(data)) + data


def _fast(items: Sequence[object]) -> bytes:
    """The opcodes of a list of numbers, at the speed of C."""
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, 5)
    pickler.fast = True
    pickler.dump(list(items))
    return stream.getvalue()[len(_PROTOCOL) : -1]
