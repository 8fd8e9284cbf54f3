"""Whether a function or class of a step's own cell can be made before the step runs, which changes nothing then."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.names import eager_expressions

if TYPE_CHECKING:
    from collections.abc import Mapping

_Function = ast.FunctionDef | ast.AsyncFunctionDef

_DECORATORS = frozenset(
    {"no_grad", "inference_mode", "enable_grad", "dataclass", "lru_cache", "cache", "wraps", "contextmanager"}
    | {"staticmethod", "classmethod", "property", "cached_property", "njit", "jit", "vectorize", "function", "setter"}
    | {"getter", "deleter", "abstractmethod", "abstractproperty", "total_ordering", "unique", "final", "overload"}
    | {"override", "asynccontextmanager", "runtime_checkable", "singledispatch", "singledispatchmethod", "compile"}
)
"""Decorators that do nothing but to make what they return; by their last word, since they have many homes."""

_STATELESS = _DECORATORS - {
    "lru_cache",
    "cache",
    "singledispatch",
    "singledispatchmethod",
    "compile",
    "function",
    "jit",
}
"""Those whose result remembers nothing."""

_CALLS = frozenset(
    {"field", "Field", "auto", "property", "staticmethod", "classmethod", "TypeVar", "compile", "frozenset"}
)
"""What the body of a class may call."""


def is_definable(node: ast.stmt, own: Mapping[str, ast.stmt]) -> bool:
    """Whether making a function or class has no effect but that it is there.

    Args:
        node: The statement.
        own: The functions and classes of the notebook that can stand before it.
    """
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _is_definable_function(node, own)
        case ast.ClassDef():
            return _is_definable_class(node, own)
        case _:
            return False


def is_stateless(node: ast.stmt) -> bool:
    """Whether a function or class that can be made early holds nothing that calls could change.

    What holds state has to travel from step to step; what holds none can be made in each.
    """
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            plain = all(_is_constant(default) for default in _defaults(node))
            return plain and all(_word(decorator) in _STATELESS for decorator in node.decorator_list)
        case ast.ClassDef(name=name):
            changes = any(_changes_class(part, name) for part in ast.walk(node))
            return not changes and all(_is_stateless_part(part) for part in node.body)
        case _:
            return False


def _is_definable_function(node: _Function, own: Mapping[str, ast.stmt]) -> bool:
    values = all(_is_simple(part) for part in eager_expressions(node))
    return values and all(_is_plain_decorator(decorator, own) for decorator in node.decorator_list)


def _is_definable_class(node: ast.ClassDef, own: Mapping[str, ast.stmt]) -> bool:
    if node.keywords or any(_watches(base, own, ()) for base in node.bases):
        return False
    decorated = all(_is_plain_decorator(decorator, own) for decorator in node.decorator_list)
    return decorated and all(_is_definable_part(part, own) for part in node.body)


def _is_definable_part(part: ast.stmt, own: Mapping[str, ast.stmt]) -> bool:
    match part:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _is_definable_function(part, own)
        case ast.ClassDef():
            return _is_definable_class(part, own)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.Expr(value=value):
            return _is_simple(value)
        case _:
            return isinstance(part, ast.Pass | ast.AnnAssign)


def _is_simple(value: ast.expr) -> bool:
    """Whether a value is made of literals, names and harmless calls, so that it matters not when it is made."""
    calls = [part for part in ast.walk(value) if isinstance(part, ast.Call)]
    others = (ast.Await, ast.NamedExpr, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
    return all(_word(call.func) in _CALLS for call in calls) and not any(
        isinstance(part, others) for part in ast.walk(value)
    )


def _is_plain_decorator(decorator: ast.expr, own: Mapping[str, ast.stmt]) -> bool:
    if isinstance(decorator, ast.Call):
        given = [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
        return all(_is_simple(value) for value in given) and _is_plain_decorator(decorator.func, own)
    if isinstance(decorator, ast.Name) and decorator.id in own:
        return _only_makes_functions(own[decorator.id])
    return _word(decorator) in _DECORATORS


def _only_makes_functions(node: ast.stmt) -> bool:
    """Whether a decorator of the notebook does nothing but to define a function and return it."""
    if not isinstance(node, ast.FunctionDef):
        return False
    for part in node.body:
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if not all(_word(inner) in _DECORATORS for inner in part.decorator_list) or _defaults(part):
                    return False
            case ast.Return(value=ast.Name()) | ast.Expr(value=ast.Constant()):
                pass
            case _:
                return False
    return True


def _watches(base: ast.expr, own: Mapping[str, ast.stmt], seen: tuple[str, ...]) -> bool:
    """Whether a base class does something when a class is made of it."""
    if not isinstance(base, ast.Name) or base.id not in own or base.id in seen:
        return False
    node = own[base.id]
    if not isinstance(node, ast.ClassDef) or node.keywords:
        return True
    hooks = any(isinstance(part, _Function) and part.name == "__init_subclass__" for part in node.body)
    return hooks or any(_watches(inner, own, (*seen, base.id)) for inner in node.bases)


def _is_stateless_part(part: ast.stmt) -> bool:
    match part:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return is_stateless(part)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.Expr(value=value):
            return _is_constant(value) or (isinstance(value, ast.Call) and _word(value.func) in _CALLS)
        case _:
            return isinstance(part, ast.Pass | ast.AnnAssign)


def _changes_class(part: ast.AST, name: str) -> bool:
    """Whether code may change attributes of the class rather than of an instance."""
    match part:
        case ast.Attribute(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
            return owner in {"cls", name}
        case ast.Attribute(attr="__class__") | ast.Name(id="type" | "setattr" | "__class__"):
            return True
        case _:
            return False


def _is_constant(value: ast.expr) -> bool:
    allowed = (ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.UnaryOp, ast.BinOp)
    ignored = (ast.operator, ast.unaryop, ast.expr_context)
    return all(isinstance(part, (*allowed, *ignored)) for part in ast.walk(value))


def _defaults(node: _Function) -> list[ast.expr]:
    return [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]


def _word(node: ast.expr) -> str:
    """The last word of `a.b.c` or of `a.b.c(...)`."""
    if isinstance(node, ast.Call):
        return _word(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
