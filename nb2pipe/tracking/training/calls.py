"""The author's functions and methods that a loop may call, as far as its text is known: what they change counts."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Method: TypeAlias = "tuple[ast.FunctionDef, Calls]"
"""The definition of a method, and what it may call in turn."""


def _nothing(_: object) -> None:
    """Nothing is known."""


@dataclass(frozen=True, slots=True)
class Callee:
    """What a call runs.

    Attributes:
        function: Its definition.
        receiver: The expression whose value is its first argument; None where it is no method.
        calls: What it may call in turn.
    """

    function: ast.FunctionDef
    receiver: ast.expr | None
    calls: Calls

    def given(self, call: ast.Call) -> dict[str, ast.expr]:
        """What the parameters are given, as far as the call shows it."""
        values = [self.receiver, *call.args] if self.receiver is not None else call.args
        found = dict(zip(self.places, values, strict=False))
        return found | {each.arg: each.value for each in call.keywords if each.arg}

    @property
    def places(self) -> list[str]:
        """The names of its parameters, in their order."""
        arguments = self.function.args
        return [one.arg for one in (*arguments.posonlyargs, *arguments.args)]

    @property
    def parameters(self) -> set[str]:
        """The names of all its parameters."""
        return {*self.places, *(one.arg for one in self.function.args.kwonlyargs)}


@dataclass(frozen=True, slots=True)
class Calls:
    """The functions that a loop may call.

    Attributes:
        find: The definition that a name means, if it is the author's.
        method: That of the method, or of the object that is called, which an expression means.
    """

    find: Callable[[str], ast.FunctionDef | None]
    method: Callable[[ast.expr], Method | None] = _nothing

    def of(self, function: ast.expr) -> Callee | None:
        """What runs where an expression is called, if it is known."""
        named = self.find(function.id) if isinstance(function, ast.Name) else None
        if named is not None:
            return Callee(named, None, self)
        found = self.method(function)
        if found is None:
            return None
        receiver = function.value if isinstance(function, ast.Attribute) else function
        return Callee(found[0], None if _is_static(found[0]) else receiver, found[1])


def outer_names(function: ast.FunctionDef) -> Iterator[str]:
    """The names outside of a function that it may bind."""
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _is_static(function: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)
