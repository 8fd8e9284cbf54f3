"""Reads losses without a trace: on a processor out of their memory, on a device later, so that nobody waits for it.

No operation of torch is run for a tensor in ordinary memory: modes and profilers of the author's would see it. Those on
a device are copied, there, into a block of numbers. A block that is full, or old, is on its way to ordinary memory
while the loop goes on, and is read once it has arrived.
"""

from __future__ import annotations

import ctypes
import struct
import time
from typing import TYPE_CHECKING, Any

from nb2pipe.records.blocks import Cells

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH = 1024
"""Numbers of a block."""
_AGE = 0.5
"""Seconds after which a block is fetched, so that a process that is killed loses little."""

Sink = tuple[Cells, Cells, int]
"""Where a number is put that is known later: the columns of numbers and of their counts, and the place in them."""


def plain_tensor(tensor: Any) -> bool:
    """Whether it is a tensor of one real number that can be read without running code of others.

    Where it `comes_again`, or a mode is on, looking at it runs such code already.
    """
    torch = _torch()
    kind: Any = type(tensor)
    if kind is not torch.Tensor and not _is_like_tensor(kind):
        return False
    return tensor.numel() == 1 and tensor.layout is torch.strided and tensor.is_floating_point()


def _is_like_tensor(kind: Any) -> bool:
    """Whether tensors of a class have memory of their own, as those of torch's."""
    plain = _torch().Tensor
    return issubclass(kind, plain) and kind.__torch_dispatch__ is plain.__torch_dispatch__


def comes_again(tensor: Any) -> bool:
    """Whether a function that was called with it first calls code of others, which calls the function once more.

    That is so for a class that redefines torch's functions, and where a mode is on, such as a default device.
    """
    return bool(_torch()._C._has_torch_function_unary(tensor))  # noqa: SLF001  # there is no other way


def without_modes() -> Any:
    """A context in which no such mode sees it."""
    return _torch()._C.DisableTorchFunction()  # noqa: SLF001  # there is no other way


def in_memory(tensor: Any) -> float | None:
    """The number of a plain tensor in ordinary memory; None where it is of another type."""
    read = _readers().get(tensor.dtype)
    address = tensor.data_ptr() if read is not None else 0
    return read(address) if read is not None and address else None


_read_by: dict[Any, Callable[[int], float]] = {}


def _readers() -> dict[Any, Callable[[int], float]]:
    if not _read_by:
        torch = _torch()
        _read_by[torch.float32] = lambda address: ctypes.c_float.from_address(address).value
        _read_by[torch.float64] = lambda address: ctypes.c_double.from_address(address).value
        _read_by[torch.float16] = lambda address: struct.unpack("=e", ctypes.string_at(address, 2))[0]
        _read_by[torch.bfloat16] = _bfloat16
    return _read_by


def _bfloat16(address: int) -> float:
    (upper,) = struct.unpack("=H", ctypes.string_at(address, 2))
    number: float = struct.unpack("=f", struct.pack("=I", upper << 16))[0]
    return number


_known: list[Any] = []


def _torch() -> Any:
    if not _known:
        import torch  # it is there, or nobody would ask

        _known.append(torch)
    return _known[0]


class Device:
    """Numbers of one device that are on their way to ordinary memory.

    Args:
        device: The device.
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self._free: list[_Block] = []
        self._block: _Block | None = None
        self._sent: list[_Block] = []
        self._has_events = device.type == "cuda"

    def add(self, tensor: Any, weight: Any = None) -> tuple[_Block, int] | None:
        """Copies the number of a tensor; the place that it gets, or None where this cannot be done now."""
        if self.is_looked_at():
            return None
        block = self._open()
        place = block.used
        value = tensor.detach()
        block.places[place].copy_((value if weight is None else value * weight.detach()).reshape(()))
        block.used += 1
        return block, place

    def tick(self, now: float) -> None:
        """Sends a block that is full or old, and reads what has arrived; nothing is waited for."""
        if self.is_looked_at():
            return
        block = self._block
        if block is not None and (block.used == _LENGTH or (block.used and now - block.began > _AGE)):
            self._send(block)
        while self._sent and self._sent[0].has_arrived():
            self._read(self._sent.pop(0))

    def finish(self) -> None:
        """Waits for all that is on its way."""
        if self._block is not None and self._block.used:
            self._send(self._block)
        for block in self._sent:
            block.wait()
            self._read(block)
        self._sent.clear()

    def is_looked_at(self) -> bool:
        """Whether operations are counted, or captured for a graph, by the author's code."""
        torch = _torch()
        if torch._C._len_torch_dispatch_stack():  # noqa: SLF001  # there is no other way
            return True
        return self._has_events and bool(torch.cuda.is_current_stream_capturing())

    def _open(self) -> _Block:
        if self._block is not None and self._block.used == _LENGTH:
            self._send(self._block)
        if self._block is None:
            self._block = self._free.pop() if self._free else _Block(self._device, pinned=self._has_events)
            self._block.began = time.time()
        return self._block

    def _send(self, block: _Block) -> None:
        block.send()
        self._sent.append(block)
        self._block = None

    def _read(self, block: _Block) -> None:
        block.read()
        self._free.append(block)


class _Block:
    """A row of numbers on a device, and in memory that it can be copied to without anybody waiting."""

    def __init__(self, device: Any, *, pinned: bool) -> None:
        torch = _torch()
        self.dtype = torch.float32 if device.type == "mps" else torch.float64
        self._there = torch.full((_LENGTH,), float("nan"), dtype=self.dtype, device=device)
        self._here = torch.full((_LENGTH,), float("nan"), dtype=self.dtype, device="cpu")
        self._event = None
        if pinned:
            self._here = self._here.pin_memory()
            self._event = torch.cuda.Event()
        self.places = self._there.unbind()
        self.used = 0
        self.began = 0.0
        self.sinks: list[tuple[int, Sink]] = []

    def send(self) -> None:
        if self._event is not None:
            self._here.copy_(self._there, non_blocking=True)
            self._event.record()

    def has_arrived(self) -> bool:
        return self._event is not None and bool(self._event.query())

    def wait(self) -> None:
        if self._event is not None:
            self._event.synchronize()
        else:
            self._here.copy_(self._there)

    def read(self) -> None:
        """Puts the numbers where they belong, each added to what is there."""
        values = self._here.tolist()
        for place, (numbers, counts, index) in self.sinks:
            numbers[index] += values[place]
            counts[index] += 1
        self.sinks.clear()
        self.used = 0
