"""The first element in which two arrays, tensors or tables differ, bit by bit."""

from __future__ import annotations

from typing import Any

from nb2pipe.serializers.arrays import significant
from nb2pipe.verification.shown import shown_value

Found = tuple[str, str, str]
"""What follows the path, and both values there."""

Array = Any
Tensor = Any
Table = Any


def of_array(one: Array, other: Array) -> Found | None:
    """Two arrays of NumPy's; None where the difference lies in the objects that they hold, or in none of these."""
    for attribute in ("dtype", "shape"):
        pair = getattr(one, attribute), getattr(other, attribute)
        if pair[0] != pair[1]:
            return _attribute(attribute, *pair)
    if one.dtype.hasobject:
        return None  # see `unlike_element`
    place = _first_place(_bytes(one), _bytes(other)) if one.size and one.dtype.itemsize else None
    if place is not None:
        index = _index(place, one.shape)
        return _element(index, one[index], other[index])
    strides = [significant(each.shape, each.strides) for each in (one, other)]
    if strides[0] != strides[1]:
        return _attribute("strides", one.strides, other.strides)
    if one.flags.writeable != other.flags.writeable:
        return _attribute("flags.writeable", one.flags.writeable, other.flags.writeable)
    return None


def unlike_element(one: Array, other: Array) -> tuple[int, ...] | None:
    """The index of the first element of two arrays of objects whose texts differ."""
    if not one.dtype.hasobject or one.shape != other.shape:
        return None
    pairs = zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)
    place = next((place for place, (a, b) in enumerate(pairs) if shown_value(a) != shown_value(b)), None)
    return None if place is None else _index(place, one.shape)


def of_tensor(one: Tensor, other: Tensor) -> Found | None:
    """Two tensors of torch's."""
    for attribute in ("dtype", "shape", "device", "layout", "requires_grad"):
        pair = getattr(one, attribute), getattr(other, attribute)
        if pair[0] != pair[1]:
            return _attribute(attribute, *(tuple(each) if attribute == "shape" else each for each in pair))
    if str(one.layout) != "torch.strided":
        return None
    place = _first_place(_tensor_bytes(one), _tensor_bytes(other)) if one.numel() else None
    if place is not None:
        index = _index(place, tuple(one.shape))
        return _element(index, one.detach()[index].item(), other.detach()[index].item())
    if one.stride() != other.stride():
        return _attribute("stride()", one.stride(), other.stride())
    return _of_gradients(one, other)


def _of_gradients(one: Tensor, other: Tensor) -> Found | None:
    if not one.is_leaf or (one.grad is None and other.grad is None):
        return None
    if one.grad is None or other.grad is None:
        return ".grad", shown_value(one.grad), shown_value(other.grad)
    found = of_tensor(one.grad, other.grad)
    return None if found is None else (f".grad{found[0]}", *found[1:])


def of_frame(one: Table, other: Table) -> Found | None:
    """Two data frames: columns, index, types, then cells, column by column."""
    for attribute in ("columns", "index"):
        found = of_index(getattr(one, attribute), getattr(other, attribute))
        if found is not None:
            return f".{attribute}{found[0]}", *found[1:]
    for place, name in enumerate(one.columns):
        columns = one.iloc[:, place], other.iloc[:, place]
        if columns[0].dtype != columns[1].dtype:
            return f"[{name!r}].dtype", str(columns[0].dtype), str(columns[1].dtype)
        row = _first_row(*columns)
        if row is not None:
            return _cell(one, row, place, columns)
    return None


def _cell(frame: Table, row: int, place: int, columns: tuple[Table, Table]) -> Found:
    if frame.index.is_unique and frame.columns.is_unique:
        path = f".loc[{_label(frame.index[row])}, {_label(frame.columns[place])}]"
    else:
        path = f".iloc[{row}, {place}]"
    return path, *_pair(columns[0].iloc[row], columns[1].iloc[row])


