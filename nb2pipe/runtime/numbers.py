"""Metrics: the numbers that a name stands for, once its `pipeline-metrics` cell has run."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def metrics_of(names: Iterable[str], namespace: Mapping[str, object]) -> dict[str, float]:
    """The metrics that names stand for: a number under its name, a flat dictionary of numbers under its keys.

    True and False are 1 and 0; names that are bound to anything else are no metrics.

    >>> metrics_of(["a", "b", "c"], {"a": 1, "b": {"f1": 0.5}, "c": "text"})
    {'a': 1.0, 'f1': 0.5}
    """
    found: dict[str, float] = {}
    for name in names:
        value = namespace.get(name)
        number = as_number(value)
        if number is not None:
            found[name] = number
        elif isinstance(value, dict):
            found.update(_flat(value))
    return found


def as_number(value: Any) -> float | None:
    """A Python, NumPy or torch number (an array or tensor of one element without dimensions too); None for all else."""
    number = value.item() if _is_number_of_a_library(value) else value
    if not isinstance(number, Real | Decimal):
        return None
    try:
        return float(number)
    except (OverflowError, ValueError):
        return None


def _flat(values: dict[Any, Any]) -> dict[str, float]:
    numbers = {key: as_number(value) for key, value in values.items()}
    if all(isinstance(key, str) and number is not None for key, number in numbers.items()):
        return {key: number for key, number in numbers.items() if number is not None}
    return {}


def _is_number_of_a_library(value: Any) -> bool:
    """Whether it has no dimensions and one item that is a number."""
    if not hasattr(type(value), "item") or getattr(value, "shape", None) != ():
        return False
    try:
        return isinstance(value.item(), Real)
    except (TypeError, ValueError, RuntimeError):  # a tensor without memory, for one
        return False
