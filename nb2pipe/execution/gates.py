"""Gates: whether what comes after a step may run."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, assert_never

from nb2pipe.notebook.model import Comparison, GateAll, GateAny, GateTest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.notebook.model import GateCondition

_OPERATIONS: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.LESS_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_EQUAL: operator.ge,
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
}


def holds(condition: GateCondition, metrics: Mapping[str, float]) -> bool:
    """Whether a condition holds.

    Raises:
        KeyError: A metric is missing.
    """
    match condition:
        case GateTest():
            left, right = (
                metrics[side] if isinstance(side, str) else side for side in (condition.left, condition.right)
            )
            return _OPERATIONS[condition.comparison](left, right)
        case GateAll():
            return all(holds(term, metrics) for term in condition.terms)
        case GateAny():
            return any(holds(term, metrics) for term in condition.terms)
        case _:
            assert_never(condition)
