"""Variables that hold an object of a class of the notebook, as its text tells, and the methods of those classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.tracking.training.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.tracking.training.calls import Method

_CALLED = ("__call__", "forward")


def instances(trees: Iterable[ast.Module]) -> dict[str, ast.ClassDef]:
    r"""The class of each variable that is bound to a new object of one.

    >>> sorted(instances([ast.parse("class A: pass\na, b = A(), 3\nc = A()")]))
    ['c']
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    found: dict[str, ast.ClassDef] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            kind = classes.get(node.value.func.id)
            if kind is not None:
                found |= {target.id: kind for target in node.targets if isinstance(target, ast.Name)}
    return found


def calls_of(functions: Mapping[str, ast.FunctionDef], objects: Mapping[str, ast.ClassDef]) -> Calls:
    """What code may call: functions of the notebook, and methods of the objects of its classes."""

    def method(node: ast.expr) -> Method | None:
        owner = node.value if isinstance(node, ast.Attribute) else node
        kind = objects.get(owner.id) if isinstance(owner, ast.Name) else None
        names = (node.attr,) if isinstance(node, ast.Attribute) else _CALLED
        return None if kind is None else _method(functions, kind, names)

    return Calls(functions.get, method)


def _method(functions: Mapping[str, ast.FunctionDef], kind: ast.ClassDef, names: tuple[str, ...]) -> Method | None:
    for node in kind.body:
        if isinstance(node, ast.FunctionDef) and node.name in names and node.args.args:
            return node, calls_of(functions, {node.args.args[0].arg: kind})
    return None
