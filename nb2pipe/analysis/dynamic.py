"""Code that reaches names by their text: `globals()`, `exec`, `eval`, `locals`, `vars`.

What is not literal is a doubt.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.classes import text_of
from nb2pipe.analysis.heap import NOTHING, Library, Value, held
from nb2pipe.analysis.machine import MAIN
from nb2pipe.analysis.scopes import ScopeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.analysis.machine import Arguments, Machine
    from nb2pipe.analysis.scopes import Scope

_GLOBALS = frozenset({"globals", "locals", "vars"})


def of_globals(machine: Machine, node: ast.Call, scope: Scope) -> Value | None:
    """What `globals().get("name")`, `.pop`, `.setdefault` or `.update(name=...)` does, where the names are known."""
    call = node.func
    if not isinstance(call, ast.Attribute) or not _is_globals(machine, call.value, scope):
        return None
    match call.attr, node.args:
        case "update", [] if all(keyword.arg is not None for keyword in node.keywords):
            for keyword in node.keywords:
                machine.bind_in(machine.module, keyword.arg or "", machine.evaluate(keyword.value, scope))
            return NOTHING
        case ("get" | "pop" | "setdefault") as method, [ast.Constant(value=str(name)), *others]:
            return _single(machine, method, name, others, node, scope)
        case _:
            return None


def _single(machine: Machine, method: str, name: str, others: list[ast.expr], node: ast.Call, scope: Scope) -> Value:
    value: Value = frozenset().union(*(machine.evaluate(other, scope) for other in others))
    if name in machine.module.slots:
        value |= machine.read_global(name, node)
        if method == "pop":
            machine.unbind(name, machine.module)
    if method == "setdefault":
        machine.bind_in(machine.module, name, value)
    return value


def _is_globals(machine: Machine, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is the dictionary of the notebook's names."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[]) if name in _GLOBALS and name not in machine.module.slots:
            return name == "globals" or scope.kind is ScopeKind.MODULE
        case _:
            return False


def item_of_globals(machine: Machine, node: ast.Subscript, scope: Scope) -> str | None:
    """The name in `globals()["name"]`, where the notebook's own dictionary is meant and the name is known."""
    if not _is_globals(machine, node.value, scope):
        return None
    texts = text_of(machine.evaluate(node.slice, scope))
    return texts[0] if len(texts) == 1 else None


def test_of_globals(machine: Machine, node: ast.Compare) -> bool:
    """Whether it is `"name" in globals()`, which reads that one name."""
    right = node.comparators[0]
    text = node.left.value if isinstance(node.left, ast.Constant) else None
    if not isinstance(node.ops[0], (ast.In, ast.NotIn)) or not isinstance(text, str) or not isinstance(right, ast.Call):
        return False
    if not isinstance(right.func, ast.Name) or right.func.id not in {*_GLOBALS, "dir"} or right.args:
        return False
    if text in machine.module.slots:
        machine.read_global(text, node)
    return True


def _globals(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> Value:
    """The dictionary of names, or of an object's attributes."""
    if arguments.positional:
        return _attributes(machine, arguments.positional[0], node)
    local = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != "globals"
    if local and scope.kind is not ScopeKind.MODULE:
        return frozenset({machine.thing("builtins.dict")})
    return machine.all_names(node)


def _attributes(machine: Machine, value: Value, node: ast.AST) -> Value:
    if any(isinstance(thing, Library) and thing.path == MAIN for thing in value):
        return machine.all_names(node)
    return held(value) | value


def _exec(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> Value:
    return _run(machine, arguments, node, scope, "exec")


def _eval(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> Value:
    return _run(machine, arguments, node, scope, "eval")


def _run(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope, mode: str) -> Value:
    texts = text_of(arguments.positional[0]) if arguments.positional else []
    if len(arguments.positional) > 1:
        machine.doubt(f"`{mode}` with a dictionary of names", node)
        machine.change(arguments.all, certain=False)
        return frozenset({machine.thing()})
    try:
        tree = ast.parse(texts[0].strip() if mode == "eval" else texts[0], mode=mode) if texts else None
    except (SyntaxError, ValueError):
        tree = None
    if tree is None or len(texts) > 1:
        machine.doubt(f"`{mode}` of a text that is not known", node)
        machine.read_all(node)
        machine.bind_all()
        return frozenset({machine.thing()})
    if isinstance(tree, ast.Expression):
        return machine.evaluate(tree.body, scope)
    assert isinstance(tree, ast.Module)
    machine.execute(tree.body, scope)
    return NOTHING


SCOPED: dict[str, Callable[[Machine, Arguments, ast.AST, Scope], Value]] = {
    "builtins.globals": _globals,
    "builtins.locals": _globals,
    "builtins.vars": _globals,
    "builtins.exec": _exec,
    "builtins.eval": _eval,
}
"""The calls that need the scope they stand in, by dotted name."""
