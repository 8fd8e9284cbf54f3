"""Calls of libraries: their effects, as the table tells them, come true on abstract objects."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.analysis import hooks
from nb2pipe.analysis.classes import element_of, methods, type_of
from nb2pipe.analysis.effects import UNKNOWN, Result
from nb2pipe.analysis.file_calls import add_suffix, note_files
from nb2pipe.analysis.heap import (
    ITEMS,
    NOTHING,
    Bound,
    Function,
    Klass,
    Library,
    Obj,
    Partial,
    Thing,
    Value,
    elements,
    reach,
)
from nb2pipe.analysis.machine import GIVEN, Arguments
from nb2pipe.analysis.results import draws, returned_by
from nb2pipe.runtime.patches import PREFIX

if TYPE_CHECKING:
    import ast

    from nb2pipe.analysis.effects import Effect
    from nb2pipe.analysis.machine import Machine

_GENERATORS = frozenset({"numpy.random.Generator", "random.Random", "torch.Generator"})
_HANDED_GENERATORS = ("generator", "random_state", "rng", "seed")
_CHANGED_KEYWORDS = ("out", "ax", "axes", "cax", "file")
_SPECIAL_METHODS = {
    "len": ("__len__",),
    "print": ("__str__", "__repr__"),
    "str": ("__str__", "__repr__"),
    "repr": ("__repr__",),
    "format": ("__format__",),
    "display": ("__repr__", "_repr_html_"),
    "bool": ("__bool__", "__len__"),
    "float": ("__float__",),
    "int": ("__int__",),
    "hash": ("__hash__",),
    "abs": ("__abs__",),
    "isinstance": (),
    "type": (),
    "id": (),
    "hasattr": (),
    "callable": (),
}
_CALLING = frozenset(f"builtins.{name}" for name in ("map", "filter", "sorted", "max", "min", "iter"))
_COMPARING = frozenset({"sort", "index", "count", "remove"})
_SHOWING = frozenset({"builtins.print", "builtins.repr", "builtins.str", "builtins.format", "builtins.display"})
_NOT_LOOKING = frozenset(
    f"builtins.{name}"
    for name in ("len", "list", "tuple", "iter", "next", "enumerate", "zip", "isinstance", "id", "type")
)
_ITERATORS = frozenset({"builtins.iterator", "builtins.generator"})
_KEEPERS = frozenset({"append", "appendleft", "add", "insert", "put", "setdefault", "__setitem__"})
_ITERATION = ("__len__", "__iter__", "__next__", "__getitem__", "__lt__", "__call__", "__array__", "__enter__")


def call_library(machine: Machine, path: str, arguments: Arguments, node: ast.AST) -> Value:
    """A call of a library's function or class by its dotted name."""
    effect = machine.table.of_function(path)
    note_patched(machine, path)
    if own := machine.patched.get(path):
        machine.call(own, arguments, node)
    _run_methods(machine, effect, path, arguments, node)
    if path.startswith(("builtins.", "bisect.", "heapq.")) and path not in _NOT_LOOKING:
        hooks.elements_compared(machine, arguments.all, node, shown=path in _SHOWING)
    if effect.type != "builtins.iterator" and path.removeprefix("builtins.") not in _SPECIAL_METHODS:
        machine.change(_used_up(arguments))
    calls = path in _CALLING or not path.startswith(("builtins.", "inspect.", "copy."))
    result = apply(machine, effect, NOTHING, arguments, node, calls=calls)
    if path in {"numpy.save", "numpy.savez", "numpy.savez_compressed"}:
        add_suffix(machine, arguments, ".npz" if "savez" in path else ".npy")
    return result


