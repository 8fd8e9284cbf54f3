"""NumPy: arrays as views of memory, so that what is shared stays shared."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from nb2pipe.serializers.protocol import by_protocol
from nb2pipe.serializers.shapes import Extent, Made, Offset, Refused, Through

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

Array = Any
"""A `numpy.ndarray`; NumPy's own types are not known where it is not installed."""

_MASKED = ("_sharedmask", "_hardmask", "_fill_value")

Layout = tuple[tuple[int, ...], tuple[int, ...], bool, bool]
"""Shape, strides, whether it can be written, and whether its memory is its own."""


def rule(kind: type) -> Rule | None:
    """The rule for a type of NumPy's, or one that derives from it."""
    import numpy as np  # it is there, since the type is

    if issubclass(kind, np.ma.MaskedArray):
        return _masked
    if issubclass(kind, np.ndarray):
        own = kind.__reduce__ is np.ndarray.__reduce__ or issubclass(kind, np.memmap)
        return _array if own else None
    if issubclass(kind, np.dtype):
        return _dtype
    if issubclass(kind, np.finfo):
        return _limits
    if issubclass(kind, np.generic | np.ufunc):
        return _immutable
    return None


def _immutable(value: object, context: Context) -> Shape:
    shape = by_protocol(value, context)
    if isinstance(shape, Made):
        shape.ties = False
    return shape


def _limits(value: object, _context: Context) -> Shape:
    limits: Array = value
    return Made(type(limits), (limits.dtype,), ties=False)


def _dtype(value: object, context: Context) -> Shape:
    """NumPy has one object for each plain type, and others that are equal to it."""
    import numpy as np

    dtype: Array = value
    if dtype.isbuiltin == 1 and dtype.metadata is None:
        plain = np.dtype(dtype.str)
        return Through(plain) if plain is not dtype else Made(np.dtype, (dtype.str,), ties=False)
    return _immutable(value, context)


def _array(value: object, context: Context) -> Shape:
    import numpy as np  # as above

    array: Array = value
    if isinstance(array.base, np.memmap) and not array.dtype.hasobject:
        return _part_of_file(array)
    if isinstance(array, np.memmap):
        return _mapped_file(array)
    if array.dtype.hasobject:
        return _of_objects(array)
    return of_memory(array, private=id(array) in context.private)


def of_memory(array: Array, *, private: bool = False) -> Made:
    """The shape of an array of numbers, or of anything else that lies in its memory."""
    extent = _extent(array, private=private)
    place = (None, 0) if extent is None else (extent, Offset(extent, _address(array) - extent.start))
    kind, attributes = _subclass(array)
    layout = (array.shape, array.strides, array.flags.writeable, private or _owns(array))
    args = (*place, array.dtype, layout, kind)
    return Made(
        make_array,
        args,
        state=attributes,
        setter=set_array,
        identity=lambda: (
            "array",
            *place,
            array.dtype,
            array.shape,
            significant(array.shape, array.strides),
            array.flags.writeable,
            kind,
            attributes,
            content(array),
        ),
    )


def _extent(array: Array, *, private: bool) -> Extent | None:
    """The memory between an array's first and last byte; None where it has no element."""
    import numpy as np  # as above
    from numpy.lib.array_utils import byte_bounds

    if not array.size or not array.itemsize:
        return None
    first, last = byte_bounds(array)
    fetch = (lambda: _without_gaps(array)) if _has_gaps(array.dtype) and array.flags.c_contiguous else None
    whole = _owns(array) and type(array) is np.ndarray and array.flags.c_contiguous and array.flags.writeable
    return Extent(first, last - first, array, private=private, whole=whole and not private, fetch=fetch)


def _owns(array: Array) -> bool:
    """Whether an array's memory is its own; that of one that was loaded is mapped."""
    return bool(array.flags.owndata) or type(array.base).__name__ == "mmap"


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def _subclass(array: Array) -> tuple[type | None, dict[str, object] | None]:
    import numpy as np  # as above

    kind = type(array)
    if kind is np.ndarray:
        return None, None
    return kind, dict(vars(array)) if hasattr(array, "__dict__") and vars(array) else None


