"""Gates at run time: whether the text of one, which was checked when the notebook was read, holds."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"""
    r"""|(?P<name>[^\W\d][\w./@%-]*)|"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<operator><=|>=|==|!=|<|>))"""
)
_OPERATIONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def gate_holds(text: str, metrics: Mapping[str, float]) -> bool:
    """Whether a gate holds; `and` binds tighter than `or`.

    Args:
        text: What follows `gate:`.
        metrics: The metrics so far.

    Raises:
        KeyError: A metric is missing.

    >>> gate_holds("accuracy >= 0.9 and loss < 1", {"accuracy": 0.95, "loss": 0.1})
    True
    """
    # All are evaluated: a metric that is missing is missing, whatever the others say.
    alternatives = [[_test(test, metrics) for test in _split(part, "and")] for part in _split(_tokens(text), "or")]
    return any(all(tests) for tests in alternatives)


def seen_by_gate(step: str, metrics: Iterable[tuple[str, Mapping[str, float]]]) -> dict[str, float]:
    """The metrics that a step's gate sees: those of the steps up to its own, in its own notebook, the last of a name.

    Args:
        step: Its name.
        metrics: Each step with what it measured, in notebook order, up to this one.
    """
    scope = step.rpartition("/")[0]
    prefix = f"{scope}/" if scope else ""
    return {name: value for each, measured in metrics if each.startswith(prefix) for name, value in measured.items()}


def _tokens(text: str) -> list[tuple[str, str]]:
    return [(str(found.lastgroup), found[str(found.lastgroup)]) for found in _TOKEN.finditer(text)]


def _split(tokens: list[tuple[str, str]], word: str) -> list[list[tuple[str, str]]]:
    parts: list[list[tuple[str, str]]] = [[]]
    for token in tokens:
        if token == ("name", word):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _test(tokens: list[tuple[str, str]], metrics: Mapping[str, float]) -> bool:
    left, (_, comparison), right = tokens
    return _OPERATIONS[comparison](_value(left, metrics), _value(right, metrics))


def _value(token: tuple[str, str], metrics: Mapping[str, float]) -> float:
    kind, text = token
    return float(text) if kind == "number" else metrics[text]
