"""Attributes and elements of abstract objects: reading, setting and deleting them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis import hooks, library
from nb2pipe.analysis.classes import (
    ARRAYS,
    MEMORY,
    TABLES,
    column,
    element_of,
    library_bases,
    lookup,
    memory,
    methods,
    text_of,
    type_of,
)
from nb2pipe.analysis.effects import Result
from nb2pipe.analysis.heap import (
    CLASS,
    FACTORY,
    ITEMS,
    NOTHING,
    REGISTERED,
    STATE,
    Function,
    Klass,
    Library,
    Obj,
    Super,
    Text,
    Thing,
    Value,
    elements,
    held,
)
from nb2pipe.analysis.machine import MAIN, Arguments, root_of
from nb2pipe.analysis.paths import PARTS

if TYPE_CHECKING:
    from nb2pipe.analysis.effects import Effect
    from nb2pipe.analysis.machine import Machine

_NOWHERE = ast.Pass()
_SEQUENCES = frozenset({"builtins.list", "builtins.tuple"})
_INDEXERS = frozenset({"loc", "iloc", "at", "iat"})


# ------------------------------------------------------------------------------------------------ attributes


def load_attribute(machine: Machine, value: Value, name: str, node: ast.AST) -> Value:
    """What `value.name` may stand for."""
    found: set[Obj] = set()
    for thing in value:
        found |= _attribute(machine, thing, name, node)
    return frozenset(found)


def _attribute(machine: Machine, thing: Obj, name: str, node: ast.AST) -> Value:
    match thing:
        case Library():
            return _of_module(machine, thing, name, node)
        case Klass():
            return _class_attribute(machine, thing, name)
        case Super():
            return _of_super(machine, thing, name, node)
        case Function():
            return _of_function(machine, thing, name, node)
        case Thing():
            by_class = thing.klass is not None
            return (
                _instance_attribute(machine, thing, name, node)
                if by_class
                else _library_attribute(machine, thing, thing.type, name)
            )
        case _:
            part = machine.text(PARTS[name](thing.value)) if isinstance(thing, Text) and name in PARTS else NOTHING
            return part | thing.fields.get(name, set())


STATES = {"os.environ": "environ", "os.environb": "environ", "sys.path": "sys.path"}
"""Objects that are hidden state, whatever is done with them."""


def _of_beside(machine: Machine, module: str, name: str) -> Value | None:
    """What a name of a module beside the notebook holds; None where it is no such module, or has no such name."""
    scope = machine.modules(machine, module)
    if scope is None or name not in scope.slots:
        return None
    machine.trace.state.add(f"{machine.beside.get(scope, '')}.{name}")
    return scope.slots[name].value


def _of_module(machine: Machine, module: Library, name: str, node: ast.AST) -> Value:
    if module.path == MAIN:
        return machine.all_names(node) if name == "__dict__" else machine.read_global(name, node)
    if (found := _of_beside(machine, module.path, name)) is not None:
        return found
    library.note_patched(machine, module.path)
    if found := machine.patched.get(f"{module.path}.{name}"):
        return found | machine.library(f"{module.path}.{name}")
    if not machine.table.knows_module(module.path):
        machine.trace.state.add(module.path.partition(".")[0])
    path = f"{module.path}.{name}"
    machine.trace.state |= {STATES[path]} if path in STATES else set()
    return machine.library(path)


def _of_function(machine: Machine, function: Function, name: str, node: ast.AST) -> Value:
    if name in {"getter", "setter", "deleter"} and function.kind != "function":
        return frozenset({function})
    if name == "register" and REGISTERED in function.fields:
        return machine.bound(function, method=name)
    if name == "__globals__" and root_of(function.scope) is machine.module:
        return machine.all_names(node)
    return frozenset(function.fields.get(name, ()))


def _of_super(machine: Machine, thing: Super, name: str, node: ast.AST) -> Value:
    """An attribute of the next class above, seen through the object whose method asks for it."""
    found = frozenset().union(*(lookup(base, name) for base in thing.owner.bases if isinstance(base, Klass)))
    receivers = [each for each in thing.receiver if isinstance(each, Thing)]
    if not found or not receivers:
        return machine.bound(thing, method=name)
    return frozenset().union(
        *(_from_class(machine, each, name, attribute, node) for each in receivers for attribute in found)
    )


def _class_attribute(machine: Machine, klass: Klass, name: str) -> Value:
    found: set[Obj] = set()
    for held_there in lookup(klass, name):
        if isinstance(held_there, Function) and held_there.kind == "classmethod":
            found |= machine.bound(klass, function=held_there)
        else:
            found.add(held_there)
    if not found:
        for base in library_bases(klass):
            found |= machine.library(f"{base}.{name}")
    return frozenset(found)


def _instance_attribute(machine: Machine, thing: Thing, name: str, node: ast.AST) -> Value:
    if name in thing.fields:
        return frozenset(thing.fields[name])
    assert thing.klass is not None
    if name == CLASS:
        return frozenset({thing.klass})
    found: set[Obj] = set()
    attributes = lookup(thing.klass, name)
    for attribute in attributes:
        found |= _from_class(machine, thing, name, attribute, node)
    if attributes or (found := set(hooks.asked(machine, thing, name, node))):
        return frozenset(found)
    kind = type_of(machine, thing)
    return _library_attribute(machine, thing, kind, name) | frozenset(thing.fields.get(ITEMS, ()))


def _from_class(machine: Machine, thing: Thing, name: str, attribute: Obj, node: ast.AST) -> Value:
    """What an attribute of an object's class is, seen through the object."""
    if not isinstance(attribute, Function):
        given = hooks.described(machine, thing, attribute, node)
        return frozenset({attribute}) if given is None else given
    own = frozenset({thing})
    match attribute.kind:
        case "staticmethod" | "setter" | "deleter" as kind:
            return frozenset({attribute}) if kind == "staticmethod" else NOTHING
        case "property":
            return machine.call(machine.bound(thing, function=attribute), Arguments(), node)
        case "cached":
            kept = machine.call(machine.bound(thing, function=attribute), Arguments(), node)
            machine.change(own)
            machine.link(thing, name, kept)
            return kept
        case kind:
            receiver = thing.klass if kind == "classmethod" and thing.klass is not None else thing
            return machine.bound(receiver, function=attribute)