def make_array(buffer: Any, offset: int, dtype: Array, layout: Layout, kind: type | None) -> Array:
    """An array on memory; one that has its memory for itself owns it, if that is small."""
    import numpy as np  # as above

    shape, strides, writeable, owns = layout
    if buffer is None:
        made = np.empty(shape, dtype)
    elif isinstance(buffer, bytes) and owns:
        made = _owning(buffer, offset, dtype, shape, strides)
    elif isinstance(buffer, bytes):
        made = np.ndarray(shape, dtype, _base(buffer, dtype), offset, strides)
    else:
        made = np.ndarray(shape, dtype, buffer, offset, strides)
    if kind is not None:
        made = made.view(kind)
    if not writeable:
        made.flags.writeable = False
    return made


def _owning(buffer: bytes, offset: int, dtype: Array, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    import numpy as np  # as above

    view = np.ndarray(shape, dtype, buffer, offset, strides)
    copied = view.copy(order="K")
    if significant(shape, copied.strides) == significant(shape, strides):
        return copied
    return np.ndarray(shape, dtype, bytearray(buffer), offset, strides)


def _base(buffer: bytes, dtype: Array) -> Array:
    """The array that a view's memory belongs to, if nobody else looks at it."""
    import numpy as np  # as above

    fits = dtype.itemsize and len(buffer) % dtype.itemsize == 0
    return np.frombuffer(buffer, dtype if fits else np.uint8).copy()


def set_array(array: Array, attributes: dict[str, object] | None) -> None:
    """Gives an array of a subclass its attributes."""
    if attributes:
        array.__dict__.update(attributes)


# What an array holds, for digests


def significant(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """The strides that say something: those of axes with more than one element.

    >>> significant((1, 3), (999, 8))
    (0, 8)
    """
    if 0 in shape:
        return ()
    return tuple(stride if size > 1 else 0 for size, stride in zip(shape, strides, strict=True))


def content(array: Array) -> bytes:
    """The SHA-256 of an array's elements in C order, bit by bit, without what lies between them."""
    import hashlib  # noqa: PLC0415 # only digests want it

    import numpy as np  # as above

    if not array.size or not array.itemsize:
        return b""
    if _has_gaps(array.dtype):
        return hashlib.sha256(_without_gaps(array)).digest()
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return hashlib.sha256(flat.data).digest()


def _has_gaps(dtype: Array) -> bool:
    """Whether elements have bytes that belong to nobody."""
    if dtype.char in "gG":
        return True
    if dtype.subdtype is not None:
        return _has_gaps(dtype.subdtype[0])
    if dtype.fields is None:
        return False
    parts = [field[0] for field in dtype.fields.values()]
    return sum(part.itemsize for part in parts) != dtype.itemsize or any(_has_gaps(part) for part in parts)


def _without_gaps(array: Array) -> bytes:
    """An array's bytes in C order, with zeros where nothing is."""
    import numpy as np  # as above

    clean = np.zeros(array.shape, array.dtype)
    _copy_fields(np.asarray(array), clean)
    return cast("bytes", clean.tobytes())


def _copy_fields(source: Array, target: Array) -> None:
    import numpy as np  # as above

    if source.dtype.fields is not None:
        for name in source.dtype.names:
            _copy_fields(source[name], target[name])
    elif source.dtype.char in "gG" and sys.byteorder == "little":
        used = np.finfo(source.dtype).nmant // 8 + 3
        wide = np.ascontiguousarray(source)[..., None].view(np.uint8).copy()
        single = wide.reshape(*wide.shape[:-1], -1, np.dtype("g").itemsize)
        single[..., used:] = 0
        target[...] = single.reshape(wide.shape).view(source.dtype)[..., 0]
    else:
        target[...] = source


# Arrays of objects


def _of_objects(array: Array) -> Shape:
    owner = _owner(array)
    if owner is None:
        return Refused("it is a view of an array of objects in foreign memory", "pass `.copy()` on")
    kind, attributes = _subclass(array)
    if owner is not array:
        layout = (array.shape, array.strides, array.flags.writeable, False)
        args = (owner, _address(array) - _address(owner), array.dtype, layout, kind)
        return Made(make_view_of_objects, args, state=attributes, setter=set_array)
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    elements = array.ravel(order=order).tolist()
    made = Made(make_array_of_objects, (array.shape, array.dtype, (order, array.flags.writeable), kind))
    made.state, made.setter = (tuple(elements), attributes), set_objects
    return made


def _owner(array: Array) -> Array | None:
    """The array that owns the memory; `as_strided` puts an object of its own between."""
    import numpy as np

    owner = array
    while owner.base is not None:
        base = owner.base
        owner = base.base if type(base).__name__ == "DummyArray" else base
        if not isinstance(owner, np.ndarray):
            return None
    return owner


def make_array_of_objects(shape: tuple[int, ...], dtype: Array, layout: tuple[str, bool], kind: type | None) -> Array:
    """An array of objects that are still to come."""
    import numpy as np  # as above

    order, writeable = layout
    made = np.empty(shape, dtype, order=cast("Any", order))
    if kind is not None:
        made = made.view(kind)
    if not writeable:
        made.flags.writeable = False
    return made


def set_objects(array: Array, state: tuple[tuple[object, ...], dict[str, object] | None]) -> None:
    """Puts the objects in."""
    import numpy as np  # as above

    elements, attributes = state
    writeable = array.flags.writeable
    array.flags.writeable = True
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    flat = np.empty(len(elements), array.dtype)
    for place, element in enumerate(elements):
        flat[place] = element
    array[...] = flat.reshape(array.shape, order=cast("Any", order))
    array.flags.writeable = writeable
    set_array(array, attributes)


def make_view_of_objects(owner: Array, offset: int, dtype: Array, layout: Layout, kind: type | None) -> Array:
    """A view of an array of objects."""
    import numpy as np  # as above

    shape, strides, writeable, _ = layout
    flat = np.asarray(owner).ravel(order="K")
    start = flat[offset // flat.itemsize :] if offset < flat.nbytes else flat[:0]
    made = np.lib.stride_tricks.as_strided(start, shape, strides, writeable=writeable)
    if made.dtype != dtype:
        made = made.view(dtype)
    return made if kind is None else made.view(kind)


# Masked arrays


def _masked(value: object, context: Context) -> Shape:
    import numpy as np

    array: Array = value
    if array is np.ma.masked:
        return by_protocol(value, context)
    mask = None if array.mask is np.ma.nomask else array.mask
    attributes = {name: vars(array)[name] for name in _MASKED}
    if _is_default(attributes["_fill_value"], array.dtype):
        attributes["_fill_value"] = None  # who reads it fills it in
    return Made(make_masked, (type(array), array.view(np.ndarray), mask, attributes))


def _is_default(fill: Array, dtype: Array) -> bool:
    import numpy as np

    return fill is not None and fill.tobytes() == np.asarray(np.ma.default_fill_value(dtype), dtype).tobytes()


def make_masked(kind: type, data: Array, mask: Array | None, attributes: dict[str, object]) -> Array:
    """A masked array on the memory of its data and its mask."""
    import numpy as np

    made: Array = data.view(kind)
    made.__dict__.update(attributes, _mask=np.ma.nomask if mask is None else mask)
    return made


# Files in memory


def _mapped_file(array: Array) -> Shape:
    import mmap  # noqa: PLC0415 # only these arrays want it

    if not isinstance(array.base, mmap.mmap) or array.filename is None:
        return Refused("it is a mapped file that has no name", "pass `numpy.array(...)` of it on")
    if array.mode in ("r+", "w+"):
        array.flush()
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    mode = "r+" if array.mode == "w+" else array.mode
    args = (str(array.filename), array.dtype, mode, array.offset, array.shape, order)
    return Made(make_mapped_file, args, identity=lambda: ("memmap", *args, content(array)))


def _part_of_file(array: Array) -> Shape:
    kind, _ = _subclass(array)
    layout = (array.shape, array.strides, array.flags.writeable, False)
    args = (array.base, _address(array) - _address(array.base), array.dtype, layout, kind)
    return Made(make_array, args, identity=lambda: ("part of a memmap", *args, content(array)))


def make_mapped_file(  # what a mapped file is made of
    path: str, dtype: Array, mode: str, offset: int, shape: tuple[int, ...], order: str
) -> Array:
    """A mapped file, mapped again."""
    import numpy as np  # as above

    return np.memmap(path, dtype, cast("Any", mode), offset, shape, cast("Any", order))
