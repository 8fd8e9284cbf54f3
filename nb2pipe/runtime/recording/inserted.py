"""Has functions of a library tell when they are called, without a frame of ours between them and who called them.

A wrapper would be seen in each traceback that passes it, would not be called by who imported the function before, and
is another object. So a call is put into the function's own code instead: all lines and columns stay as they are.
"""

from __future__ import annotations
import __future__

import ast
import inspect
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_FLAGS = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
_BEFORE, _RESULT, _AROUND = (f"nb2pipe is told {word}" for word in ("before", "of the result", "around"))
"""They stand in the code for what is called, until the code is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a function calls, each with the same arguments of its own.

    Attributes:
        names: The names of the arguments.
        before: Is called before anything else is done.
        result: Is called with what is about to be returned after the arguments, and returns it.
        around: Makes the context in which all is done.
    """

    names: tuple[str, ...]
    before: Callable[..., object] | None = None
    result: Callable[..., object] | None = None
    around: Callable[..., object] | None = None


def insert(function: Any, told: Told) -> None:
    """Has a function tell.

    Raises:
        ValueError: Its code is not known, or is none that can be changed.
    """
    plain = inspect.unwrap(function)
    if not isinstance(plain, FunctionType) or plain.__code__.co_freevars:
        message = f"{function!r} has no code that can be changed"
        raise ValueError(message)
    old = plain.__code__
    made = _compiled(_changed(_definition(plain), old.co_name, told), old)
    if made is None or made.co_freevars or _arguments(made) != _arguments(old):
        message = f"the code of {function!r} is another one now"
        raise ValueError(message)
    calls = {_BEFORE: told.before, _RESULT: told.result, _AROUND: told.around}
    constants = tuple(calls.get(each, each) if isinstance(each, str) else each for each in made.co_consts)
    plain.__code__ = made.replace(co_consts=constants, co_qualname=old.co_qualname, co_firstlineno=old.co_firstlineno)


def _definition(function: FunctionType) -> ast.Module:
    """The text of a function as a tree whose places are those in its file."""
    try:
        lines, first = inspect.getsourcelines(function)
        text = "".join(lines)
        tree = ast.parse(f"class _:\n{text}" if text[:1].isspace() else f"\n{text}")
    except (OSError, TypeError, SyntaxError) as error:
        message = f"the code of {function!r} is not known"
        raise ValueError(message) from error
    ast.increment_lineno(tree, first - 2)
    return tree


def _changed(tree: ast.Module, name: str, told: Told) -> ast.Module:
    definition = next(
        (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name), None
    )
    if definition is None:
        message = f"the code of `{name}` is no function's"
        raise ValueError(message)
    start = 1 if ast.get_docstring(definition, clean=False) is not None else 0
    body = first, *_ = definition.body[start:]
    if told.result is not None:
        body = [_Returns(told.names).visit(statement) for statement in body]
    if told.around is not None:
        around = ast.With(items=[ast.withitem(context_expr=_call(_AROUND, told.names))], body=body)
        body = [ast.copy_location(around, first)]
    if told.before is not None:
        body = [ast.copy_location(ast.Expr(_call(_BEFORE, told.names)), first), *body]
    definition.body[start:] = body
    definition.decorator_list = []
    return ast.fix_missing_locations(tree)


def _compiled(tree: ast.Module, old: CodeType) -> CodeType | None:
    module = compile(tree, old.co_filename, "exec", flags=old.co_flags & _FLAGS, dont_inherit=True)
    return _inner(module, old.co_name)


def _inner(code: CodeType, name: str) -> CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found = constant if constant.co_name == name else _inner(constant, name)
            if found is not None:
                return found
    return None


def _arguments(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


class _Returns(ast.NodeTransformer):
    """Puts a call around what a function returns; what it defines within is left alone."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def visit_Return(self, node: ast.Return) -> ast.Return:
        """Changes a statement."""
        call = _call(_RESULT, self._names)
        call.args.append(node.value or ast.Constant(None))
        return ast.copy_location(ast.Return(call), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """A function within has its own."""
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """It has none."""
        return node


def _call(mark: str, names: tuple[str, ...]) -> ast.Call:
    # `"text"(...)` would be warned of
    function = ast.BoolOp(ast.Or(), [ast.Constant(mark), ast.Constant(None)])
    return ast.Call(function, [ast.Name(name, ast.Load()) for name in names], [])
