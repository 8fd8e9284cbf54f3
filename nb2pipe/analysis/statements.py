"""Statements: what they bind and change, branch by branch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from nb2pipe.analysis import specials
from nb2pipe.analysis.branches import follow_if, follow_match, follow_try, follow_with
from nb2pipe.analysis.classes import methods
from nb2pipe.analysis.expressions import make_function, operate
from nb2pipe.analysis.heap import NOTHING, Bound, Function, Klass, Library, Obj, Partial, Thing, Value, elements
from nb2pipe.analysis.hooks import made_class
from nb2pipe.analysis.loops import follow_for, follow_while, leave_loop, leave_round
from nb2pipe.analysis.machine import Arguments, End
from nb2pipe.analysis.names import bound_by_import, eager_expressions
from nb2pipe.analysis.scopes import Scope, ScopeKind
from nb2pipe.analysis.targets import assign, delete

if TYPE_CHECKING:
    from nb2pipe.analysis.machine import Execute, Machine


_OF_PROPERTIES = frozenset({"getter", "setter", "deleter"})


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> End:
    machine.evaluate(node.value, scope)
    return End.NEXT


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> End:
    value = machine.evaluate(node.value, scope)
    for target in node.targets:
        if isinstance(node.value, (ast.GeneratorExp, ast.ListComp)) and isinstance(target, (ast.Tuple, ast.List)):
            _unpack_made(machine, target.elts, node.value, scope)
        else:
            assign(machine, target, value, scope)
        if isinstance(target, ast.Name) and machine.is_none(node.value, scope):
            scope.nones.add(target.id)
    return End.NEXT


def _unpack_made(machine: Machine, targets: list[ast.expr], made: ast.expr, scope: Scope) -> None:
    """What a comprehension makes for each target of `a, b = (... for ...)` is another object."""
    for target in targets:
        value = machine.evaluate(made, scope)
        if isinstance(target, ast.Starred):
            assign(machine, target.value, frozenset({machine.thing("builtins.list", elements(value))}), scope)
        else:
            assign(machine, target, elements(value), scope)


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


def _return(machine: Machine, node: ast.Return, scope: Scope) -> End:
    if node.value is not None:
        scope.returns |= machine.evaluate(node.value, scope)
    if scope.exits is not None:
        scope.exits.out.append(machine.journal.since(scope.exits.level))
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
        if isinstance(expression, ast.Attribute) and expression.attr in _OF_PROPERTIES:
            _mark(value, "property" if expression.attr == "getter" else expression.attr)
            value |= decorator
            continue
        kinds = [
            specials.KINDS[thing.path]
            for thing in decorator
            if isinstance(thing, Library) and thing.path in specials.KINDS
        ]
        if kinds:
            _mark(value, kinds[0])
        value = specials.decorated(machine, value, decorator, node)
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
    keywords = {keyword.arg or "": machine.evaluate(keyword.value, scope) for keyword in node.keywords}
    decorators = [(part, machine.evaluate(part, scope)) for part in node.decorator_list]
    made = Klass(machine.cell, name=node.name, bases=frozenset(bases), definition=machine.definition)
    made.annotated = _annotated_names(node, bases)
    block = machine.block(node)
    inner = Scope(kind=ScopeKind.CLASS, parent=scope, block=block, owner=made, level=machine.journal.level)
    definition, machine.definition = machine.definition, None
    machine.execute(node.body, inner)
    machine.definition = definition
    for name, slot in inner.slots.items():
        machine.link(made, name, slot.value)
        _own(made, name, slot.value)
    made_class(machine, made, keywords, node)
    machine.bind(node.name, _decorated(machine, frozenset({made}), decorators, node), scope)
    return End.NEXT


def _annotated_names(node: ast.ClassDef, bases: set[Obj]) -> tuple[str, ...]:
    inherited = [name for base in bases if isinstance(base, Klass) for name in base.annotated]
    own = [
        part.target.id for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    ]
    return tuple(dict.fromkeys([*inherited, *own]))


def _own(klass: Klass, name: str, value: Value) -> None:
    for thing in value:
        if isinstance(thing, Function) and thing.owner is None:
            thing.owner = klass
            if thing.kind in _OF_PROPERTIES:
                klass.fields.setdefault(f"{name} {thing.kind}", set()).add(thing)


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
        ast.Break: leave_loop,
        ast.Continue: leave_round,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.If: follow_if,
        ast.For: follow_for,
        ast.AsyncFor: follow_for,
        ast.While: follow_while,
        ast.Try: follow_try,
        ast.TryStar: follow_try,
        ast.Match: follow_match,
        ast.With: follow_with,
        ast.AsyncWith: follow_with,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
    },
)
"""How each kind of statement is followed."""