def _library_attribute(machine: Machine, thing: Thing, kind: str, name: str) -> Value:
    if name in thing.fields:
        return frozenset(thing.fields[name])
    effect = machine.table.of_attribute(kind, name)
    if effect is not None:
        return _described(machine, thing, name, effect)
    if machine.table.has_method(kind, name):
        return machine.bound(thing, method=name)
    if kind in TABLES:
        return column(machine, thing)
    child = machine.child(thing, name)
    # What an object was made of shows in its attributes; what an estimator has learned is its own.
    return child if kind.startswith("builtins.") or name.endswith("_") else child | thing.fields.get(ITEMS, set())


def _described(machine: Machine, thing: Thing, name: str, effect: Effect) -> Value:
    match effect.result:
        case Result.PLAIN:
            return NOTHING
        case Result.VIEW:
            return frozenset({thing})
        case Result.CHILD:
            return machine.child(thing, name, effect.type)
        case Result.MEMORY:
            return memory(machine, thing)
        case _:
            return frozenset({machine.thing(thing.type if effect.result is Result.SAME else effect.type)})


def store_attribute(machine: Machine, value: Value, name: str, new: Value, node: ast.AST) -> None:
    """Does `value.name = new`."""
    for thing in value:
        if isinstance(thing, Library) and thing.path == MAIN:
            machine.bind_in(machine.module, name, new)
            continue
        if isinstance(thing, Library):
            _set_in_library(machine, thing.path, name, new)
            continue
        machine.change(frozenset({thing}) if not isinstance(thing, Function) else machine.child(thing, STATE))
        if not hooks.has_setter(thing, name):
            machine.link(thing, name, new)
        if name == "requires_grad":
            library.require_gradients(frozenset({thing}))
    hooks.set_attribute(machine, value, name, new, node)


def _set_in_library(machine: Machine, path: str, name: str, new: Value) -> None:
    scope = machine.modules(machine, path)
    if scope is not None:
        machine.bind_in(scope, name, new)
    else:
        library.set_state(machine, f"{path}.{name}", new)


# ------------------------------------------------------------------------------------------------ elements


def key_of(node: ast.expr | None) -> str | None:
    """The field of an element whose place is written out."""
    if isinstance(node, ast.Constant) and not (isinstance(node.value, int) and node.value < 0):
        return f"[{node.value!r}]"
    return None


def load_item(machine: Machine, value: Value, index: Value, node: ast.Subscript) -> Value:
    """What `value[index]` may stand for."""
    found: set[Obj] = set()
    for thing in value:
        if isinstance(thing, Thing):
            found |= _item(machine, thing, index, node)
        elif isinstance(thing, Library) and thing.path == "sys.modules":
            found |= frozenset().union(*(machine.library(name) for name in text_of(index)))
        elif isinstance(thing, Library):
            found |= library.call_library(machine, f"{thing.path}.__getitem__", Arguments(), node)
    return frozenset(found)


def _item(machine: Machine, thing: Thing, index: Value, node: ast.Subscript) -> Value:
    own = frozenset({thing})
    if found := methods(own, "__getitem__", "__missing__"):
        made = machine.call(found, Arguments(positional=(index,)), node)
        return made if methods(own, "__getitem__") else made | elements(own)
    kind = type_of(machine, thing)
    if kind in ARRAYS and _is_basic(node.slice, index):
        return own
    if kind in TABLES and isinstance(node.slice, ast.Constant):
        return column(machine, thing)
    if kind in ARRAYS | TABLES:
        return frozenset({machine.thing(kind)})
    if isinstance(node.slice, ast.Slice) and kind in _SEQUENCES:
        return frozenset({machine.thing(kind, elements(own))})
    return _known_item(machine, thing, kind, key_of(node.slice))


