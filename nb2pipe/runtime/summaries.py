"""What stands in the record of each value that a step leaves, so that two runs can be compared without loading values.

Reading must not change a value, take long, or wake a GPU: large and foreign values are told by their type alone.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from nb2pipe.records.values import is_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Summary = dict[str, Any]

_LARGEST = 20_000_000
"""Elements of which means and nulls are still counted: some ten milliseconds."""

_COLUMNS = 50
"""Columns of a table whose means are kept."""


def summaries(values: Mapping[str, object], names: Iterable[str]) -> dict[str, Summary]:
    """A summary of each value, by name: `type`, and as far as it has them `shape`, `dtype`, `rows`, `nulls`, `mean`.

    Args:
        values: The variables of a step.
        names: Those that it leaves.
    """
    return {name: _summary(name, values[name]) for name in names if name in values}


def _summary(name: str, value: object) -> Summary:
    kind = type(value)
    known = (
        kind.__qualname__ if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}.{kind.__qualname__}"
    )
    if is_secret(name):
        return {"type": known}
    try:
        found = {key: each for key, each in _facts(value) if each is not None}
    except Exception:  # noqa: BLE001 - a class of the author's may answer with anything
        return {"type": known}
    return {"type": known, **found}


def _facts(value: object) -> Iterator[tuple[str, Any]]:
    match value:
        case bool() | int() if type(value) in {bool, int} and abs(value) < 2**53:
            yield "value", value
        case float() if type(value) is float:
            yield "value", value if math.isfinite(value) else repr(value)
        case str() | bytes() | list() | tuple() | dict() | set() | frozenset():
            yield "length", len(value)
        case _:
            for module, name, facts in _LIBRARIES:
                kind = getattr(sys.modules.get(module), name, None)
                if kind is not None and isinstance(value, kind):
                    yield from facts(value)
                    return


def _array(array: Any) -> Iterator[tuple[str, Any]]:
    import numpy as np  # the value is one of its arrays

    yield from (("shape", list(array.shape)), ("dtype", str(array.dtype)))
    if type(array) not in {np.ndarray, np.memmap} or array.dtype.kind not in "biuf" or not 0 < array.size <= _LARGEST:
        return
    with np.errstate(all="ignore"):
        nulls = int(np.isnan(array).sum()) if array.dtype.kind == "f" else 0
        total: Any = np.nansum(array, dtype=np.float64) if nulls else np.sum(array, dtype=np.float64)
    yield "nulls", nulls
    yield "mean", _number(total / (array.size - nulls)) if array.size > nulls else None


def _frame(frame: Any) -> Iterator[tuple[str, Any]]:
    kinds = [str(kind) for kind in frame.dtypes]
    yield from (("rows", len(frame)), ("shape", list(frame.shape)))
    yield "dtype", ", ".join(f"{kind} x {kinds.count(kind)}" for kind in dict.fromkeys(kinds))
    if not 0 < frame.shape[0] * frame.shape[1] <= _LARGEST:
        return
    yield "nulls", int(frame.isna().sum().sum())
    means = frame.iloc[:, :_COLUMNS].mean(numeric_only=True)
    yield "mean", {str(name): _number(mean) for name, mean in means.items()}


def _series(series: Any) -> Iterator[tuple[str, Any]]:
    yield from (("rows", len(series)), ("shape", list(series.shape)), ("dtype", str(series.dtype)))
    if 0 < len(series) <= _LARGEST:
        yield "nulls", int(series.isna().sum())
        yield "mean", _number(series.mean()) if getattr(series.dtype, "kind", "") in {*"biuf"} else None


def _tensor(tensor: Any) -> Iterator[tuple[str, Any]]:
    yield from (("shape", list(tensor.shape)), ("dtype", str(tensor.dtype)), ("device", str(tensor.device)))
    if _is_countable(tensor):
        plain = tensor.detach()
        yield "nulls", int(plain.isnan().sum()) if plain.is_floating_point() else 0
        yield "mean", _number(plain.double().nanmean())


def _is_countable(tensor: Any) -> bool:
    return (
        tensor.device.type == "cpu"
        and str(tensor.layout) == "torch.strided"
        and not (tensor.is_complex() or tensor.is_quantized or tensor.is_inference())
        and 0 < tensor.numel() <= _LARGEST
    )


def _module(module: Any) -> Iterator[tuple[str, Any]]:
    parameters = list(module.parameters())
    count = sum(each.numel() for each in parameters)
    yield "parameters", count
    if 0 < count <= _LARGEST and all(_is_countable(each) for each in parameters):
        yield "mean", _number(sum(float(each.detach().double().sum()) for each in parameters) / count)


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


_LIBRARIES: tuple[tuple[str, str, Callable[[Any], Iterator[tuple[str, Any]]]], ...] = (
    ("numpy", "ndarray", _array),
    ("pandas", "DataFrame", _frame),
    ("pandas", "Series", _series),
    ("torch", "Tensor", _tensor),
    ("torch.nn", "Module", _module),
)
"""Where a class is found, if its library is imported, and what is told of its objects."""
