"""Ways that code may take: `if`, `match`, `try`, `with`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.classes import methods
from nb2pipe.analysis.heap import NOTHING, Bound, Function, Library, Thing, Value, awaited
from nb2pipe.analysis.machine import Arguments, End
from nb2pipe.analysis.patterns import capture
from nb2pipe.analysis.scopes import Branch, Scope, joined
from nb2pipe.analysis.targets import assign

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.analysis.machine import Machine

_NO_GRAPH = frozenset({"torch.no_grad", "torch.inference_mode"})
_SWALLOWING = frozenset({"contextlib.suppress", "pytest.raises"})
_CATCHES_NAMES = frozenset({"NameError", "Exception", "BaseException"})
_MAIN = frozenset({"__name__ == '__main__'", "'__main__' == __name__"})


def _branch(machine: Machine, body: list[ast.stmt], scope: Scope) -> tuple[Branch, End]:
    machine.journal.fork()
    machine.doubtful += 1
    end = machine.execute(body, scope)
    machine.doubtful -= 1
    return machine.journal.leave(), end


def follow_if(machine: Machine, node: ast.If, scope: Scope) -> End:
    """`if`: both ways, where it is not known which one is taken."""
    machine.evaluate(node.test, scope)
    known = _truth(node.test)
    if known is not None:
        return machine.execute(node.body if known else node.orelse, scope)
    return _join(machine, [_branch(machine, body, scope) for body in (node.body, node.orelse)])


def _truth(test: ast.expr) -> bool | None:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return True if isinstance(test, ast.Compare) and ast.unparse(test) in _MAIN else None


def _join(machine: Machine, branches: list[tuple[Branch, End]]) -> End:
    """Goes on after the ways that go on; the others were noted where they left."""
    for wanted in (End.NEXT, End.LEFT, End.RAISED):
        if ways := [branch for branch, end in branches if end is wanted]:
            machine.journal.join(ways, machine.cell)
            return wanted
    return End.NEXT


def follow_match(machine: Machine, node: ast.Match, scope: Scope) -> End:
    """`match`: one of its cases is taken, or none."""
    subject = machine.evaluate(node.subject, scope)
    branches: list[tuple[Branch, End]] = []
    for case in node.cases:
        machine.journal.fork()
        machine.doubtful += 1
        capture(machine, case.pattern, subject, scope)
        if case.guard is not None:
            machine.evaluate(case.guard, scope)
        end = machine.execute(case.body, scope)
        machine.doubtful -= 1
        branches.append((machine.journal.leave(), end))
    last = node.cases[-1]
    if last.guard is not None or not isinstance(last.pattern, ast.MatchAs) or last.pattern.pattern is not None:
        branches.append(({}, End.NEXT))
    return _join(machine, branches)


# ------------------------------------------------------------------------------------------------ try


def follow_try(machine: Machine, node: ast.Try, scope: Scope) -> End:
    """`try`: its handlers begin with whatever its body left where it was interrupted."""
    jumps = {id(branch) for branch in scope.jumps()}
    watch = machine.journal.watch()
    body, end = _tried(machine, node, scope)
    machine.journal.unwatch()
    interrupted = watch.interrupted(machine.cell)
    branches = [_after_body(machine, body, end, node, scope)]
    branches += [_handler(machine, interrupted, handler, scope) for handler in node.handlers]
    if not node.finalbody:
        return _join(machine, branches)
    left = [branch for branch in scope.jumps() if id(branch) not in jumps]
    _finally_on_jumps(machine, interrupted, left, node, scope)
    ended = _join(machine, branches)
    last = machine.execute(node.finalbody, scope)
    return last if last is not End.NEXT else ended


def _tried(machine: Machine, node: ast.Try, scope: Scope) -> tuple[Branch, End]:
    catches = any(_catches_names(handler) for handler in node.handlers)
    machine.caught += catches
    machine.journal.fork()
    machine.doubtful += bool(node.handlers)
    end = machine.execute(node.body, scope)
    machine.doubtful -= bool(node.handlers)
    machine.caught -= catches
    return machine.journal.leave(), end


def _after_body(machine: Machine, body: Branch, end: End, node: ast.Try, scope: Scope) -> tuple[Branch, End]:
    machine.journal.fork()
    machine.journal.join([body], machine.cell)
    if end is End.NEXT and node.orelse:
        end = machine.execute(node.orelse, scope)
    return machine.journal.leave(), end


def _handler(machine: Machine, interrupted: Branch, handler: ast.ExceptHandler, scope: Scope) -> tuple[Branch, End]:
    machine.journal.fork()
    machine.journal.join([interrupted, {}], machine.cell)
    machine.doubtful += 1
    if handler.type is not None:
        machine.evaluate(handler.type, scope)
    if handler.name:
        machine.bind(handler.name, frozenset({machine.thing("builtins.exception")}), scope)
    end = machine.execute(handler.body, scope)
    if handler.name:
        machine.unbind(handler.name, scope)
    machine.doubtful -= 1
    return machine.journal.leave(), end


def _finally_on_jumps(machine: Machine, interrupted: Branch, left: list[Branch], node: ast.Try, scope: Scope) -> None:
    """`finally` is run on the way of each jump too, and what it binds holds there."""
    if not left:
        return
    machine.journal.fork()
    machine.journal.join([interrupted, {}], machine.cell)
    machine.journal.fork()
    machine.execute(node.finalbody, scope)
    last = machine.journal.leave()
    machine.journal.leave()
    for branch in left:
        for key, slot in last.items():
            branch[key] = joined([branch[key], slot], machine.cell) if key in branch else slot


def _catches_names(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(part, ast.Name) and part.id in _CATCHES_NAMES for part in parts)


# ------------------------------------------------------------------------------------------------ with


def follow_with(machine: Machine, node: ast.With | ast.AsyncWith, scope: Scope) -> End:
    """`with`: enters and leaves; a context that swallows errors may end its body anywhere."""
    without_graph, swallows = 0, False
    contexts: Value = NOTHING
    for item in node.items:
        value = machine.evaluate(item.context_expr, scope)
        made_by = _callee(machine, item.context_expr, scope)
        without_graph += any(isinstance(thing, Library) and thing.path in _NO_GRAPH for thing in made_by)
        swallows |= any(_may_swallow(thing) for thing in (*made_by, *methods(value, "__exit__", "__aexit__")))
        _enter(machine, item, value, node, scope)
        contexts |= value
    machine.no_graph += without_graph
    end = _interruptible(machine, node.body, scope) if swallows else machine.execute(node.body, scope)
    machine.no_graph -= without_graph
    machine.close(contexts)
    return end


def _enter(machine: Machine, item: ast.withitem, value: Value, node: ast.AST, scope: Scope) -> None:
    entered = value
    if own := methods(value, "__enter__", "__aenter__"):
        entered = awaited(machine.call(own, Arguments(), node))
    elif any(isinstance(thing, Thing) and thing.type == "builtins.generator" for thing in value):
        entered = machine.iterate(machine, value, node)
    if item.optional_vars is not None:
        assign(machine, item.optional_vars, entered, scope)
    if leaving := methods(value, "__exit__", "__aexit__"):
        machine.call(leaving, Arguments(), node)


def _interruptible(machine: Machine, body: list[ast.stmt], scope: Scope) -> End:
    watch = machine.journal.watch()
    branch, end = _branch(machine, body, scope)
    machine.journal.unwatch()
    interrupted = watch.interrupted(machine.cell)
    machine.journal.join([*([branch] if end is End.NEXT else []), interrupted, {}], machine.cell)
    return End.NEXT


def _callee(machine: Machine, expression: ast.expr, scope: Scope) -> Iterable[object]:
    """What is called to make a context."""
    return machine.evaluate(expression.func, scope) if isinstance(expression, ast.Call) else ()


def _may_swallow(thing: object) -> bool:
    """Whether a context that is left may swallow the error that its body raised."""
    match thing:
        case Library(path=path):
            return path in _SWALLOWING
        case Bound(function=Function(node=ast.FunctionDef() | ast.AsyncFunctionDef() as code)):
            return any(isinstance(part, ast.Return) and not _is_false(part.value) for part in ast.walk(code))
        case Function(node=ast.FunctionDef() | ast.AsyncFunctionDef() as code):
            tried = [part for part in ast.walk(code) if isinstance(part, ast.Try) and part.handlers]
            return any(isinstance(part, ast.Yield) for one in tried for part in ast.walk(one))
        case _:
            return False


def _is_false(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and not value.value)