def _known_item(machine: Machine, thing: Thing, kind: str, key: str | None) -> Value:
    if thing.parts:
        return frozenset({machine.thing(thing.parts[0])})
    found = frozenset(thing.fields.get(ITEMS, ()))
    if key is None:
        found = elements(frozenset({thing}))
    elif key in thing.fields:
        found |= thing.fields[key]
    if kind == "builtins.defaultdict":
        return _missing(machine, thing, found)
    if kind.startswith("builtins."):
        return found
    return found | {thing} if not kind or not machine.table.has_method(kind, "__getitem__") else found


def _missing(machine: Machine, thing: Thing, found: Value) -> Value:
    """What a `defaultdict` holds, or makes and keeps where it holds nothing."""
    factories = frozenset(thing.fields.get(FACTORY, ()))
    if found:
        factories = frozenset(factory for factory in factories if isinstance(factory, Function))
    made = machine.call(factories, Arguments(), _NOWHERE) if factories else NOTHING
    if made and not found:
        machine.change(frozenset({thing}))
    machine.link(thing, ITEMS, made)
    return found | made


def _is_basic(index: ast.expr, value: Value) -> bool:
    """Whether an index of an array gives a view: slices and numbers do, lists and masks copy."""
    if isinstance(index, ast.Tuple):
        return all(
            _is_basic(part, frozenset().union(*(one.fields.get(f"[{place}]", ()) for one in value)))
            for place, part in enumerate(index.elts)
        )
    if isinstance(index, (ast.List, ast.Compare, ast.BoolOp)):
        return False
    return isinstance(index, (ast.Slice, ast.Constant, ast.UnaryOp)) or not any(
        isinstance(thing, Thing) for thing in value
    )


def store_item(machine: Machine, value: Value, new: Value, node: ast.Subscript) -> None:
    """Does `value[...] = new`."""
    for thing in value:
        if isinstance(thing, Library):
            library.call_library(machine, f"{thing.path}.__setitem__", Arguments(), node)
            continue
        if isinstance(thing, Thing):
            _put_item(machine, thing, new, node)
        machine.change(frozenset({thing}))
    if found := methods(value, "__setitem__"):
        machine.call(found, Arguments(positional=(NOTHING, new)), node)


def _put_item(machine: Machine, thing: Thing, new: Value, node: ast.Subscript) -> None:
    kind = type_of(machine, thing)
    if kind in TABLES:
        if isinstance(node.value, ast.Attribute) and node.value.attr in _INDEXERS:
            machine.change(frozenset(thing.fields.get(MEMORY, ())))
    elif kind not in ARRAYS:
        key = key_of(node.slice) if kind != "builtins.list" else None
        machine.link(thing, key or ITEMS, elements(new) if isinstance(node.slice, ast.Slice) else new)


def delete_item(machine: Machine, value: Value, node: ast.Subscript) -> None:
    """Does `del value[...]`."""
    for thing in value:
        if isinstance(thing, Library):
            library.call_library(machine, f"{thing.path}.__delitem__", Arguments(), node)
    machine.change(value)
    if found := methods(value, "__delitem__"):
        machine.call(found, Arguments(), node)


# ------------------------------------------------------------------------------------------------ iteration


def unpack(machine: Machine, value: Value, place: int) -> Value:
    """What unpacking hands to the target at a place."""
    found: set[Obj] = set()
    for thing in value:
        if isinstance(thing, Thing) and thing.parts:
            found.add(machine.thing(thing.parts[min(place // 2, len(thing.parts) - 1)]))
        elif isinstance(thing, Thing):
            key = f"[{place!r}]"
            found |= thing.fields.get(key, set()) | thing.fields.get(ITEMS, set())
            if not thing.type.startswith("builtins."):
                found.add(thing)
    return frozenset(found)


_CONSUMED = frozenset({"builtins.iterator", "builtins.generator", "builtins.file"})


def iterate(machine: Machine, value: Value, node: ast.AST) -> Value:
    """What a loop over some objects hands over, and its effects: an iterator is used up, a loader draws."""
    found: set[Obj] = set()
    for thing in value:
        if isinstance(thing, Thing):
            found |= _iterated(machine, thing, node)
    return frozenset(found)


def _iterated(machine: Machine, thing: Thing, node: ast.AST) -> Value:
    machine.use(thing)
    own = frozenset({thing})
    if thing.klass is not None:
        found = methods(own, "__iter__", "__next__", "__getitem__")
        returned = machine.call(found, Arguments(), node) if found else NOTHING
        return elements(returned) | returned | elements(own)
    if thing.type in _CONSUMED:
        machine.change(own)
    if thing.type == "torch.utils.data.DataLoader":
        samples = methods(held(own), "__getitem__", "__iter__", "__len__")
        samples |= {one for one in held(own) if isinstance(one, Function)}  # `collate_fn`
        if samples:
            machine.call(samples, Arguments(), node)
        return frozenset({machine.thing("torch.Tensor")})
    return element_of(machine, thing)


def use_up(machine: Machine, value: Value, node: ast.AST) -> None:
    """What unpacking does to the objects that it unpacks."""
    iterators = {thing for thing in value if isinstance(thing, Thing) and (thing.type in _CONSUMED or thing.draws)}
    iterate(machine, frozenset(iterators), node)
