"""Sees loops that change parameters by hand, without an optimizer: one has changed by the next `backward`."""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

_FARTHEST = 200
"""Operations that are gone back through to find a parameter."""
_LOOKED_AT = 64
"""Bytes at the begin and the end of a parameter that are compared."""


class ByHand:
    """Looks at one parameter that each loss depends on."""

    def __init__(self) -> None:
        self._is_still: weakref.ref[Any] | None = None
        self._state: tuple[int, bytes] | None = None

    def has_stepped(self) -> bool:
        """Whether the parameter has changed since `look`."""
        parameter = self._is_still() if self._is_still is not None else None
        return parameter is not None and _state(parameter) != self._state

    def look(self, loss: Any) -> None:
        """Remembers how a parameter of a loss, or of the first of several, is now."""
        parameter = _parameter(next(iter(loss), None) if isinstance(loss, list | tuple) else loss)
        self._is_still = weakref.ref(parameter) if parameter is not None else None
        self._state = _state(parameter) if parameter is not None else None


def _parameter(loss: Any) -> Any:
    """The first tensor that gradients of a loss are kept for, if it is found."""
    function = getattr(loss, "grad_fn", None)
    left = [function] if function is not None else []
    for _ in range(_FARTHEST):
        if not left:
            return None
        function = left.pop()
        if type(function).__name__ == "AccumulateGrad":
            return function.variable
        left += [each for each, _ in reversed(function.next_functions) if each is not None]
    return None


def _state(parameter: Any) -> tuple[int, bytes]:
    """What tells whether a tensor has changed: how often torch wrote to it, and some of its memory."""
    if not parameter.is_cpu or not parameter.is_contiguous():
        return parameter._version, b""  # noqa: SLF001  # there is no other way
    begin, length = parameter.data_ptr(), parameter.numel() * parameter.element_size()
    first = ctypes.string_at(begin, min(length, _LOOKED_AT)) if begin else b""
    last = ctypes.string_at(begin + max(length - _LOOKED_AT, 0), min(length, _LOOKED_AT)) if begin else b""
    return parameter._version, first + last  # noqa: SLF001
