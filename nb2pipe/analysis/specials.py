"""Calls that no table can describe: `getattr`, `partial`, `defaultdict` and their like."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nb2pipe.analysis import hooks, library, records
from nb2pipe.analysis.classes import text_of
from nb2pipe.analysis.file_calls import FILE_CALLS
from nb2pipe.analysis.heap import (
    CACHE,
    FACTORY,
    ITEMS,
    KEYS,
    NOTHING,
    REGISTERED,
    STATE,
    Function,
    Klass,
    Library,
    Obj,
    Partial,
    Text,
    Thing,
    Value,
    elements,
    held,
)
from nb2pipe.analysis.machine import MAIN, Arguments
from nb2pipe.analysis.objects import load_attribute, store_attribute

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from nb2pipe.analysis.machine import Machine


def _getattr(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    names = text_of(arguments.get(1, None))
    value = arguments.get(0, None)
    found = arguments.get(2, None)
    if not names:
        return found | held(value) | frozenset(thing for thing in value if isinstance(thing, Thing))
    return found.union(*(load_attribute(machine, value, name, node) for name in names))


def _setattr(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    names = text_of(arguments.get(1, None))
    if not names:
        machine.doubt("setattr with a computed name", node)
        if any(isinstance(thing, Library) and thing.path == MAIN for thing in arguments.get(0, None)):
            machine.bind_all()
    for name in names or ["[]"]:
        store_attribute(machine, arguments.get(0, None), name, arguments.get(2, None), node)
    return NOTHING


def _partial(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    made = Partial(
        machine.cell,
        function=arguments.get(0, None),
        positional=arguments.positional[1:],
        keywords=tuple(arguments.keywords.items()),
    )
    machine.link(made, "[]", arguments.all)
    return frozenset({made})


def _text(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    texts = frozenset(thing for thing in arguments.get(0, None) if isinstance(thing, Text))
    return texts or library.call_library(machine, "builtins.str", arguments, node)


def _wraps(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del arguments, node
    return machine.library("functools.wraps()")


def _default_dict(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    given = arguments.get(1, None)
    made = machine.thing("builtins.defaultdict", elements(given).union(*arguments.keywords.values(), arguments.extra))
    machine.link(made, FACTORY, arguments.get(0, "default_factory"))
    return frozenset({made})


def _from_keys(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    made = machine.thing("builtins.dict", arguments.get(1, "value"))
    keys = machine.iterate(machine, arguments.get(0, None), node)
    machine.link(made, KEYS, frozenset(key for key in keys if not isinstance(key, Text)))
    return frozenset({made})


def _field(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """A data class's field: what its default is, or what makes it."""
    del node
    if "default_factory" not in arguments.keywords:
        return arguments.get(None, "default")
    made = machine.thing("dataclasses.Field")
    machine.link(made, FACTORY, arguments.keywords["default_factory"])
    return frozenset({made})


