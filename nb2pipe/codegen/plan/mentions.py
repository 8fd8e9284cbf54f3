"""How statements mention names, by calling them or otherwise; and which ones reach none of the notebook's code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from nb2pipe.codegen.plan.syntax import Parts

_QUIET = (ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.expr_context, ast.Starred, ast.keyword)
_QUIET_STATEMENTS = (ast.Assign, ast.AnnAssign, ast.Expr, ast.Pass, ast.Import, ast.ImportFrom, ast.alias, ast.Global)
_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp)


class Mentions(NamedTuple):
    """The names that a text reads, in whatever scope.

    Attributes:
        called: As `name(...)`.
        handled: In any other way, as in `map(name, x)` or `name.attribute`.
    """

    called: frozenset[str]
    handled: frozenset[str]


def mentions(parts: Parts) -> Mentions:
    """How a text mentions names.

    >>> from nb2pipe.codegen.plan.syntax import Parts
    >>> mentions(Parts(ast.parse("f(g)")))
    Mentions(called=frozenset({'f'}), handled=frozenset({'g'}))
    """
    functions = [call.func for call in parts.of(ast.Call) if isinstance(call.func, ast.Name)]
    known = {id(function) for function in functions}
    handled = (name.id for name in parts.of(ast.Name) if id(name) not in known and isinstance(name.ctx, ast.Load))
    return Mentions(frozenset(function.id for function in functions), frozenset(handled))


def is_quiet(node: ast.AST, libraries: Collection[str]) -> bool:
    """Whether running a text reaches no function of the notebook: it calls libraries with nothing but written values.

    Args:
        node: The text.
        libraries: Names of modules and of builtins.

    >>> is_quiet(ast.parse("d = torch.device('cuda' if torch.cuda.is_available() else 'cpu')").body[0], {"torch"})
    True
    >>> is_quiet(ast.parse("n = len(data)").body[0], {"len"})
    False
    """
    return all(_is_quiet(part, libraries) for part in _outer(node))


def _outer(node: ast.AST) -> list[ast.AST]:
    """A statement and its expressions, without looking into calls and attributes."""
    found = [node]
    for part in found:
        if not isinstance(part, (ast.Call, ast.Attribute, ast.Lambda, *_OPERATIONS)):
            found += ast.iter_child_nodes(part)
    return found


def _is_quiet(node: ast.AST, libraries: Collection[str]) -> bool:
    if isinstance(node, (ast.Call, ast.Attribute, *_OPERATIONS)):
        return _is_written(node, libraries)
    return isinstance(node, (*_QUIET, *_QUIET_STATEMENTS, ast.Lambda))


def _is_written(node: ast.AST, libraries: Collection[str]) -> bool:
    """Whether a value is made of literals and of what libraries make of them."""
    match node:
        case ast.Name(id=name):
            return name in libraries
        case ast.Call(func=function, args=arguments, keywords=keywords):
            parts = [function, *arguments, *(keyword.value for keyword in keywords)]
            return all(_is_written(part, libraries) for part in parts)
        case ast.Constant() | ast.expr_context() | ast.operator() | ast.unaryop() | ast.boolop() | ast.cmpop():
            return True
        case ast.Attribute() | ast.Tuple() | ast.List() | ast.Dict() | ast.Set() | ast.keyword():
            return all(_is_written(part, libraries) for part in ast.iter_child_nodes(node))
        case ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
            return all(_is_written(part, libraries) for part in ast.iter_child_nodes(node))
        case _:
            return False
