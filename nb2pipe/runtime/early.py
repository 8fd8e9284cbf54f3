"""What definitions need as they are made: a step loads it before them, and the rest as late as it can."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@lru_cache(maxsize=4096)
def read_at_once(text: str) -> frozenset[str]:
    r"""The names that the definitions of a text read as they are made, not when they are called.

    >>> sorted(read_at_once("def f(a=start):\n    return late"))
    ['start']
    >>> sorted(read_at_once("class A: ...\nclass B(A, C): ..."))
    ['C']
    >>> sorted(read_at_once("rate = 2\nderived = rate * other"))
    ['other']
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # IPython's syntax: it holds no definitions
        return frozenset()
    found: set[str] = set()
    made: set[str] = set()  # what the text itself makes must not be loaded before it is made
    for statement in tree.body:
        found |= set(_names(statement)) - made
        made |= _bound(statement)
    return frozenset(found)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement surely binds; none where it may not come to that."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return {name}
        case _:
            return set()


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
        yield node.id
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    late = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else None
    for child in ast.iter_child_nodes(node):
        if child is late or (isinstance(late, list) and child in late):
            continue
        yield from _names(child)