def of_series(one: Table, other: Table) -> Found | None:
    """Two columns: type, index, name, then elements."""
    if one.dtype != other.dtype:
        return _attribute("dtype", one.dtype, other.dtype)
    found = of_index(one.index, other.index)
    if found is not None:
        return f".index{found[0]}", *found[1:]
    if repr(one.name) != repr(other.name):
        return _attribute("name", one.name, other.name)
    row = _first_row(one, other)
    if row is None:
        return None
    path = f".loc[{_label(one.index[row])}]" if one.index.is_unique else f".iloc[{row}]"
    return path, *_pair(one.iloc[row], other.iloc[row])


def of_index(one: Table, other: Table) -> Found | None:
    """Two indices: kind, type, length, then labels."""
    if type(one) is not type(other) or len(one) != len(other):
        return "", *(f"{shown_value(each)}, length {len(each)}" for each in (one, other))  # type: ignore[return-value]  # two
    if one.dtype != other.dtype:
        return _attribute("dtype", one.dtype, other.dtype)
    row = _first_row(one, other)
    if row is not None:
        return f"[{row}]", *_pair(one[row], other[row])
    if list(one.names) != list(other.names):
        return _attribute("names", list(one.names), list(other.names))
    return None


def _first_row(one: Table, other: Table) -> int | None:
    """The first row in which two columns or indices differ."""
    arrays = one.to_numpy(), other.to_numpy()
    if arrays[0].dtype == arrays[1].dtype and not arrays[0].dtype.hasobject:
        return _first_place(_bytes(arrays[0]), _bytes(arrays[1])) if arrays[0].size else None
    pairs = zip(arrays[0].tolist(), arrays[1].tolist(), strict=True)
    return next((row for row, (a, b) in enumerate(pairs) if type(a) is not type(b) or repr(a) != repr(b)), None)


def _bytes(array: Array) -> Array:
    """The bytes of an array, a row for each element in C order; what lies between fields is zero."""
    import numpy as np  # it is there, since the array is

    clean = np.zeros(array.shape, array.dtype)
    clean[...] = array
    flat: Array = np.ascontiguousarray(clean).reshape(-1).view(np.uint8)
    return flat.reshape(array.size, array.dtype.itemsize)


def _tensor_bytes(tensor: Tensor) -> Array:
    import torch  # it is there, since the tensor is

    flat = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).reshape(tensor.numel(), tensor.element_size()).numpy()


def _first_place(one: Array, other: Array) -> int | None:
    unlike = (one != other).any(axis=1)
    return int(unlike.argmax()) if unlike.any() else None


def _index(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of an element by its place in C order.

    >>> _index(5, (2, 3))
    (1, 2)
    """
    found: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        found.append(rest)
    return tuple(reversed(found))


def _element(index: tuple[int, ...], one: Any, other: Any) -> Found:
    where = ", ".join(map(str, index))
    return (f"[{where}]" if index else ""), *_pair(one, other)


def _pair(one: Any, other: Any) -> tuple[str, str]:
    """Two elements as texts that differ: NaN and zero have several patterns of bits."""
    values = [
        each.item() if hasattr(each, "item") and type(each).__module__ == "numpy" else each for each in (one, other)
    ]
    texts = [shown_value(each) for each in values]
    if texts[0] == texts[1]:
        texts = [f"{text} (bits {_bits(each)})" for text, each in zip(texts, (one, other), strict=True)]
    return texts[0], texts[1]


def _bits(value: Any) -> str:
    import struct  # noqa: PLC0415  # seldom

    if hasattr(value, "tobytes"):
        return str(value.tobytes()[::-1].hex())
    return struct.pack(">d", value).hex() if isinstance(value, float) else type(value).__name__


def _label(label: object) -> str:
    return shown_value(label.item() if hasattr(label, "item") else label)


def _attribute(name: str, one: object, other: object) -> Found:
    return f".{name}", str(one), str(other)
