"""Code that reaches names by their text: `globals()`, `exec`, `eval`, `locals`, `vars`.

What is not literal is a doubt.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.classes import text_of
from nb2pipe.analysis.heap import NOTHING, Value, held
from nb2pipe.analysis.scopes import ScopeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.analysis.machine import Arguments, Machine
    from nb2pipe.analysis.scopes import Scope

_GLOBALS = frozenset({"globals", "locals", "vars"})


def item_of_globals(machine: Machine, node: ast.Subscript, scope: Scope) -> str | None:
    """The name in `globals()["name"]`, where the notebook's own dictionary is meant and the name is known."""
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        return None
    if call.func.id not in _GLOBALS or (call.func.id != "globals" and scope.kind is not ScopeKind.MODULE):
        return None
    if call.func.id in machine.module.slots:
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
    """The dictionary of names: whoever holds it may read and bind all of them."""
    if arguments.positional:
        return held(arguments.positional[0]) | arguments.positional[0]
    local = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != "globals"
    if local and scope.kind is not ScopeKind.MODULE:
        return frozenset({machine.thing("builtins.dict")})
    machine.doubt("all names at once, by `globals()`", node)
    everything(machine, node)
    return frozenset({machine.thing("builtins.dict")})


def everything(machine: Machine, node: ast.AST) -> None:
    """Reads every name and may change all that they hold: the safe side."""
    machine.trace.everything = True
    for name, slot in tuple(machine.module.slots.items()):
        if slot.code:
            machine.change(machine.read_global(name, node), certain=False)


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
        everything(machine, node)
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
