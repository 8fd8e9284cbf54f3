"""Views of memory: a `memoryview` goes with the object that it looks at."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from nb2pipe.serializers.shapes import Made, Refused, Shape

_FULL_READ_ONLY: Final = 0x11C
"""`PyBUF_FULL_RO` of C: tell everything, and do not want to write."""


class _Buffer(ctypes.Structure):
    """`Py_buffer` of C."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


def address_of(value: object) -> int:
    """Where the memory of an object begins, or the part that a view looks at.

    >>> whole = bytearray(8)
    >>> address_of(memoryview(whole)[3:]) - address_of(whole)
    3
    """
    buffer = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(value), ctypes.byref(buffer), _FULL_READ_ONLY)
    try:
        return buffer.buf or 0
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))


def view_of(view: memoryview) -> Shape:
    """The shape of a view: its object, and what part of it."""
    whole = memoryview(view.obj)
    settings = (view.format, view.shape, view.strides, view.readonly)
    if settings == (whole.format, whole.shape, whole.strides, whole.readonly):
        return Made(memoryview, (view.obj,), ties=False)
    shape, strides = view.shape or (), view.strides or ()
    step = strides[0] // view.itemsize if len(strides) == 1 and view.itemsize else 1
    if not whole.c_contiguous or step < 1 or not (view.ndim == 1 or view.c_contiguous):
        return Refused("it is a view of another object's memory", "pass on the object, or `bytes(...)` of the view")
    start = address_of(view) - address_of(whole)
    size = (shape[0] - 1) * step * view.itemsize + view.itemsize if step > 1 else view.nbytes
    return Made(make_view, (view.obj, (start, size), (view.format, shape, step, view.readonly)), ties=False)


def make_view(value: Any, place: tuple[int, int], layout: tuple[str, tuple[int, ...], int, bool]) -> memoryview:
    """A view of a part of an object's memory."""
    start, size = place
    form, shape, step, readonly = layout
    flat: Any = memoryview(value).cast("B")[start : start + size]
    made: memoryview = flat.cast(form)[::step] if len(shape) == 1 else flat.cast(form, shape)
    return made.toreadonly() if readonly else made
