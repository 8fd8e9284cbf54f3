"""Expressions: what they may stand for, and what they do."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from nb2pipe.analysis import dynamic
from nb2pipe.analysis.calls import call_method
from nb2pipe.analysis.classes import ARRAYS, TABLES, methods
from nb2pipe.analysis.heap import (
    ITEMS,
    KEYS,
    NOTHING,
    Function,
    Library,
    Super,
    Text,
    Thing,
    Value,
    awaited,
    elements,
)
from nb2pipe.analysis.hooks import elements_compared
from nb2pipe.analysis.loops import is_filled
from nb2pipe.analysis.machine import Arguments
from nb2pipe.analysis.names import query_names
from nb2pipe.analysis.objects import key_of, load_attribute, load_item, use_up
from nb2pipe.analysis.paths import HOLE, combined, filled, joined, patterns_of
from nb2pipe.analysis.scopes import Scope, ScopeKind
from nb2pipe.analysis.targets import assign

if TYPE_CHECKING:
    from nb2pipe.analysis.machine import Evaluate, Machine

_COMPUTED = ARRAYS | TABLES


def _name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    return machine.read(node, scope)


def _constant(machine: Machine, node: ast.Constant, scope: Scope) -> Value:
    del scope
    return machine.text(node.value) if isinstance(node.value, str) else NOTHING


def _joined(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = [machine.evaluate(value, scope) for value in node.values]
    return _known(machine, combined(parts))


def _known(machine: Machine, texts: list[str]) -> Value:
    """Texts of which at least a part is known."""
    return machine.text(*(text for text in texts if text.strip(HOLE) or not text))


def _formatted(machine: Machine, node: ast.FormattedValue, scope: Scope) -> Value:
    value = machine.evaluate(node.value, scope)
    if node.format_spec is not None:
        machine.evaluate(node.format_spec, scope)
        return NOTHING
    if found := methods(value, "__format__", "__str__", "__repr__"):
        machine.call(found, Arguments(), node)
    texts = frozenset(thing for thing in value if isinstance(thing, Text))
    return texts if node.conversion == -1 and len(texts) == len(value) else NOTHING


def _parts(machine: Machine, node: ast.AST, scope: Scope) -> Value:
    """Any expression whose value is a number, a truth or a text."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            machine.evaluate(child, scope)
    return NOTHING


# ------------------------------------------------------------------------------------------------ operators

_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.MatMult: "matmul",
    ast.BitOr: "or",
    ast.BitAnd: "and",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.FloorDiv: "floordiv",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitXor: "xor",
}


def _binary(machine: Machine, node: ast.BinOp, scope: Scope) -> Value:
    spine: list[ast.BinOp] = []
    inner: ast.expr = node
    while isinstance(inner, ast.BinOp):
        spine.append(inner)
        inner = inner.left
    value = machine.evaluate(inner, scope)
    for operation in reversed(spine):
        value = operate(machine, operation.op, value, machine.evaluate(operation.right, scope), operation)
    return value


