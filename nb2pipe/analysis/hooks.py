"""What Python calls by itself: when a class is made, when an attribute is read or set, when objects are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.classes import lookup, methods
from nb2pipe.analysis.heap import NOTHING, Function, Klass, Thing, Value, elements
from nb2pipe.analysis.machine import Arguments

if TYPE_CHECKING:
    import ast

    from nb2pipe.analysis.heap import Obj
    from nb2pipe.analysis.machine import Machine

_MAKING = ("__prepare__", "__new__", "__init__")
_COMPARING = (
    "__lt__",
    "__gt__",
    "__le__",
    "__ge__",
    "__eq__",
    "__hash__",
    "__bool__",
    "__len__",
    "__add__",
    "__radd__",
)
_SHOWING = ("__repr__", "__str__")
_CONTAINERS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "builtins.dict", "builtins.frozenset"})


def made_class(machine: Machine, klass: Klass, keywords: dict[str, Value], node: ast.AST) -> None:
    """What happens when a class statement ends: its metaclass, `__set_name__`, `__init_subclass__`."""
    klass.meta = keywords.pop("metaclass", NOTHING) | frozenset().union(
        *(base.meta for base in klass.bases if isinstance(base, Klass))
    )
    own = frozenset({klass})
    name = machine.text(klass.name)
    body = frozenset({machine.thing("builtins.dict", frozenset().union(*klass.fields.values()))})
    for meta in [each for each in klass.meta if isinstance(each, Klass)]:
        for method in _MAKING:
            first = own if method == "__init__" else frozenset({meta})
            _call(machine, lookup(meta, method), (first, name, klass.bases, body), node)
    for attribute, values in tuple(klass.fields.items()):
        if found := methods(frozenset(values), "__set_name__"):
            machine.call(found, Arguments(positional=(own, machine.text(attribute))), node)
    for base in klass.bases:
        if isinstance(base, Klass):
            _call(machine, lookup(base, "__init_subclass__"), (own,), node, keywords)


def _call(
    machine: Machine,
    found: Value,
    positional: tuple[Value, ...],
    node: ast.AST,
    keywords: dict[str, Value] | None = None,
) -> None:
    if found:
        machine.call(found, Arguments(positional=positional, keywords=keywords or {}), node)


def new_instance(machine: Machine, klass: Klass, arguments: Arguments, node: ast.AST) -> Value:
    """What the class's own `__new__` gives, and its metaclass's `__call__`; empty where it has none."""
    own = frozenset({klass})
    for meta in klass.meta:
        if isinstance(meta, Klass) and (found := lookup(meta, "__call__")):
            return machine.call(found, _after(own, arguments), node)
    found = lookup(klass, "__new__")
    return machine.call(found, _after(own, arguments), node) if found else NOTHING


def _after(first: Value, arguments: Arguments) -> Arguments:
    return Arguments(positional=(first, *arguments.positional), keywords=arguments.keywords, extra=arguments.extra)


def described(machine: Machine, thing: Obj, attribute: Obj, node: ast.AST) -> Value | None:
    """What a descriptor's `__get__` gives; None where the attribute is none."""
    found = methods(frozenset({attribute}), "__get__")
    if not found:
        return None
    return machine.call(found, Arguments(positional=(frozenset({thing}), NOTHING)), node)


def asked(machine: Machine, thing: Thing, name: str, node: ast.AST) -> Value:
    """What the class's `__getattr__` gives for an attribute that is not there."""
    found = methods(frozenset({thing}), "__getattr__")
    return machine.call(found, Arguments(positional=(machine.text(name),)), node) if found else NOTHING


def has_setter(thing: Obj, name: str) -> bool:
    """Whether a property or a descriptor of its class takes what an attribute is set to."""
    if not isinstance(thing, Thing) or thing.klass is None:
        return False
    found = lookup(thing.klass, name)
    return bool(lookup(thing.klass, f"{name} setter") or methods(found, "__set__"))


def set_attribute(machine: Machine, value: Value, name: str, new: Value, node: ast.AST) -> None:
    """Calls what the class has for setting an attribute: `__setattr__`, a property's setter, a descriptor."""
    if found := methods(value, "__setattr__"):
        machine.call(found, Arguments(positional=(machine.text(name), new)), node)
    if found := methods(value, f"{name} setter", f"{name} deleter"):
        machine.call(found, Arguments(positional=(new,)), node)
    for thing in value:
        if isinstance(thing, Thing) and thing.klass is not None:
            own = frozenset({thing})
            if found := methods(lookup(thing.klass, name), "__set__", "__delete__"):
                machine.call(found, Arguments(positional=(own, new)), node)


def elements_compared(machine: Machine, value: Value, node: ast.AST, *, shown: bool = False) -> None:
    """Calls what the elements of containers have for being compared, counted or shown."""
    things = frozenset(
        thing
        for thing in elements(frozenset(one for one in value if isinstance(one, Thing) and one.type in _CONTAINERS))
        if isinstance(thing, Thing) and thing.klass is not None
    )
    if found := methods(things, *(_SHOWING if shown else _COMPARING)):
        machine.call(found, Arguments(extra=things), node)


def of_class(klass: Klass, name: str) -> frozenset[Function]:
    """The functions of a class by their name."""
    return frozenset(thing for thing in lookup(klass, name) if isinstance(thing, Function))
