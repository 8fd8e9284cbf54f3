"""Rows of numbers in a file that grows by packed blocks, one column after the other in each.

A block is memory that the operating system shares with the file: a row is there as soon as it is added, also where the
process is killed right after, and adding one costs no call of the system. `Rows` is for the process that writes,
`read` for any other, also while rows are added.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_MAGIC = b"nb2pipe rows 1\n"
_PAGE = 1 << 14
"""What the places of blocks are multiples of: the largest page that is common."""
_SIZES = (256, 1024, 4096, 16384)
"""Rows of the first blocks; all that follow have the last one."""
_NUMBER = 8
"""Bytes of a number."""


Cells: TypeAlias = "memoryview[float]"
"""A column of a block."""


class Rows:
    """A file that rows are added to.

    Args:
        path: The file, which must not be there yet.
        columns: The names of the columns.
        facts: What else is to be known of the rows, as JSON.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path, columns: Sequence[str], facts: Mapping[str, object]) -> None:
        self._path = path
        self._width = len(columns)
        self._sizes = _sizes()
        self._size = self._place = 0
        self._end = _PAGE
        head = json.dumps({"order": sys.byteorder, "columns": list(columns), "facts": dict(facts)}).encode()
        data = _MAGIC + head + b"\n"
        if len(data) > _PAGE - _NUMBER:
            message = f"{len(data)} bytes do not fit into the head of {path}"
            raise OSError(message)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(data.ljust(_PAGE, b"\0"))
        self._count = self._shared(0, _PAGE)[_PAGE - _NUMBER :].cast("Q")
        self.cells: tuple[Cells, ...] = ()

    def add(self, values: tuple[float, ...]) -> int:
        """Adds a row.

        Args:
            values: A number for each column.

        Returns:
            Its place in `cells`, which are the columns of the last block, and may be set later too.

        Raises:
            OSError: There is no more space.
        """
        place = self._place
        if place == self._size:
            self._grow()
            place = 0
        for cells, value in zip(self.cells, values):  # noqa: B905  # it is called in loops, and the count is known
            cells[place] = value
        self._place = place + 1
        self._count[0] += 1
        return place

    def _grow(self) -> None:
        size = next(self._sizes)
        length = _length(size, self._width)
        _reserve(self._path, self._end, length)
        block = self._shared(self._end, length)
        bounds = [column * size * _NUMBER for column in range(self._width + 1)]
        self.cells = tuple(block[begin:end].cast("d") for begin, end in pairwise(bounds))
        self._end += length
        self._size, self._place = size, 0

    def _shared(self, begin: int, length: int) -> memoryview:
        with self._path.open("r+b", buffering=0) as stream:
            return memoryview(mmap.mmap(stream.fileno(), length, offset=begin))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a file of rows holds.

    Attributes:
        columns: The numbers by the name of their column.
        facts: What else is known of the rows.
        count: The number of rows.
    """

    columns: Mapping[str, array[float]]
    facts: Mapping[str, Any]
    count: int


def read(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The rows of a file.

    Args:
        path: The file.
        wanted: The columns that are read; all of them by default.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no file of rows.
    """
    with path.open("rb") as stream:
        head = stream.read(_PAGE)
        if len(head) < _PAGE or not head.startswith(_MAGIC):
            message = "it is no file of rows"
            raise ValueError(message)
        told = json.loads(head[len(_MAGIC) : head.index(b"\n", len(_MAGIC))])
        names: list[str] = told["columns"]
        (count,) = struct.unpack("<Q" if told["order"] == "little" else ">Q", head[-_NUMBER:])
        columns = {name: array("d") for name in names if wanted is None or name in wanted}
        missing, begin = count, _PAGE
        for size in _sizes():
            used = min(missing, size)
            if not used:
                break
            for position, name in enumerate(names):
                if name in columns:
                    stream.seek(begin + position * size * _NUMBER)
                    _extend(columns[name], stream.read(used * _NUMBER), used)
            missing -= used
            begin += _length(size, len(names))
    if told["order"] != sys.byteorder:
        for column in columns.values():
            column.byteswap()
    return Table(columns=columns, facts=told["facts"], count=count)


def _extend(column: array[float], data: bytes, rows: int) -> None:
    if len(data) != rows * _NUMBER:
        message = "it ends within its rows"
        raise ValueError(message)
    column.frombytes(data)


def _sizes() -> Iterator[int]:
    yield from _SIZES
    while True:
        yield _SIZES[-1]


def _length(rows: int, width: int) -> int:
    """Bytes of a block, whole pages."""
    return -(-rows * width * _NUMBER // _PAGE) * _PAGE


def _reserve(path: Path, begin: int, length: int) -> None:
    """Makes a file longer; the disk has the space then, so that nothing fails once it is shared memory."""
    with path.open("r+b", buffering=0) as stream:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(stream.fileno(), begin, length)
        else:
            stream.seek(begin)
            stream.write(bytes(length))
