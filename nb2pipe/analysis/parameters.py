"""Parameters: what a cell of parameters assigns, with defaults that are literals or can be evaluated anew."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import ParameterFact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.trace import Trace

_NOT_REPEATABLE = frozenset(
    {"time", "datetime", "uuid", "secrets", "os", "random", "socket", "getpass", "subprocess", "tempfile", "platform"}
    | {"input", "open", "id", "object", "requests", "urllib", "get_ipython", "exec", "eval", "globals", "locals"}
)
_PURE_CALLS = frozenset({"os.path.join", "os.path.dirname", "os.path.basename", "os.path.normpath"})


def assigned(statement: ast.stmt) -> list[tuple[str, ast.expr, ast.expr | None]]:
    """The names that a statement of a parameters cell assigns, each with its default and annotation.

    Empty for a statement that is no plain assignment of names.
    """
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value, annotation=annotation):
            return [(name, value, annotation)]
        case ast.Assign(targets=targets, value=value):
            found = [pair for target in targets for pair in _pairs(target, value)]
            return [] if any(name is None for name, _ in found) else [(str(name), part, None) for name, part in found]
        case _:
            return []


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str | None, ast.expr]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=parts) | ast.List(elts=parts))):
            if len(targets) == len(parts) and not any(isinstance(part, ast.Starred) for part in (*targets, *parts)):
                for inner, part in zip(targets, parts, strict=True):
                    yield from _pairs(inner, part)
            else:
                yield None, value
        case _:
            yield None, value


def parameter(name: str, default: ast.expr, annotation: ast.expr | None, trace: Trace, source: str) -> ParameterFact:
    """The parameter that an assignment makes.

    Args:
        name: The name.
        default: What is assigned.
        annotation: Its type, as written.
        trace: What was seen when the default was followed.
        source: The cell's text.
    """
    value: object = None
    is_literal = not any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(default))
    try:
        value = ast.literal_eval(default) if is_literal else None  # no file and no command line holds `...`
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        is_literal = False
    reads = {part.id for part in ast.walk(default) if isinstance(part, ast.Name)} & trace.names
    return ParameterFact(
        name=name,
        cell=trace.cell,
        line=default.lineno,
        source=ast.get_source_segment(source, default) or ast.unparse(default),
        is_literal=is_literal,
        value=value,
        annotation=ast.unparse(annotation) if annotation is not None else None,
        repeatable=is_literal or _is_repeatable(default, trace),
        reads=frozenset(reads),
    )


def _is_repeatable(default: ast.expr, trace: Trace) -> bool:
    if trace.draws or trace.changes or trace.writes or trace.reads or trace.sets or trace.doubts or trace.state:
        return False
    return all(_is_pure(part.func) for part in ast.walk(default) if isinstance(part, ast.Call))


def _is_pure(function: ast.expr) -> bool:
    name = ast.unparse(function)
    return name in _PURE_CALLS or not set(name.replace("(", ".").split(".")) & _NOT_REPEATABLE


def overridden(old: ParameterFact | None, new: ParameterFact) -> ParameterFact:
    """The parameter as an `injected-parameters` cell gives it: the older cell's annotation stays."""
    return replace(new, annotation=new.annotation or (old.annotation if old else None))
