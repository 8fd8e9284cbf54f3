"""Calls of what the notebook defines: functions, classes, methods, by following their code with the arguments given."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nb2pipe.analysis import library, specials
from nb2pipe.analysis.classes import library_bases, lookup, methods, type_of
from nb2pipe.analysis.effects import UNKNOWN
from nb2pipe.analysis.heap import (
    CACHE,
    FACTORY,
    ITEMS,
    NOTHING,
    REGISTERED,
    Bound,
    Function,
    Klass,
    Library,
    Obj,
    Partial,
    Super,
    Thing,
    Value,
)
from nb2pipe.analysis.hooks import new_instance
from nb2pipe.analysis.machine import CALL_STEPS, MAXIMUM_DEPTH, MAXIMUM_STEPS, Arguments, End, root_of
from nb2pipe.analysis.names import arguments as arguments_of
from nb2pipe.analysis.records import instance_of
from nb2pipe.analysis.scopes import Branch, Jumps, Scope, ScopeKind, Slot
from nb2pipe.analysis.texts import text_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nb2pipe.analysis.machine import Machine


FRESH = {
    "split": "builtins.list",
    "rsplit": "builtins.list",
    "splitlines": "builtins.list",
    "tolist": "builtins.list",
    "to_list": "builtins.list",
    "findall": "builtins.list",
    "groupdict": "builtins.dict",
    "to_dict": "",
}
"""What methods of texts, numbers and arrays make anew, whose receivers are mostly not followed."""
_NOWHERE = ast.Pass()


def call(machine: Machine, callee: Value, arguments: Arguments, node: ast.AST) -> Value:
    """What a call may return, and its effects."""
    if not callee:
        return library.apply(machine, UNKNOWN, NOTHING, arguments, node)
    known = [(handler, target) for target in callee if (handler := _CALLS.get(type(target)))]
    return one_of(machine, [partial(handler, machine, target, arguments, node) for handler, target in known])


def one_of(machine: Machine, calls: Sequence[Callable[[], Value]]) -> Value:
    """What calls may return of which one is made."""
    if len(calls) == 1:
        return calls[0]()
    found: set[Obj] = set()
    branches: list[Branch] = []
    machine.doubtful += 1
    for each in calls:
        machine.journal.fork()
        found |= each()
        branches.append(machine.journal.leave())
    machine.doubtful -= 1
    machine.journal.join(branches, machine.cell)
    return frozenset(found)


def call_method(machine: Machine, value: Value, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """What `value.name(...)` may return, and its effects."""
    if name == "close":
        machine.close(value)
    found = one_of(machine, [partial(_method, machine, thing, name, arguments, node) for thing in value])
    if not value:
        functions = frozenset(thing for thing in arguments.all if isinstance(thing, (Function, Partial, Bound)))
        if functions:
            machine.call(functions, Arguments(extra=arguments.all - functions), node)
    made = FRESH.get(name) if not found else None
    return frozenset({machine.thing(made)}) if made is not None else found


def _method(machine: Machine, thing: Obj, name: str, arguments: Arguments, node: ast.AST) -> Value:
    stored = frozenset(thing.fields.get(name, ()))
    if not stored and isinstance(thing, Thing):
        stored = methods(frozenset({thing}), name)
    if stored and not isinstance(thing, Klass):
        return call(machine, stored, arguments, node)
    match thing:
        case Library():
            return _library(machine, machine.library(f"{thing.path}.{name}"), arguments, node)
        case Super():
            return _super_method(machine, thing, name, arguments, node)
        case Klass():
            return _class_method(machine, thing, name, arguments, node)
        case Thing():
            return library.call_method(machine, thing, name, arguments, node)
        case _:
            return _other_method(machine, thing, name, arguments, node)


def _other_method(machine: Machine, thing: Obj, name: str, arguments: Arguments, node: ast.AST) -> Value:
    if isinstance(thing, Function) and name == "register" and REGISTERED in thing.fields:
        return specials.register(machine, thing, arguments)
    if name == "cache_clear":
        machine.change(frozenset(thing.fields.get(CACHE, ())))
    return text_method(machine, thing, name, arguments, node)


def _library(machine: Machine, value: Value, arguments: Arguments, node: ast.AST) -> Value:
    return frozenset().union(*(_call_library(machine, target, arguments, node) for target in value))


def _call_library(machine: Machine, target: Obj, arguments: Arguments, node: ast.AST) -> Value:
    assert isinstance(target, Library)
    if special := specials.SPECIALS.get(target.path):
        return special(machine, arguments, node)
    if local := _local_function(machine, target.path):
        return call(machine, local, arguments, node)
    kind, _, name = target.path.rpartition(".")
    if arguments.positional and machine.table.is_type(kind) and machine.table.has_method(kind, name):
        rest = replace(arguments, positional=arguments.positional[1:])
        return call_method(machine, arguments.positional[0], name, rest, node)
    return library.call_library(machine, target.path, arguments, node)


def _local_function(machine: Machine, path: str) -> Value:
    """A function or class of a module beside the notebook, whose text is known."""
    module, _, name = path.rpartition(".")
    scope = machine.modules(machine, module) if module else None
    slot = scope.slots.get(name) if scope is not None else None
    return slot.value if slot is not None else NOTHING


def _super_method(machine: Machine, thing: Super, name: str, arguments: Arguments, node: ast.AST) -> Value:
    classes = [one for one in arguments.get(0, None) if isinstance(one, Klass)]
    if name == "__new__" and not any(isinstance(base, Klass) and lookup(base, name) for base in thing.owner.bases):
        return frozenset().union(*(instance_of(machine, klass) for klass in classes))
    for base in thing.owner.bases:
        if isinstance(base, Klass) and (found := lookup(base, name)):
            bound = frozenset(
                Bound(machine.cell, receiver=receiver, function=function)
                for receiver in thing.receiver
                for function in found
                if isinstance(function, Function)
            )
            return call(machine, bound, arguments, node)
    results = [
        library.call_method(machine, receiver, name, arguments, node)
        for receiver in thing.receiver
        if isinstance(receiver, Thing) and not name.startswith("__")
    ]
    return frozenset().union(*results)


def _class_method(machine: Machine, klass: Klass, name: str, arguments: Arguments, node: ast.AST) -> Value:
    found = lookup(klass, name)
    if not found:
        if name == "register":  # of an abstract class: from then on others count as its subclasses
            machine.change(frozenset({klass}))
        return frozenset().union(
            *(library.call_library(machine, f"{base}.{name}", arguments, node) for base in library_bases(klass))
        )
    results: set[Obj] = set()
    for function in found:
        if isinstance(function, Function) and function.kind == "classmethod":
            results |= call_function(machine, function, _with_receiver(klass, arguments))
        else:
            results |= call(machine, frozenset({function}), arguments, node)
    return frozenset(results)


def _with_receiver(receiver: Obj, arguments: Arguments) -> Arguments:
    return Arguments(
        positional=(frozenset({receiver}), *arguments.positional),
        keywords=arguments.keywords,
        extra=arguments.extra,
        literals={key + 1 if isinstance(key, int) else key: one for key, one in arguments.literals.items()},
    )


# ------------------------------------------------------------------------------------------------ functions


def _function(machine: Machine, target: Obj, arguments: Arguments, node: ast.AST) -> Value:
    del node
    assert isinstance(target, Function)
    registered = [thing for thing in target.fields.get(REGISTERED, ()) if isinstance(thing, Function)]
    return one_of(machine, [partial(call_function, machine, each, arguments) for each in (target, *registered)])


def call_function(machine: Machine, function: Function, arguments: Arguments) -> Value:
    """Follows the body of a notebook's function."""
    code = function.node
    if function.definition is not None and function.definition not in machine.trace.needs:
        machine.trace.needs.add(function.definition)
    machine.change(frozenset(function.fields.get(CACHE, ())))
    machine.steps += CALL_STEPS
    if len(machine.depth) >= MAXIMUM_DEPTH or machine.steps > MAXIMUM_STEPS:
        return _summary(machine, function, arguments)
    if code in machine.frames:
        return _recursion(machine, function, arguments)
    block = machine.block(code)
    scope = Scope(
        kind=ScopeKind.FUNCTION,
        parent=function.scope,
        block=block,
        owner=function.owner,
        level=machine.journal.level,
    )
    if block.inner:
        scope.closure = machine.thing("builtins.closure")
    _bind_arguments(machine, function, arguments, scope)
    scope.receiver = arguments.positional[0] if arguments.positional else NOTHING
    machine.places.append(function.born)
    _follow(machine, code, scope)
    machine.places.pop()
    if block.yields:
        return frozenset({machine.thing("builtins.generator", frozenset(scope.returns))})
    if isinstance(code, ast.AsyncFunctionDef):
        return frozenset({machine.thing("builtins.coroutine", frozenset(scope.returns))})
    return frozenset(scope.returns)


