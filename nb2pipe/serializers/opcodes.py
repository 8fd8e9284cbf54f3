"""The opcodes of pickle's protocol 5 for what has no parts: atoms, names, memory."""

from __future__ import annotations

import io
import pickle
import struct
from typing import TYPE_CHECKING, Final

from nb2pipe.serializers.shapes import LEAF_SIZE, Named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nb2pipe.digest import Digest

PROTOCOL: Final = b"\x80\x05"
TUPLES: Final = (b")", b"\x85", b"\x86", b"\x87")
"""Make a tuple of the last none to three values."""

_BYTE, _WORD, _INT = 1 << 8, 1 << 16, 1 << 31
_FLOAT: Final = struct.Struct(">d")


class Stream:
    """A pickle that is being written.

    Args:
        put: Keeps large memory apart, and gives its digest.

    Attributes:
        out: The bytes so far.
        memo: The places of what was written, by text, name, or `id` of the object.
        leaves: What lies apart, in the order of its first use.
    """

    def __init__(self, put: Callable[[bytes | bytearray | memoryview], Digest]) -> None:
        self.out = bytearray(PROTOCOL)
        self.memo: dict[object, int] = {}
        self.leaves: dict[Digest, None] = {}
        self._put = put

    def again(self, key: object) -> bool:
        """Writes what was written before, if it was."""
        place = self.memo.get(key)
        if place is None:
            return False
        if place < _BYTE:
            self.out += b"h%c" % place
        else:
            self.out += b"j" + place.to_bytes(4, "little")
        return True

    def remember(self, key: object) -> None:
        """Gives the last value a place in the memo."""
        self.memo[key] = len(self.memo)
        self.out += b"\x94"

    def none(self, _value: None) -> None:
        """Writes None."""
        self.out += b"N"

    def truth(self, value: bool) -> None:  # noqa: FBT001 # it is the value
        """Writes a bool."""
        self.out += b"\x88" if value else b"\x89"

    def integer(self, value: int) -> None:
        """Writes an int of any size."""
        if 0 <= value < _BYTE:
            self.out += b"K%c" % value
        elif 0 <= value < _WORD:
            self.out += b"M" + value.to_bytes(2, "little")
        elif -_INT <= value < _INT:
            self.out += b"J" + value.to_bytes(4, "little", signed=True)
        else:
            data = pickle.encode_long(value)
            size = len(data)
            self.out += (b"\x8a%c" % size if size < _BYTE else b"\x8b" + size.to_bytes(4, "little")) + data

    def real(self, value: float) -> None:
        """Writes a float."""
        self.out += b"G" + _FLOAT.pack(value)

    def complex(self, value: complex) -> None:
        """Writes a complex number."""
        self.named(Named("builtins", "complex"))
        self.out += b"G" + _FLOAT.pack(value.real) + b"G" + _FLOAT.pack(value.imag) + b"\x86R"

    def text(self, value: str) -> None:
        """Writes a text; equal ones once."""
        if self.again(value):
            return
        data = value.encode("utf-8", "surrogatepass")
        size = len(data)
        if size >= LEAF_SIZE:
            self.apart("text", data)
        else:
            self.out += (b"\x8c%c" % size if size < _BYTE else b"X" + size.to_bytes(4, "little")) + data
        self.remember(value)

    def data(self, value: bytes) -> None:
        """Writes bytes."""
        size = len(value)
        if size >= LEAF_SIZE:
            self.apart("bytes", value)
        else:
            self.out += (b"C%c" % size if size < _BYTE else b"B" + size.to_bytes(4, "little")) + value

    def buffer(self, value: memoryview) -> None:
        """Writes a `bytearray`."""
        if value.nbytes >= LEAF_SIZE:
            self.apart("bytearray", value)
        else:
            self.out += b"\x96" + value.nbytes.to_bytes(8, "little") + value

    def named(self, named: Named) -> None:
        """Writes a reference to what a module has under a name."""
        key = (named.module, named.qualname)
        if not self.again(key):
            self.text(named.module)
            self.text(named.qualname)
            self.out += b"\x93"
            self.remember(key)

    def reference(self, kind: str, *parts: str | bytes | int) -> None:
        """Writes what the reader is asked for."""
        self.text(kind)
        for part in parts:
            if isinstance(part, str):
                self.text(part)
            elif isinstance(part, bytes):
                self.data(part)
            else:
                self.integer(part)
        self.out += TUPLES[1 + len(parts)] + b"Q"

    def apart(self, kind: str, data: bytes | bytearray | memoryview) -> None:
        """Keeps bytes apart, and writes a reference to them."""
        digest = self._put(data)
        self.leaves[digest] = None
        self.reference(kind, digest.hex, len(data))

    def numbers(self, items: Sequence[object]) -> None:
        """Writes a list of numbers, at the speed of C."""
        stream = io.BytesIO()
        pickler = pickle.Pickler(stream, 5)
        pickler.fast = True
        pickler.dump(list(items))
        self.out += stream.getbuffer()[len(PROTOCOL) : -1]
