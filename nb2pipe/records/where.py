"""The expressions that choose runs, such as `lr < 0.1 and status == "succeeded"`: read, checked, and never executed.

```
any        = all ("or" all)*
all        = not ("and" not)*
not        = "not" not | comparison
comparison = operand (("<" | "<=" | ">" | ">=" | "==" | "!=" | "in" | "not in") operand)+ | operand | "(" any ")"
operand    = name | name["text"] | number | text | True | False | None
name       = a metric, a parameter, or `run`, `name`, `status`, `pipeline`, `notebook`, `user`, `tags`, `started`,
             `seconds`; `metrics.NAME` and `parameters.NAME` say which one is meant, `metrics["loss/val"]` any name
```

`started` is compared with a date or time in quotes, such as `"2026-11-22"` or `"2026-11-22 10:30"`, as clocks here say.
"""

from __future__ import annotations

import ast
import operator
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import UsageError
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nb2pipe.records.model import RunSummary

_LONGEST = 2000
_DEEPEST = 50
_FIELDS = ("run", "name", "status", "pipeline", "notebook", "user", "tags", "started", "seconds")
_KINDS = ("metrics", "parameters")
_EXAMPLE = "write it like `lr < 0.1 and accuracy >= 0.9`"
_OPERATIONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_MISSING = object()


def chosen(rows: Sequence[RunSummary], text: str) -> list[RunSummary]:
    """The runs for which an expression holds; a comparison with what a run has not, or with another type, never does.

    Args:
        rows: All runs.
        text: The expression.

    Raises:
        UsageError: It does not follow the grammar, or names what no run has.
    """
    tree = _parsed(text)
    for node in _names(tree):
        _check_known(rows, node)
    return [row for row in rows if row.problem is None and _holds(tree, row)]


def by_value(rows: Sequence[RunSummary], name: str, *, ascending: bool = False) -> list[RunSummary]:
    """The runs by a metric, a parameter or a field, the largest first; those that have none come last.

    Args:
        rows: The runs.
        name: As in an expression, or any name of a metric or parameter.
        ascending: The smallest first.

    Raises:
        UsageError: No run has it.
    """
    key = _key(rows, name)
    _check_known(rows, key)
    found = [(row, _value(key, row)) for row in rows if row.problem is None]
    numbers = [(value, row) for row, value in found if isinstance(value, int | float) and value == value]  # noqa: PLR0124 - NaN
    texts = [(value, row) for row, value in found if isinstance(value, str)]
    first = [row for _, row in sorted(numbers, key=lambda pair: pair[0], reverse=not ascending)]
    first += [row for _, row in sorted(texts, key=lambda pair: pair[0], reverse=ascending)]
    known = {row.run for row in first}
    return [*first, *(row for row in rows if row.run not in known)]