def _follow(machine: Machine, code: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> None:
    machine.depth.append(code)
    machine.frames[code] = scope
    definition, machine.definition = machine.definition, None
    try:
        if isinstance(code, ast.Lambda):
            scope.returns |= machine.evaluate(code.body, scope)
        else:
            _run(machine, code, scope)
            if scope.widened:
                _run(machine, code, scope)
    finally:
        machine.definition = definition
        machine.depth.pop()
        del machine.frames[code]


def _run(machine: Machine, code: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
    """Follows a body; where it is left before its end, what it binds outside may be as it was there."""
    block = machine.block(code)
    if not block.yields and block.returns == isinstance(code.body[-1], ast.Return):
        machine.execute(code.body, scope)
        return
    scope.exits = Jumps(level=machine.journal.level)
    machine.journal.fork()
    scope.level = machine.journal.level
    end = machine.execute(code.body, scope)
    branch = machine.journal.leave()
    ways = [*([branch] if end is End.NEXT or not scope.exits.out else []), *scope.exits.out]
    ways += [{}] if block.yields else []  # the body of a generator runs when it is asked for the next element
    machine.journal.join([_outside(way, scope) for way in ways], machine.cell)


def _outside(branch: Branch, scope: Scope) -> Branch:
    return {key: slot for key, slot in branch.items() if key[0] is not scope}


def _recursion(machine: Machine, function: Function, arguments: Arguments) -> Value:
    """A call of what is being followed already: its arguments join those of the call that is followed."""
    frame = machine.frames[function.node]
    inner = Scope(kind=ScopeKind.FUNCTION, parent=function.scope, block=frame.block, level=machine.journal.level)
    _bind_arguments(machine, function, arguments, inner)
    for name, slot in inner.slots.items():
        old = frame.slots.get(name)
        if old is not None and not slot.value <= old.value:
            machine.journal.put(frame, name, old._replace(value=old.value | slot.value))
            frame.widened = True
    return frozenset(frame.returns)


def _summary(machine: Machine, function: Function, arguments: Arguments) -> Value:
    """What the text of a function alone tells: it reads and binds its global names, and may change what it is given."""
    if function not in machine.summarized and root_of(function.scope) is machine.module:
        machine.summarized.add(function)
        _summarize(machine, function)
    given = arguments.all
    if not given:
        return frozenset({machine.thing()})
    machine.change(library.deep(given), certain=False)
    return frozenset({machine.thing(holds=given)})


def _summarize(machine: Machine, function: Function) -> None:
    block = machine.block(function.node)
    for name in sorted(block.free()):
        if name not in machine.module.slots:
            continue
        value = machine.read_global(name, function.node)
        machine.change(value, certain=False)
        for inner in value:
            if isinstance(inner, Function):
                _summary(machine, inner, Arguments())
            elif isinstance(inner, Klass):
                _summarize_class(machine, inner)
    for name in sorted(block.global_binds()):
        old = machine.module.slots.get(name)
        value = frozenset({machine.thing()}) | (old.value if old else NOTHING)
        machine.trace.bound.add(name)
        machine.journal.put(machine.module, name, Slot(value, machine.cell, partial=old is not None))


def _summarize_class(machine: Machine, klass: Klass) -> None:
    for values in tuple(klass.fields.values()):
        for function in values:
            if isinstance(function, Function):
                _summary(machine, function, Arguments())


def _bind_arguments(machine: Machine, function: Function, arguments: Arguments, scope: Scope) -> None:
    spec = function.node.args
    names = [argument.arg for argument in (*spec.posonlyargs, *spec.args)]
    for place, name in enumerate(names):
        given = arguments.get(place, name)
        is_given = place < len(arguments.positional) or name in arguments.keywords
        machine.bind_in(scope, name, given if is_given else arguments.extra | _default(function, name))
    for argument in spec.kwonlyargs:
        name = argument.arg
        value = arguments.keywords.get(name)
        machine.bind_in(scope, name, value if value is not None else arguments.extra | _default(function, name))
    scope.nones |= set(_given_none(spec, names, arguments))
    if spec.vararg:
        rest = frozenset().union(arguments.extra, *arguments.positional[len(names) :])
        machine.bind_in(scope, spec.vararg.arg, frozenset({machine.thing("builtins.tuple", rest)}))
    if spec.kwarg:
        known = {argument.arg for argument in arguments_of(spec)}
        rest = frozenset().union(
            arguments.extra, *(value for name, value in arguments.keywords.items() if name not in known)
        )
        machine.bind_in(scope, spec.kwarg.arg, frozenset({machine.thing("builtins.dict", rest)}))


def _given_none(spec: ast.arguments, names: list[str], arguments: Arguments) -> Iterator[str]:
    """The arguments that are None, because that is given or because nothing is."""
    optional = dict(zip(reversed(names), reversed(spec.defaults), strict=False))
    optional |= {one.arg: default for one, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default}
    places = {name: place for place, name in enumerate(names)}
    for name in (*names, *(one.arg for one in spec.kwonlyargs)):
        place = places.get(name, len(arguments.positional))
        if place < len(arguments.positional) or name in arguments.keywords:
            if arguments.literals.get(name, arguments.literals.get(place, 0)) is None:
                yield name
        elif isinstance(default := optional.get(name), ast.Constant) and default.value is None:
            yield name


def _default(function: Function, name: str) -> Value:
    return frozenset(function.fields.get(f"default {name}", ()))


# ------------------------------------------------------------------------------------------------ classes and objects


def _instantiate(machine: Machine, target: Obj, arguments: Arguments, node: ast.AST) -> Value:
    assert isinstance(target, Klass)
    if target.definition is not None:
        machine.trace.needs.add(target.definition)
    own = new_instance(machine, target, arguments, node) or instance_of(machine, target)
    initializers = methods(own, "__init__")
    made = [thing for thing in own if isinstance(thing, Thing) and thing.klass is target]
    if initializers:
        call(machine, initializers, arguments, node)
    for thing in made if not initializers else ():
        machine.link(thing, ITEMS, arguments.all)
        _set_annotated(machine, thing, target, arguments)
    if after := methods(own, "__post_init__"):
        call(machine, after, Arguments(), node)
    return own


def _set_annotated(machine: Machine, made: Thing, klass: Klass, arguments: Arguments) -> None:
    """The attributes that the `__init__` of a data class sets: by place, by name, or by their defaults."""
    for place, name in enumerate(klass.annotated):
        given = arguments.get(place, name) | arguments.extra
        if place < len(arguments.positional) or name in arguments.keywords:
            machine.link(made, name, given)
            continue
        for default in lookup(klass, name):
            factory = frozenset(default.fields.get(FACTORY, ()))
            machine.link(made, name, machine.call(factory, Arguments(), _NOWHERE) if factory else frozenset({default}))
        machine.link(made, name, given)


def _bound(machine: Machine, target: Obj, arguments: Arguments, node: ast.AST) -> Value:
    assert isinstance(target, Bound)
    if target.function is not None:
        return call_function(machine, target.function, _with_receiver(target.receiver, arguments))
    return _method(machine, target.receiver, target.method, arguments, node)


def _partial(machine: Machine, target: Obj, arguments: Arguments, node: ast.AST) -> Value:
    assert isinstance(target, Partial)
    joined = Arguments(
        positional=(*target.positional, *arguments.positional),
        keywords={**dict(target.keywords), **arguments.keywords},
        extra=arguments.extra,
        literals=arguments.literals,
    )
    return call(machine, target.function, joined, node)


def _thing(machine: Machine, target: Obj, arguments: Arguments, node: ast.AST) -> Value:
    assert isinstance(target, Thing)
    own = frozenset({target})
    if found := methods(own, "__call__"):
        return call(machine, found, arguments, node)
    kind = type_of(machine, target)
    if target.klass is not None and machine.table.is_a(kind, "torch.nn.Module"):
        result = call(machine, methods(own, "forward"), arguments, node)
        library.tensor_of(machine, target, result)
        return result
    return library.call_method(machine, target, "__call__", arguments, node)


_CALLS: dict[type[Obj], Callable[[Machine, Obj, Arguments, ast.AST], Value]] = {
    Function: _function,
    Klass: _instantiate,
    Library: _call_library,
    Bound: _bound,
    Partial: _partial,
    Thing: _thing,
}
