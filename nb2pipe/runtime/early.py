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
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # IPython's syntax: it holds no definitions
        return frozenset()
    found: set[str] = set()
    made: set[str] = set()  # what the text itself makes must not be loaded before it is made
    for statement in tree.body:
        found |= set(_names(statement)) - made
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(statement.name)
    return frozenset(found)


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    late = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else None
    for child in ast.iter_child_nodes(node):
        if child is late or (isinstance(late, list) and child in late):
            continue
        yield from _names(child)
