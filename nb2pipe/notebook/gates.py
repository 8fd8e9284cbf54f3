"""The grammar of a gate: metrics, numbers, comparisons, `and`, `or` and nothing else; `and` binds tighter.

```
any        = all ("or" all)*
all        = comparison ("and" comparison)*
comparison = operand ("<" | "<=" | ">" | ">=" | "==" | "!=") operand
operand    = metric | number
metric     = letter or "_", then letters, digits and _ . / @ % -  |  any text in quotes
```
"""

from __future__ import annotations

import math
import re

from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import Comparison, GateAll, GateAny, GateCondition, GateTest
from nb2pipe.notebook.shown import shown

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
  | (?P<name>[^\W\d][\w./@%-]*)
  | "(?P<double>[^"]+)" | '(?P<single>[^']+)'
  | (?P<operator><=|>=|==|!=|<|>)
  | (?P<wrong>=>|=<|<>|&&|\|\||[^\s])
)""",
    re.VERBOSE,
)

_EXAMPLE = "write it like `gate:accuracy >= 0.9 and loss < 0.5`"

_INSTEAD = {
    "=": "write `==`",
    "=>": "write `>=`",
    "=<": "write `<=`",
    "<>": "write `!=`",
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "|": "write `or`",
    "(": "a gate has no parentheses; `and` binds tighter than `or`",
    ")": "a gate has no parentheses; `and` binds tighter than `or`",
}

_WORDS = {"and", "or", "not", "is", "in"}

_Token = tuple[str, str]
"""Kind and text: kinds are `number`, `name`, `quoted`, `operator`, `and`, `or`."""


def parse_gate(text: str) -> GateCondition:
    """The condition of a gate.

    Args:
        text: What follows `gate:`.

    Raises:
        MalformedError: The text does not follow the grammar.

    >>> parse_gate("acc > 0.5")
    GateTest(left='acc', comparison=<Comparison.GREATER: '>'>, right=0.5)
    """
    tokens = _tokens(text)
    if not tokens:
        raise MalformedError("the gate has no condition", _EXAMPLE)
    alternatives = tuple(_all(part) for part in _split(tokens, "or"))
    return alternatives[0] if len(alternatives) == 1 else GateAny(alternatives)


def metrics_of(condition: GateCondition) -> frozenset[str]:
    """The names of the metrics that a condition reads."""
    match condition:
        case GateTest(left, _, right):
            return frozenset(side for side in (left, right) if isinstance(side, str))
        case GateAll(terms) | GateAny(terms):
            return frozenset().union(*(metrics_of(term) for term in terms))


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    for found in _TOKEN.finditer(text.rstrip()):
        kind, value = found.lastgroup or "wrong", found.group(found.lastgroup or 0)
        if kind == "wrong":
            raise MalformedError(f"`{shown(value)}` has no meaning in a gate", _INSTEAD.get(value, _EXAMPLE))
        tokens.append(_token(kind, value))
    return tokens


def _token(kind: str, value: str) -> _Token:
    if kind in {"double", "single"}:
        return ("quoted", value)
    if kind == "name" and value.lower() in _WORDS:
        if value in {"and", "or"}:
            return (value, value)
        raise MalformedError(f"`{value}` has no meaning in a gate", _EXAMPLE)
    return (kind, value)


def _split(tokens: list[_Token], word: str) -> list[list[_Token]]:
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token[0] == word:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _all(tokens: list[_Token]) -> GateCondition:
    terms = tuple(_test(part) for part in _split(tokens, "and"))
    return terms[0] if len(terms) == 1 else GateAll(terms)


def _test(tokens: list[_Token]) -> GateTest:
    kinds = ["operator" if kind == "operator" else "operand" for kind, _ in tokens]
    if kinds == ["operand", "operator", "operand"]:
        left, comparison, right = _operand(tokens[0]), Comparison(tokens[1][1]), _operand(tokens[2])
        if not isinstance(left, str) and not isinstance(right, str):
            raise MalformedError("a comparison in the gate names no metric", _EXAMPLE)
        return GateTest(left, comparison, right)
    if kinds == ["operand", "operator"] * (len(kinds) // 2) + ["operand"] and len(kinds) > 1:
        hint = "write two comparisons: `0.5 < accuracy and accuracy < 0.9`"
        raise MalformedError("a gate has no chained comparisons", hint)
    raise MalformedError(_incomplete(tokens), _EXAMPLE)


def _incomplete(tokens: list[_Token]) -> str:
    if not tokens:
        return "a comparison is missing beside `and` or `or`"
    text = shown(" ".join(value for _, value in tokens))
    return f"`{text}` is no comparison of a metric and a number"


def _operand(token: _Token) -> str | float:
    kind, value = token
    if kind != "number":
        return value
    number = float(value)
    if math.isinf(number):
        raise MalformedError(f"the number `{shown(value)}` is too large", _EXAMPLE)
    return number