def _key(rows: Sequence[RunSummary], name: str) -> ast.expr:
    """What a name means: as it stands, else as an expression such as `metrics.loss`."""
    plain = ast.Name(id=name)
    if any(row.problem is None and _value(plain, row) is not _MISSING for row in rows):
        return plain
    try:
        found = ast.parse(name.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return plain
    return plain if _named(found) is None else found


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise UsageError(f"an expression has at most {_LONGEST} characters", hint=_EXAMPLE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `1is x` is wrong in other ways too
            tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
        _read_moments(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"`{text[:80]}` is no expression that chooses runs", hint=_EXAMPLE) from error
    return tree


def _check(node: ast.expr, depth: int = 0) -> None:
    """Lets nothing through but what the grammar has.

    Raises:
        UsageError: Something else stands there.
    """
    inner = _inner(node)
    if inner is None or depth > _DEEPEST:
        raise UsageError(f"`{ast.unparse(node)[:60]}` has no meaning in an expression", hint=_EXAMPLE)
    for part in inner:
        _check(part, depth + 1)


def _read_moments(tree: ast.expr) -> None:
    """Puts seconds in the place of the dates that `started` is compared with.

    Raises:
        UsageError: A text is none.
    """
    for node in ast.walk(tree):
        parts = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        texts = [part for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if any(isinstance(part, ast.Name) and part.id == "started" for part in parts):
            for part in texts:
                part.value = _moment(str(part.value))


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        hint = 'write it like `started >= "2026-11-22"` or `started < "2026-11-22 10:30"`'
        raise UsageError(f"`{text[:60]}` is no date", hint=hint) from None


def _inner(node: ast.expr) -> list[ast.expr] | None:
    """What a node of the grammar is made of; None for another one."""
    match node:
        case ast.BoolOp(values=parts):
            return parts
        case ast.Compare(left=left, ops=operations, comparators=others) if _are_known(operations):
            return [left, *others]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return [inner]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            return []
        case ast.Constant(value=None | bool() | int() | float() | str()) | ast.Name():
            return []
        case _:
            return None if _named(node) is None else []


def _are_known(operations: list[ast.cmpop]) -> bool:
    return all(type(each) in _OPERATIONS for each in operations)


def _named(node: ast.expr) -> tuple[str, str] | None:
    """`metrics.NAME` and the like as (kind, name)."""
    match node:
        case ast.Attribute(value=ast.Name(id=kind), attr=name) if kind in _KINDS:
            return kind, name
        case ast.Subscript(value=ast.Name(id=kind), slice=ast.Constant(value=str(name))) if kind in _KINDS:
            return kind, name
        case _:
            return None


def _names(tree: ast.expr) -> Iterator[ast.expr]:
    """The nodes that name something of a run."""
    if isinstance(tree, ast.Name) or _named(tree) is not None:
        yield tree
        return
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.expr):
            yield from _names(child)


def _check_known(rows: Sequence[RunSummary], node: ast.expr) -> None:
    readable = [row for row in rows if row.problem is None]
    if not readable or any(_value(node, row) is not _MISSING for row in readable):
        return
    names = sorted({*_FIELDS, *(name for row in readable for name in (*row.metrics, *row.parameters))})
    wanted = node.id if isinstance(node, ast.Name) else ast.unparse(node)
    close = suggestion(wanted, names)
    hint = f"did you mean `{close}`?" if close else f"there are: {', '.join(names)}"
    raise UsageError(f"no run has a metric or parameter `{wanted}`", hint=hint)


def _value(node: ast.expr, row: RunSummary) -> Any:
    match node:
        case ast.BoolOp(op=operation, values=parts):
            held = (_holds(part, row) for part in parts)
            return all(held) if isinstance(operation, ast.And) else any(held)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _holds(inner, row)
        case ast.Compare(left=left, ops=operations, comparators=others):
            return _compare([_operand(each, row) for each in (left, *others)], operations)
        case _:
            return _operand(node, row)


def _operand(node: ast.expr, row: RunSummary) -> Any:
    match node:
        case ast.UnaryOp(op=sign, operand=ast.Constant(value=int() | float() as number)):
            return -number if isinstance(sign, ast.USub) else number
        case ast.Constant(value=value):
            return value
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp():
            return _value(node, row)
        case _:
            return _found(node, row)


def _holds(node: ast.expr, row: RunSummary) -> bool:
    value = _value(node, row)
    return value is not _MISSING and bool(value)


def _compare(values: list[Any], operations: list[ast.cmpop]) -> bool:
    if any(value is _MISSING for value in values):
        return False
    try:
        return all(
            bool(_OPERATIONS[type(each)](one, two))
            for each, one, two in zip(operations, values, values[1:], strict=False)
        )
    except TypeError:  # a text and a number
        return False


def _found(node: ast.expr, row: RunSummary) -> Any:
    """What a run has by a name: a metric, else a parameter, else a field."""
    if named := _named(node):
        kind, name = named
        return getattr(row, kind).get(name, _MISSING)
    assert isinstance(node, ast.Name)
    for values in (row.metrics, row.parameters):
        if node.id in values:
            return values[node.id]
    return getattr(row, node.id) if node.id in _FIELDS else _MISSING
