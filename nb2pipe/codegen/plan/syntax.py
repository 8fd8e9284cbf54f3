"""The nodes of a statement by their types: many questions are asked of each, and it is walked once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T", bound=ast.AST)


class Parts:
    """All nodes of a text.

    >>> [name.id for name in Parts(ast.parse("f(x)")).of(ast.Name)]
    ['f', 'x']
    """

    def __init__(self, node: ast.AST) -> None:
        self._by_type: dict[type[ast.AST], list[ast.AST]] = {}
        todo = [node]
        for part in todo:
            self._by_type.setdefault(type(part), []).append(part)
            for value in part.__dict__.values():
                if isinstance(value, ast.AST):
                    todo.append(value)
                elif isinstance(value, list):
                    todo += [one for one in value if isinstance(one, ast.AST)]

    def of(self, kind: type[T]) -> list[T]:
        """The nodes of a type, outer ones before those in them."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]  # by that very type

    def has(self, *kinds: type[ast.AST]) -> bool:
        """Whether there are nodes of one of some types."""
        return any(kind in self._by_type for kind in kinds)

    def __iter__(self) -> Iterator[ast.AST]:
        return (part for parts in self._by_type.values() for part in parts)
