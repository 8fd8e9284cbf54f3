"""Functions that stay inside the function of their step: closures of what it binds, read late as globals are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.codegen.plan.consumers import handled_names
from nb2pipe.codegen.plan.mentions import mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.codegen.plan.body import Body
    from nb2pipe.codegen.plan.readers import Readers
    from nb2pipe.codegen.plan.source import Piece

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class InnerProblem(NamedTuple):
    """Why a function cannot stay inside."""

    reason: str
    node: ast.FunctionDef | ast.AsyncFunctionDef


def inner_problem(body: Body, readers: Readers) -> InnerProblem | None:
    """The first function of a step that can stand neither in `definitions` nor inside the step's function.

    A function that is handed around may be pickled by its name, or compared, so that it has to be a global one.

    Args:
        body: What the step runs.
        readers: Who reads which name as a global.
    """
    inner = [node for piece in body.pieces for node in inner_functions(piece)]
    if not inner:
        return None
    parallel = readers.hoisted.parallel
    every = (piece.parts for piece in body.pieces)
    handled = frozenset[str]().union(*(mentions(each).handled if parallel else handled_names(each) for each in every))
    for node in inner:
        name = node.name
        if name in body.taken:
            return InnerProblem(f"other steps take `{name}`, and it cannot stand in `definitions.py`", node)
        if name in handled:
            return InnerProblem(f"`{name}` is handed on, and it cannot stand in `definitions.py`", node)
        if node.decorator_list:
            return InnerProblem(f"`{name}` is decorated, and it cannot stand in `definitions.py`", node)
        if readers.readers(name) or name in readers.binds:
            return InnerProblem(f"`{name}`, which this step binds, is read as a global by a function", node)
    return None


def inner_functions(piece: Piece) -> Iterator[_Function]:
    """The functions in a statement, but for those inside other functions or classes."""
    if piece.parts.has(ast.FunctionDef, ast.AsyncFunctionDef):
        yield from _outermost(piece.node)


def _outermost(node: ast.AST) -> Iterator[_Function]:
    if isinstance(node, _Function):
        yield node
    elif not isinstance(node, ast.ClassDef | ast.Lambda):
        for part in ast.iter_child_nodes(node):
            yield from _outermost(part)