def operate(machine: Machine, operator: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """What an operator gives: something new."""
    if folded := _folded(machine, operator, left, right):
        return folded
    name = _OPERATORS[type(operator)]
    own = methods(left, f"__{name}__") | methods(right, f"__r{name}__")
    if own:
        return machine.call(own, Arguments(positional=(right | left,)), node)
    return _computed(machine, left | right)


def _folded(machine: Machine, operator: ast.operator, left: Value, right: Value) -> Value:
    """What an operator makes of texts and paths, with a hole for what is not known of them."""
    if not any(isinstance(thing, Text) for thing in left | right):
        return NOTHING
    if isinstance(operator, ast.Mod):
        return machine.text(*map(filled, patterns_of(left)))
    if any(not isinstance(thing, Text) for thing in left | right):
        return NOTHING
    if isinstance(operator, ast.Add):
        return _known(machine, combined((left, right)))
    return _known(machine, joined((left, right))) if isinstance(operator, ast.Div) else NOTHING


def _computed(machine: Machine, operands: Value) -> Value:
    things = [thing for thing in operands if isinstance(thing, Thing)]
    if not things:
        return NOTHING
    known = [thing for thing in things if thing.type in _COMPUTED]
    kind = max(known or things, key=lambda thing: thing.type == "torch.Tensor" or thing.type in TABLES).type
    made = machine.thing(kind)
    if kind in {"builtins.list", "builtins.tuple", "builtins.dict", "builtins.set"}:
        machine.link(made, ITEMS, elements(operands))
    elif kind not in TABLES and not machine.no_graph:
        for thing in things:
            if thing.lenders or thing.type == "torch.nn.Parameter":
                made.lenders.add(thing)
    return frozenset({made})


def _compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    if dynamic.test_of_globals(machine, node):
        return NOTHING
    values = [machine.evaluate(part, scope) for part in (node.left, *node.comparators)]
    found = frozenset().union(*values)
    for operator, value in zip(node.ops, values[1:], strict=True):
        if isinstance(operator, (ast.In, ast.NotIn)):
            use_up(machine, value, node)
    if own := methods(found, "__eq__", "__lt__", "__gt__", "__le__", "__ge__", "__contains__"):
        machine.call(own, Arguments(extra=found), node)
    elements_compared(machine, found, node)
    kinds = sorted(thing.type for thing in found if isinstance(thing, Thing) and thing.type in _COMPUTED)
    return frozenset({machine.thing(kinds[0])}) if kinds else NOTHING


def _boolean(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    found = machine.evaluate(node.values[0], scope)
    machine.doubtful += 1
    for value in node.values[1:]:
        machine.journal.fork()
        found |= machine.evaluate(value, scope)
        machine.journal.join([machine.journal.leave(), {}], machine.cell)
    machine.doubtful -= 1
    return found


def _conditional(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    machine.evaluate(node.test, scope)
    found: Value = NOTHING
    branches = []
    machine.doubtful += 1
    for part in (node.body, node.orelse):
        machine.journal.fork()
        found |= machine.evaluate(part, scope)
        branches.append(machine.journal.leave())
    machine.doubtful -= 1
    machine.journal.join(branches, machine.cell)
    return found


def _unary(machine: Machine, node: ast.UnaryOp, scope: Scope) -> Value:
    value = machine.evaluate(node.operand, scope)
    return NOTHING if isinstance(node.op, ast.Not) else _computed(machine, value)


# ------------------------------------------------------------------------------------------------ containers


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    kind = {ast.List: "builtins.list", ast.Tuple: "builtins.tuple", ast.Set: "builtins.set"}[type(node)]
    made = machine.thing(kind)
    for place, part in enumerate(node.elts):
        if isinstance(part, ast.Starred):
            value = machine.iterate(machine, machine.evaluate(part.value, scope), part)
            machine.link(made, ITEMS, value)
        else:
            positional = kind == "builtins.tuple" and not any(isinstance(one, ast.Starred) for one in node.elts)
            machine.link(made, f"[{place}]" if positional else ITEMS, machine.evaluate(part, scope))
    return frozenset({made})


def _dict(machine: Machine, node: ast.Dict, scope: Scope) -> Value:
    made = machine.thing("builtins.dict")
    for key, part in zip(node.keys, node.values, strict=True):
        if key is None:
            machine.link(made, ITEMS, elements(machine.evaluate(part, scope)))
            continue
        keys = frozenset(thing for thing in machine.evaluate(key, scope) if not isinstance(thing, Text))
        machine.link(made, KEYS, keys)
        machine.link(made, key_of(key) or ITEMS, machine.evaluate(part, scope))
    return frozenset({made})


def _comprehension(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: Scope
) -> Value:
    """What it binds outside by `:=`, or by calls, stays as it was where it has no round."""
    first = node.generators[0]
    source = machine.evaluate(first.iter, scope)
    surely = len(node.generators) == 1 and not first.ifs and is_filled(first.iter)
    machine.journal.fork()
    machine.doubtful += not surely
    made = _rounds(machine, node, source, scope)
    machine.doubtful -= not surely
    machine.journal.join([machine.journal.leave(), *([] if surely else [{}])], machine.cell)
    return frozenset({made})


def _rounds(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, source: Value, scope: Scope
) -> Thing:
    inner = Scope(
        kind=ScopeKind.FUNCTION,
        parent=scope,
        owner=scope.owner,
        receiver=scope.receiver,
        level=machine.journal.level,
    )
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict", ast.GeneratorExp: "generator"}[type(node)]
    made = machine.thing(f"builtins.{kind}")
    for number, generator in enumerate(node.generators):
        values = machine.evaluate(generator.iter, inner) if number else source
        assign(machine, generator.target, machine.iterate(machine, values, generator.iter), inner)
        for test in generator.ifs:
            machine.evaluate(test, inner)
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for part in parts:
        machine.link(made, ITEMS, machine.evaluate(part, inner))
    return made


# ------------------------------------------------------------------------------------------------ access and calls


def _attribute(machine: Machine, node: ast.Attribute, scope: Scope) -> Value:
    return load_attribute(machine, machine.evaluate(node.value, scope), node.attr, node)


def _subscript(machine: Machine, node: ast.Subscript, scope: Scope) -> Value:
    if (name := dynamic.item_of_globals(machine, node, scope)) is not None:
        return machine.read_global(name, node)
    value = machine.evaluate(node.value, scope)
    # A key that such a dictionary lacks is put into it.
    machine.change(frozenset(thing for thing in value if _fills(thing)), certain=False)
    return load_item(machine, value, machine.evaluate(node.slice, scope), node)


def _fills(thing: object) -> bool:
    return isinstance(thing, Thing) and thing.type == "builtins.defaultdict"


def _call(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    for name in sorted(query_names(node) & machine.module.slots.keys()):
        machine.read(ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node), scope)
    if (value := dynamic.of_globals(machine, node, scope)) is not None:
        return value
    if isinstance(node.func, ast.Attribute):
        receiver = machine.evaluate(node.func.value, scope)
        return call_method(machine, receiver, node.func.attr, _arguments(machine, node, scope), node)
    callee = machine.evaluate(node.func, scope)
    if len(callee) == 1 and isinstance(target := next(iter(callee)), Library):
        if target.path == "builtins.super":
            return _super(machine, scope)
        if handler := dynamic.SCOPED.get(target.path):
            arguments = _arguments(machine, node, scope)
            return handler(machine, arguments, node, scope)
    return machine.call(callee, _arguments(machine, node, scope), node)


def _super(machine: Machine, scope: Scope) -> Value:
    method: Scope | None = scope
    while method is not None and method.owner is None:
        method = method.parent
    if method is None or method.owner is None:
        return NOTHING
    return frozenset({Super(machine.cell, owner=method.owner, receiver=method.receiver)})


def _arguments(machine: Machine, node: ast.Call, scope: Scope) -> Arguments:
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    literals: dict[str | int, object] = {}
    extra: Value = NOTHING
    for place, part in enumerate(node.args):
        if isinstance(part, ast.Starred):
            extra |= machine.iterate(machine, machine.evaluate(part.value, scope), part)
            continue
        positional.append(machine.evaluate(part, scope))
        if isinstance(part, ast.Constant) or machine.is_none(part, scope):
            literals[place] = getattr(part, "value", None)
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, scope)
        if keyword.arg is None:
            extra |= elements(value)
            continue
        keywords[keyword.arg] = value
        if isinstance(keyword.value, ast.Constant) or machine.is_none(keyword.value, scope):
            literals[keyword.arg] = getattr(keyword.value, "value", None)
    return Arguments(positional=tuple(positional), keywords=keywords, extra=extra, literals=literals)


# ------------------------------------------------------------------------------------------------ the rest


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    return frozenset({make_function(machine, node, scope)})


def make_function(
    machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
) -> Function:
    """A function object: its defaults are evaluated now, its body is followed when it is called."""
    made = Function(machine.cell, node=node, scope=scope)
    spec = node.args
    names = [argument.arg for argument in (*spec.posonlyargs, *spec.args)]
    for name, default in zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True):
        machine.link(made, f"default {name}", machine.evaluate(default, scope))
    for argument, keyword_default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if keyword_default is not None:
            machine.link(made, f"default {argument.arg}", machine.evaluate(keyword_default, scope))
    outer: Scope | None = scope
    while outer is not None:
        if outer.closure is not None:
            machine.link(made, "closure", frozenset({outer.closure}))
        outer = outer.parent
    return made


def _walrus(machine: Machine, node: ast.NamedExpr, scope: Scope) -> Value:
    value = machine.evaluate(node.value, scope)
    while scope.block is None and scope.parent is not None:
        scope = scope.parent
    machine.bind(node.target.id, value, scope)
    return value


def _await(machine: Machine, node: ast.Await, scope: Scope) -> Value:
    return awaited(machine.evaluate(node.value, scope))


def _starred(machine: Machine, node: ast.Starred, scope: Scope) -> Value:
    return machine.evaluate(node.value, scope)


def _yield(machine: Machine, node: ast.Yield | ast.YieldFrom, scope: Scope) -> Value:
    value: Value = machine.evaluate(node.value, scope) if node.value is not None else NOTHING
    if isinstance(node, ast.YieldFrom):
        value = machine.iterate(machine, value, node)
    _function_scope(scope).returns |= value
    return frozenset({machine.thing()})


def _function_scope(scope: Scope) -> Scope:
    while scope.block is None and scope.parent is not None:
        scope = scope.parent
    return scope


EXPRESSIONS = cast(
    "dict[type[ast.expr], Evaluate]",
    {
        ast.Name: _name,
        ast.Constant: _constant,
        ast.JoinedStr: _joined,
        ast.FormattedValue: _formatted,
        ast.BinOp: _binary,
        ast.Compare: _compare,
        ast.BoolOp: _boolean,
        ast.IfExp: _conditional,
        ast.UnaryOp: _unary,
        ast.List: _sequence,
        ast.Tuple: _sequence,
        ast.Set: _sequence,
        ast.Dict: _dict,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Slice: _parts,
        ast.Call: _call,
        ast.Lambda: _lambda,
        ast.NamedExpr: _walrus,
        ast.Await: _await,
        ast.Starred: _starred,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
    },
)
"""How each kind of expression is followed."""
