"""Statements: what they bind and change, branch by branch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from nb2pipe.analysis import specials
from nb2pipe.analysis.classes import methods
from nb2pipe.analysis.expressions import make_function, operate
from nb2pipe.analysis.heap import NOTHING, Bound, Function, Klass, Library, Obj, Partial, Thing, Value
from nb2pipe.analysis.machine import Arguments, End
from nb2pipe.analysis.names import bound_by_import, eager_expressions
from nb2pipe.analysis.scopes import Branch, Scope, ScopeKind
from nb2pipe.analysis.targets import assign, capture, delete

if TYPE_CHECKING:
    from nb2pipe.analysis.machine import Execute, Machine

_NO_GRAPH = frozenset({"torch.no_grad", "torch.inference_mode"})
_CATCHES_NAMES = frozenset({"NameError", "Exception", "BaseException"})
_KINDS = {
    "builtins.property": "property",
    "builtins.classmethod": "classmethod",
    "builtins.staticmethod": "staticmethod",
}


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> End:
    machine.evaluate(node.value, scope)
    return End.NEXT


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> End:
    value = machine.evaluate(node.value, scope)
    for target in node.targets:
        assign(machine, target, value, scope)
    return End.NEXT


def _annotated(machine: Machine, node: ast.AnnAssign, scope: Scope) -> End:
    if scope.kind is not ScopeKind.FUNCTION:
        machine.annotate(node.annotation, scope)
    if node.value is not None:
        assign(machine, node.target, machine.evaluate(node.value, scope), scope)
    return End.NEXT


def _augmented(machine: Machine, node: ast.AugAssign, scope: Scope) -> End:
    """A read, a change of what is mutable, and a binding."""
    target = node.target
    if isinstance(target, ast.Name):
        old = machine.read(ast.copy_location(ast.Name(target.id, ast.Load()), target), scope)
    else:
        loaded = (
            ast.Attribute(target.value, target.attr, ast.Load())
            if isinstance(target, ast.Attribute)
            else (ast.Subscript(target.value, target.slice, ast.Load()))
        )
        old = machine.evaluate(ast.copy_location(loaded, target), scope)
    added = machine.evaluate(node.value, scope)
    changed = frozenset(thing for thing in old if isinstance(thing, Thing))
    for thing in changed:
        machine.change(frozenset({thing}), certain=bool(thing.type))
        if thing.type == "builtins.list":
            machine.link(thing, "[]", machine.iterate(machine, added, node))
    if own := methods(changed, f"__i{_operator(node.op)}__"):
        machine.call(own, Arguments(positional=(added,)), node)
    fresh = operate(machine, node.op, old - changed, added, node) if old - changed or not changed else NOTHING
    assign(machine, target, changed | fresh, scope)
    return End.NEXT


def _operator(operator: ast.operator) -> str:
    return type(operator).__name__.lower()


def _delete(machine: Machine, node: ast.Delete, scope: Scope) -> End:
    for target in node.targets:
        delete(machine, target, scope)
    return End.NEXT


def _nothing(machine: Machine, node: ast.stmt, scope: Scope) -> End:
    del machine, node, scope
    return End.NEXT


def _leave(machine: Machine, node: ast.stmt, scope: Scope) -> End:
    del machine, node, scope
    return End.LEFT


def _return(machine: Machine, node: ast.Return, scope: Scope) -> End:
    if node.value is not None:
        scope.returns |= machine.evaluate(node.value, scope)
    return End.LEFT


def _raise(machine: Machine, node: ast.Raise, scope: Scope) -> End:
    for part in (node.exc, node.cause):
        if part is not None:
            machine.evaluate(part, scope)
    return End.RAISED


def _assert(machine: Machine, node: ast.Assert, scope: Scope) -> End:
    machine.evaluate(node.test, scope)
    if node.msg is not None:
        machine.doubtful += 1
        machine.evaluate(node.msg, scope)
        machine.doubtful -= 1
    return End.NEXT


# ------------------------------------------------------------------------------------------------ branches


def _branch(machine: Machine, body: list[ast.stmt], scope: Scope) -> tuple[Branch, End]:
    machine.journal.fork()
    machine.doubtful += 1
    end = machine.execute(body, scope)
    machine.doubtful -= 1
    return machine.journal.leave(), end


def _if(machine: Machine, node: ast.If, scope: Scope) -> End:
    machine.evaluate(node.test, scope)
    known = _truth(node.test)
    if known is not None:
        return machine.execute(node.body if known else node.orelse, scope)
    return _joined(machine, [_branch(machine, body, scope) for body in (node.body, node.orelse)])


def _truth(test: ast.expr) -> bool | None:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return True if ast.unparse(test) == "__name__ == '__main__'" else None


def _joined(machine: Machine, branches: list[tuple[Branch, End]]) -> End:
    living = [branch for branch, end in branches if end is not End.RAISED]
    machine.journal.join(living or [branch for branch, _ in branches], machine.cell)
    if not living:
        return End.RAISED
    return End.LEFT if all(end is not End.NEXT for _, end in branches) else End.NEXT


def _loop(machine: Machine, body: list[ast.stmt], scope: Scope, *, surely: bool) -> None:
    """Follows a body twice, so that what one round leaves is seen by the next."""
    for number in range(1 if machine.loops else 2):
        machine.loops += 1
        branch, _ = _branch(machine, body, scope)
        machine.loops -= 1
        machine.journal.join([branch] if surely and number == 0 else [branch, {}], machine.cell)


def _for(machine: Machine, node: ast.For | ast.AsyncFor, scope: Scope) -> End:
    source = machine.evaluate(node.iter, scope)
    surely = _is_filled(node.iter)
    for number in range(1 if machine.loops else 2):
        handed = machine.iterate(machine, source, node.iter)
        machine.loops += 1
        machine.journal.fork()
        assign(machine, node.target, handed, scope)
        machine.doubtful += not surely
        machine.execute(node.body, scope)
        machine.doubtful -= not surely
        branch = machine.journal.leave()
        machine.loops -= 1
        machine.journal.join([branch] if surely and number == 0 else [branch, {}], machine.cell)
    _loop_else(machine, node.orelse, scope)
    return End.NEXT


def _loop_else(machine: Machine, body: list[ast.stmt], scope: Scope) -> None:
    if body:
        branch, _ = _branch(machine, body, scope)
        machine.journal.join([branch, {}], machine.cell)


def _is_filled(source: ast.expr) -> bool:
    """Whether a loop over it surely has a round."""
    match source:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return any(not isinstance(part, ast.Starred) for part in parts)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Dict(keys=keys):
            return any(key is not None for key in keys)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return _is_filled_call(name, parts)
        case ast.Call(func=ast.Attribute(value=ast.Dict() as inner, attr="items" | "values" | "keys")):
            return _is_filled(inner)
        case _:
            return False


def _is_filled_call(name: str, parts: list[ast.expr]) -> bool:
    if name == "range":
        return _counts(parts)
    if name in {"enumerate", "reversed", "sorted", "list", "tqdm"}:
        return _is_filled(parts[0]) if parts else False
    return name == "zip" and bool(parts) and all(_is_filled(part) for part in parts)


def _counts(arguments: list[ast.expr]) -> bool:
    try:
        return len(range(*(ast.literal_eval(part) for part in arguments))) > 0
    except (ValueError, TypeError, OverflowError):
        return False


def _while(machine: Machine, node: ast.While, scope: Scope) -> End:
    machine.evaluate(node.test, scope)
    surely = _truth(node.test) is True
    _loop(machine, [*node.body, ast.copy_location(ast.Expr(node.test), node)], scope, surely=surely)
    _loop_else(machine, node.orelse, scope)
    return End.NEXT


def _try(machine: Machine, node: ast.Try, scope: Scope) -> End:
    catches = any(_catches_names(handler) for handler in node.handlers)
    machine.caught += catches
    machine.journal.fork()
    machine.doubtful += bool(node.handlers)
    end = machine.execute(node.body, scope)
    machine.doubtful -= bool(node.handlers)
    body = machine.journal.leave()
    machine.caught -= catches
    branches = [_after_body(machine, body, end, node, scope)]
    branches += [_handler(machine, body, handler, scope) for handler in node.handlers]
    ended = _joined(machine, branches)
    if node.finalbody:
        last = machine.execute(node.finalbody, scope)
        return last if last is not End.NEXT else ended
    return ended


def _after_body(machine: Machine, body: Branch, end: End, node: ast.Try, scope: Scope) -> tuple[Branch, End]:
    machine.journal.fork()
    machine.journal.join([body], machine.cell)
    if end is End.NEXT and node.orelse:
        end = machine.execute(node.orelse, scope)
    return machine.journal.leave(), end


def _handler(machine: Machine, body: Branch, handler: ast.ExceptHandler, scope: Scope) -> tuple[Branch, End]:
    machine.journal.fork()
    machine.journal.join([body, {}], machine.cell)
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


def _catches_names(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(part, ast.Name) and part.id in _CATCHES_NAMES for part in parts)


def _match(machine: Machine, node: ast.Match, scope: Scope) -> End:
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
    return _joined(machine, branches)


def _with(machine: Machine, node: ast.With | ast.AsyncWith, scope: Scope) -> End:
    without_graph = 0
    for item in node.items:
        value = machine.evaluate(item.context_expr, scope)
        without_graph += _turns_graph_off(machine, item.context_expr, scope)
        entered = value
        if own := methods(value, "__enter__", "__aenter__"):
            entered = machine.call(own, Arguments(), node)
        elif any(isinstance(thing, Thing) and thing.type == "builtins.generator" for thing in value):
            entered = machine.iterate(machine, value, node)
        if item.optional_vars is not None:
            assign(machine, item.optional_vars, entered, scope)
        if leaving := methods(value, "__exit__", "__aexit__"):
            machine.call(leaving, Arguments(), node)
    machine.no_graph += without_graph
    end = machine.execute(node.body, scope)
    machine.no_graph -= without_graph
    return end


def _turns_graph_off(machine: Machine, expression: ast.expr, scope: Scope) -> bool:
    if not isinstance(expression, ast.Call):
        return False
    return any(
        isinstance(thing, Library) and thing.path in _NO_GRAPH for thing in machine.evaluate(expression.func, scope)
    )


# ------------------------------------------------------------------------------------------------ definitions


def _import(machine: Machine, node: ast.Import, scope: Scope) -> End:
    for alias in node.names:
        path = alias.name if alias.asname else alias.name.partition(".")[0]
        machine.trace.imports.add(alias.name)
        machine.bind(bound_by_import(alias), machine.library(path), scope)
    return End.NEXT


def _import_from(machine: Machine, node: ast.ImportFrom, scope: Scope) -> End:
    module = "." * node.level + (node.module or "")
    machine.trace.imports.add(module)
    if module == "__future__" and scope is machine.module:
        machine.lazy_annotations |= any(alias.name == "annotations" for alias in node.names)
    for alias in node.names:
        if alias.name != "*":
            machine.bind(alias.asname or alias.name, _imported(machine, module, alias.name), scope)
            continue
        for name in machine.star_exports.get(module, ()):
            machine.bind(name, _imported(machine, module, name), scope)
        if module not in machine.star_exports and machine.definition is not None:
            machine.unknown_stars[machine.definition] = module
    return End.NEXT


def _imported(machine: Machine, module: str, name: str) -> Value:
    local = machine.modules(machine, module)
    if local is not None and name in local.slots:
        return local.slots[name].value
    return machine.library(f"{module}.{name}")


def _function(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> End:
    decorators = [(part, machine.evaluate(part, scope)) for part in node.decorator_list]
    for part in eager_expressions(node):
        if part not in node.args.defaults and part not in node.args.kw_defaults:
            machine.annotate(part, scope)
    made = make_function(machine, node, scope)
    made.definition = machine.definition
    machine.bind(node.name, _decorated(machine, frozenset({made}), decorators, node), scope)
    return End.NEXT


def _decorated(machine: Machine, value: Value, decorators: list[tuple[ast.expr, Value]], node: ast.AST) -> Value:
    """What decorators make of a function: a library's leave it as it is, the notebook's are called."""
    for expression, decorator in reversed(decorators):
        if isinstance(expression, ast.Attribute) and expression.attr in {"setter", "deleter"}:
            _mark(value, f"{expression.attr}")
        kinds = [_KINDS[thing.path] for thing in decorator if isinstance(thing, Library) and thing.path in _KINDS]
        if kinds or any(isinstance(thing, Library) and thing.path.endswith("cached_property") for thing in decorator):
            _mark(value, kinds[0] if kinds else "property")
        if any(isinstance(thing, Library) and thing.path in specials.MEMOS for thing in decorator):
            value = specials.remember(machine, value)
        own = frozenset(thing for thing in decorator if isinstance(thing, (Function, Klass, Partial, Bound)))
        if own:
            value = machine.call(own, Arguments(positional=(value,)), node) or value
    return value


def _mark(value: Value, kind: str) -> None:
    for thing in value:
        if isinstance(thing, Function):
            thing.kind = kind


def _class(machine: Machine, node: ast.ClassDef, scope: Scope) -> End:
    bases: set[Obj] = set()
    for base in node.bases:
        bases |= machine.evaluate(base, scope)
    for keyword in node.keywords:
        machine.evaluate(keyword.value, scope)
    decorators = [(part, machine.evaluate(part, scope)) for part in node.decorator_list]
    made = Klass(machine.cell, name=node.name, bases=frozenset(bases), definition=machine.definition)
    block = machine.block(node)
    inner = Scope(kind=ScopeKind.CLASS, parent=scope, block=block, owner=made, level=machine.journal.level)
    definition, machine.definition = machine.definition, None
    machine.execute(node.body, inner)
    machine.definition = definition
    for name, slot in inner.slots.items():
        machine.link(made, name, slot.value)
        _own(made, name, slot.value)
    machine.bind(node.name, _decorated(machine, frozenset({made}), decorators, node), scope)
    return End.NEXT


def _own(klass: Klass, name: str, value: Value) -> None:
    for thing in value:
        if isinstance(thing, Function) and thing.owner is None:
            thing.owner = klass
            if thing.kind == "setter":
                klass.fields.setdefault(f"{name} setter", set()).add(thing)


STATEMENTS = cast(
    "dict[type[ast.stmt], Execute]",
    {
        ast.Expr: _expression,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.Delete: _delete,
        ast.Pass: _nothing,
        ast.Global: _nothing,
        ast.Nonlocal: _nothing,
        ast.Break: _leave,
        ast.Continue: _leave,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.If: _if,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.While: _while,
        ast.Try: _try,
        ast.TryStar: _try,
        ast.Match: _match,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
    },
)
"""How each kind of statement is followed."""