def _named_tuple(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del arguments, node
    return machine.library("collections.namedtuple()")


def _vectorized(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    functions = arguments.get(0, "pyfunc") | arguments.get(None, "func")
    made = Partial(machine.cell, function=functions)
    machine.link(made, "[]", functions)
    return frozenset({made})


def _chain(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """A `ChainMap`, which writes into the first of its mappings and shows all of them."""
    del node
    return arguments.all | {machine.thing("collections.ChainMap", arguments.all)}


def _transparent(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del machine, node
    return arguments.get(0, None)


def _accessor(kind: str) -> Callable[[Machine, Arguments, ast.AST], Value]:
    """A decorator that puts a class of the notebook into one of pandas, under a name that it is told."""

    def register(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
        del node
        for name in text_of(arguments.get(0, "name")):
            library.set_state(machine, f"pandas.{kind}.{name}")
        return machine.library("functools.wraps()")

    return register


def _memo(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`lru_cache` as a call: of a function, or of its options, which gives a decorator."""
    del node
    functions = arguments.get(0, "user_function")
    if not any(isinstance(thing, Function) for thing in functions):
        return machine.library("functools.cache")
    return remember(machine, functions)


def decorated(machine: Machine, value: Value, decorator: Value, node: ast.AST) -> Value:
    """What a decorator of a library makes of a function, where that is more than the function itself."""
    paths = {thing.path for thing in decorator if isinstance(thing, Library)}
    if paths & MEMOS:
        return remember(machine, value)
    if "functools.singledispatch" in paths:
        return _dispatched(machine, Arguments(positional=(value,)), node)
    return value


def remember(machine: Machine, functions: Value) -> Value:
    """Gives functions a cache of results, which every call changes."""
    for function in functions:
        if isinstance(function, Function):
            machine.link(function, CACHE, frozenset({machine.thing("functools.cache")}))
    return functions


def _type(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """The class of an object, whose attributes may be set then."""
    if len(arguments.positional) == _NAME_BASES_BODY:
        return _made_class(machine, arguments, node)
    found: set[Obj] = set()
    for thing in arguments.get(0, None):
        if isinstance(thing, Thing) and thing.klass is not None:
            found.add(thing.klass)
        elif isinstance(thing, Thing) and thing.type:
            found |= machine.library(thing.type)
    return frozenset(found)


def _made_class(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`type(name, bases, attributes)`."""
    name, bases, body = arguments.positional
    made = Klass(machine.cell, name=(text_of(name) or [""])[0], bases=elements(bases))
    for thing in body:
        for key, values in tuple(thing.fields.items()):
            machine.link(made, key[2:-2] if key.startswith("['") else key, frozenset(values))
    hooks.made_class(machine, made, {}, node)
    return frozenset({made})


def _of_kind(kind: str, machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`property(get, put, remove)` and its like as calls: the functions keep their own names, and get another."""
    del machine, node
    kinds = (kind, "setter", "deleter")
    names = ("fget", "fset", "fdel")
    found = [(arguments.get(place, name), each) for place, (name, each) in enumerate(zip(names, kinds, strict=True))]
    return frozenset(
        replace(thing, kind=each) if isinstance(thing, Function) else thing for value, each in found for thing in value
    )


def _new(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`object.__new__(cls)`."""
    del node
    classes = [thing for thing in arguments.get(0, None) if isinstance(thing, Klass)]
    return frozenset().union(*(records.instance_of(machine, klass) for klass in classes))


def _set_plainly(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`object.__setattr__(thing, name, value)`, which calls nothing of the thing's class."""
    del node
    for thing in arguments.get(0, None):
        machine.change(frozenset({thing}))
        for name in text_of(arguments.get(1, None)) or [ITEMS]:
            machine.link(thing, name, arguments.get(2, None))
    return NOTHING


def _module(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """A module by its name."""
    names = text_of(arguments.get(0, "name"))
    if not names:
        return library.call_library(machine, "importlib.reload", arguments, node)
    return frozenset().union(*(machine.library(name) for name in names))


def _dispatched(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`singledispatch`: a function that others are registered with."""
    del node
    for function in arguments.get(0, None):
        machine.link(function, REGISTERED, NOTHING)
    return arguments.get(0, None)


def register(machine: Machine, function: Function, arguments: Arguments) -> Value:
    """`f.register(...)`, by itself or as a decorator."""
    others = frozenset(thing for thing in arguments.all if isinstance(thing, Function))
    if not others:
        return machine.bound(function, method="register")
    machine.change(machine.child(function, STATE))
    machine.link(function, REGISTERED, others)
    return others


def _raw_environment(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del arguments, node
    machine.trace.state.add("environ")
    return NOTHING


KINDS = {
    "builtins.property": "property",
    "builtins.classmethod": "classmethod",
    "builtins.staticmethod": "staticmethod",
    "functools.cached_property": "cached",
    "cached_property.cached_property": "cached",
}
"""What kind of function these make of one."""

_NAME_BASES_BODY = 3

MEMOS = frozenset({"functools.lru_cache", "functools.cache"})
"""The decorators that remember what a function returned."""


SPECIALS: dict[str, Callable[[Machine, Arguments, ast.AST], Value]] = {
    **FILE_CALLS,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.str": _text,
    "builtins.type": _type,
    "copy.copy": records.copied,
    "copy.replace": records.copied,
    "dataclasses.replace": records.copied,
    "builtins.dict.fromkeys": _from_keys,
    "collections.ChainMap": _chain,
    "collections.defaultdict": _default_dict,
    "collections.namedtuple": _named_tuple,
    "dataclasses.field": _field,
    "numpy.vectorize": _vectorized,
    "numpy.frompyfunc": _vectorized,
    "functools.partial": _partial,
    "pandas.api.extensions.register_dataframe_accessor": _accessor("DataFrame"),
    "pandas.api.extensions.register_series_accessor": _accessor("Series"),
    "pandas.api.extensions.register_index_accessor": _accessor("Index"),
    "functools.wraps": _wraps,
    "functools.wraps()": _transparent,
    "functools.lru_cache": _memo,
    "functools.cache": _memo,
    **{path: partial(_of_kind, kind) for path, kind in KINDS.items()},
    "functools.singledispatch": _dispatched,
    "builtins.object.__setattr__": _set_plainly,
    "builtins.object.__delattr__": _set_plainly,
    "builtins.object.__new__": _new,
    "builtins.__import__": _module,
    "importlib.import_module": _module,
    "contextlib.contextmanager": _transparent,
    "os.fspath": _text,
    "os.environ.__getitem__": _raw_environment,
}
"""The calls that are followed by code, by dotted name."""