def call_method(machine: Machine, thing: Thing, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """A call of a library's method on an object."""
    kind = type_of(machine, thing)
    note_patched(machine, kind)
    receiver = frozenset({thing})
    if thing is machine.names:
        machine.link(thing, ITEMS, arguments.all | elements(arguments.all))
    if name not in _KEEPERS:
        machine.change(_used_up(arguments))
    if name in _COMPARING and kind.startswith("builtins."):
        hooks.elements_compared(machine, receiver, node)
    if name in {"train", "eval"} and machine.table.is_a(kind, "torch.nn.Module"):
        machine.set_mode(reach(receiver), quiet=name == "eval" or arguments.literals.get(0) is False)
    if name == "requires_grad_":
        require_gradients(receiver)
    calls = name == "sort" or not kind.startswith("builtins.")
    return apply(machine, _method_effect(machine, thing, kind, name), receiver, arguments, node, calls=calls)


def _method_effect(machine: Machine, thing: Thing, kind: str, name: str) -> Effect:
    effect = machine.table.of_method(kind, name) if kind else None
    if effect is None and kind.startswith("torch.") and name.endswith("_") and not name.endswith("__"):
        effect = machine.table.of_method("?", "shuffle_")
    if effect is None and (thing.klass is None or name != "__call__"):
        effect = machine.table.of_method("?", name)
    if _is_tensor(machine, kind) and _in_place(name) and effect and "self" not in effect.changes:
        effect = machine.table.of_method("?", "requires_grad_")
    return effect or UNKNOWN


def _is_tensor(machine: Machine, kind: str) -> bool:
    """Whether it may be a tensor: arrays are memory of some, and a module stands for its parameters too."""
    known = kind in {"torch.Tensor", "torch.nn.Parameter", "numpy.ndarray"}
    return known or machine.table.is_a(kind, "torch.nn.Module")


def _in_place(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")


def require_gradients(value: Value) -> None:
    """Makes tensors such that `backward` changes their gradients."""
    for thing in value:
        if isinstance(thing, Thing) and thing.type == "torch.Tensor":
            thing.type = "torch.nn.Parameter"


def set_state(machine: Machine, path: str, new: Value = NOTHING) -> None:
    """Sets an attribute of a library's module: hidden state."""
    effect = machine.table.of_function(f"{path}.__setitem__")
    root = path.partition(".")[0]
    section = machine.table.sections.get(root)
    states = effect.sets or (section.state if section and section.state else frozenset({root}))
    machine.trace.sets |= states
    if not effect.sets:
        machine.trace.sets.add(f"{PREFIX}{path}")
        roots = (root, "builtins") if path in _STREAMS else (root,)
        own = frozenset(thing for thing in new if not isinstance(thing, Library))
        machine.patched = {**dict.fromkeys(roots, NOTHING), **machine.patched, path: own}
        machine.own(f"{PREFIX}{path}", new)


_STREAMS = frozenset({"sys.stdout", "sys.stderr", "sys.displayhook"})


WARNINGS = "warnings"
"""The hidden state of warning filters: any library may warn."""


def note_patched(machine: Machine, path: str) -> None:
    """Notes that a cell uses a library in which a cell has set something, or which may warn where filters were set."""
    root = path.partition(".")[0]
    if WARNINGS in machine.patched and root and root not in sys.stdlib_module_names:
        machine.trace.state.add(WARNINGS)
    if root in machine.patched:
        machine.trace.state.add("sys" if root == "builtins" and "sys" in machine.patched else root)


def apply(  # the parts of a call, and whether it calls what it is given
    machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, node: ast.AST, *, calls: bool = True
) -> Value:
    """What a call of a library returns, and its effects; `calls`: it may call functions that it is given."""
    everything = receiver | arguments.all
    _hidden_state(machine, effect, arguments, everything, node)
    note_files(machine, effect, receiver, arguments)
    _changes(machine, effect, receiver, arguments)
    returned = _callbacks(machine, effect, receiver, arguments, node) if calls else NOTHING
    if effect.keeps:
        for thing in receiver:
            machine.link(thing, ITEMS, _kept(arguments))
    result = returned_by(machine, effect, receiver, arguments, returned)
    if "requires_grad" in arguments.keywords and arguments.literals.get("requires_grad", True) is not False:
        require_gradients(result)
    _graph(machine, effect, result, everything)
    return result | arguments.keywords.get("out", NOTHING) | _not_copied(receiver, arguments)


def _not_copied(receiver: Value, arguments: Arguments) -> Value:
    """What may be returned itself, since no copy is asked for."""
    return receiver or arguments.get(0, None) if arguments.literals.get("copy") is False else NOTHING


def _kept(arguments: Arguments) -> Value:
    lists = frozenset(thing for thing in arguments.all if isinstance(thing, Thing) and thing.type == "builtins.list")
    return arguments.all | elements(lists)


def _hidden_state(machine: Machine, effect: Effect, arguments: Arguments, everything: Value, node: ast.AST) -> None:
    trace = machine.trace
    trace.sets |= effect.sets
    trace.state |= effect.needs
    if effect.unpickles is not None and _unpickles(effect.unpickles, arguments):
        _use_classes(machine, node)
    if "own" in effect.draws:
        for thing in reach(everything, limit=300):
            if isinstance(thing, Thing):
                machine.use(thing)
    if draws(effect, arguments):
        trace.draws |= effect.draws - {"own"}


def _unpickles(condition: tuple[str, ...], arguments: Arguments) -> bool:
    if not condition:
        return True
    wanted, keyword = condition
    return keyword in arguments.keywords and arguments.literals.get(keyword) is not (wanted == "no")


def _use_classes(machine: Machine, node: ast.AST) -> None:
    """What is unpickled may be of any class of the notebook, found by its name."""
    for name, slot in tuple(machine.module.slots.items()):
        if any(isinstance(thing, Klass) for thing in slot.value):
            machine.read_global(name, node)


# ------------------------------------------------------------------------------------------------ changes


def _changes(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments) -> None:
    for place in effect.changes:
        machine.change(_changed(place, effect, receiver, arguments), certain=effect.certain)
    if "inplace" in arguments.keywords and arguments.literals.get("inplace", True) is not False:
        certain = arguments.literals.get("inplace") is True
        machine.change(receiver or arguments.get(0, None), certain=certain)
    if any(GIVEN in thing.draws for thing in receiver if isinstance(thing, Thing)):
        machine.change(arguments.all)
    for keyword in _CHANGED_KEYWORDS:
        machine.change(arguments.keywords.get(keyword, NOTHING))
    for keyword in _HANDED_GENERATORS:
        machine.change(_generators(arguments.keywords.get(keyword, NOTHING)))
    if "own" in effect.draws:
        machine.change(_generators(frozenset(reach(receiver, limit=300))))


def _changed(place: str, effect: Effect, receiver: Value, arguments: Arguments) -> Value:
    match place:
        case "self":
            return receiver
        case "deep":
            return deep(receiver if effect.certain and receiver else receiver | arguments.all)
        case "all":
            return arguments.all if effect.certain else deep(arguments.all)
        case _:
            return arguments.positional[int(place)] if int(place) < len(arguments.positional) else NOTHING


def _used_up(arguments: Arguments) -> Value:
    """The iterators that a call is given, with those that they draw on: whoever reads one advances it."""
    given = [thing for thing in arguments.all if isinstance(thing, Thing) and thing.type in _ITERATORS]
    reached = reach(given, limit=100) if given else set()
    return frozenset(thing for thing in reached if isinstance(thing, Thing) and thing.type in _ITERATORS)


def deep(value: Value) -> Value:
    """All that objects hold, and what they were computed from."""
    seen = reach(value)
    while lent := frozenset().union(*(thing.lenders for thing in seen)) - seen:
        seen |= reach(lent)
    return frozenset(seen)


def _generators(value: Value) -> Value:
    return frozenset(thing for thing in value if isinstance(thing, Thing) and thing.type in _GENERATORS)


def _graph(machine: Machine, effect: Effect, result: Value, everything: Value) -> None:
    """A tensor remembers the parameters that it was computed from, which `backward` changes."""
    if machine.no_graph or (not effect.type.startswith("torch.") and effect.result is not Result.SAME):
        return
    sources: set[Obj] = set()
    for thing in everything | elements(everything):
        if isinstance(thing, Thing) and (thing.lenders or _has_parameters(machine, thing)):
            sources.add(thing)
    for thing in result - everything:
        if isinstance(thing, Thing) and thing.type == "torch.Tensor":
            thing.lenders |= sources


def _has_parameters(machine: Machine, thing: Thing) -> bool:
    kind = type_of(machine, thing)
    if kind == "torch.nn.Parameter":
        return True
    return machine.table.is_a(kind, "torch.nn.Module") and not machine.table.is_a(kind, "torch.nn.Stateless")


def tensor_of(machine: Machine, module: Thing, result: Value) -> None:
    """The result of a module's `forward` remembers the module."""
    if not machine.no_graph:
        for thing in result:
            if isinstance(thing, Thing) and thing is not module:
                thing.lenders.add(module)


# ------------------------------------------------------------------------------------------------ callbacks


def _callbacks(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, node: ast.AST) -> Value:
    """Calls the notebook's functions that a library is given, with what else it is given."""
    given = arguments.all if effect.certain else frozenset(reach(receiver | arguments.all, limit=200))
    held = _held(machine, receiver | arguments.all)
    _call_methods(machine, held - receiver, node)
    given |= held | _kept_functions(receiver)
    functions = frozenset(thing for thing in given if _is_callback(machine, thing))
    if not functions:
        return NOTHING
    others = frozenset(thing for thing in (receiver | arguments.all) - functions if isinstance(thing, Thing))
    handed = frozenset().union(*(element_of(machine, thing) for thing in others))
    if not effect.certain:
        handed |= others
    if effect.hands:
        handed |= receiver
    return _perhaps_called(machine, functions, handed, node)


def _perhaps_called(machine: Machine, functions: Value, handed: Value, node: ast.AST) -> Value:
    """Calls functions that a library may call or not, and what its own functions do to what they are handed."""
    machine.journal.fork()
    machine.doubtful += 1
    own = frozenset(thing for thing in functions if not isinstance(thing, Library))
    returned = machine.call(own, Arguments(extra=handed), node) if own else NOTHING
    if libraries := functions - own:
        returned |= machine.call(libraries, Arguments(positional=(handed,)), node)
    machine.doubtful -= 1
    machine.journal.join([machine.journal.leave(), {}], machine.cell)
    return returned


def _held(machine: Machine, value: Value) -> Value:
    """What estimators hold: whatever is done with one calls the functions and the parts that it was made of."""
    estimators = {
        thing
        for thing in value
        if isinstance(thing, Thing) and machine.table.is_a(type_of(machine, thing), "sklearn.Estimator")
    }
    return frozenset(reach(estimators, limit=200))


def _kept_functions(receiver: Value) -> Value:
    """The notebook's functions that a library's object keeps, as hooks of a module or the rule of a scheduler."""
    keepers = [thing for thing in receiver if isinstance(thing, Thing) and not thing.type.startswith("builtins.")]
    return frozenset(thing for thing in reach(keepers, limit=200) if isinstance(thing, (Function, Partial, Bound)))


def _call_methods(machine: Machine, held: Value, node: ast.AST) -> None:
    things = frozenset(thing for thing in held if isinstance(thing, Thing) and thing.klass is not None)
    names = {name for thing in things if thing.klass for name in _method_names(thing.klass)} - {"__init__"}
    if found := methods(things, *sorted(names)):
        machine.call(found, Arguments(extra=frozenset({machine.thing()})), node)


def _is_callback(machine: Machine, thing: Obj) -> bool:
    if isinstance(thing, Library):
        effect = machine.table.of_function(thing.path)
        return effect.certain and bool(effect.changes or effect.draws or effect.sets)
    return isinstance(thing, (Function, Partial, Bound))


def _run_methods(machine: Machine, effect: Effect, path: str, arguments: Arguments, node: ast.AST) -> None:
    """The methods of a notebook's objects that a library's function calls."""
    things = frozenset(thing for thing in arguments.all if isinstance(thing, Thing) and thing.klass is not None)
    if not things:
        return
    if not effect.certain:
        _call_methods(machine, things, node)
        return
    names = _SPECIAL_METHODS.get(path.removeprefix("builtins."), _ITERATION)
    if found := methods(things, *sorted(names)):
        machine.call(found, Arguments(extra=frozenset({machine.thing()})), node)


def _method_names(klass: Klass) -> set[str]:
    names = {name for name, values in klass.fields.items() if any(isinstance(value, Function) for value in values)}
    for base in klass.bases:
        if isinstance(base, Klass):
            names |= _method_names(base)
    return names
