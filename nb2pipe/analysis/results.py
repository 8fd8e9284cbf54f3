"""What calls of libraries return: how it relates to what they are given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.classes import MEMORY, element_of, memory
from nb2pipe.analysis.effects import Result
from nb2pipe.analysis.heap import CLASS, ITEMS, KEYS, NOTHING, SOURCE, Obj, Thing, Value, elements
from nb2pipe.analysis.machine import GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.analysis.effects import Effect
    from nb2pipe.analysis.machine import Arguments, Machine

_NOWHERE = ast.Pass()
_COPIED = 200
"""Objects of which a deep copy keeps the structure."""


def draws(effect: Effect, arguments: Arguments) -> bool:
    """Whether a call draws, by the arguments that its effect depends on."""
    if effect.given is not None and not arguments.literals.get(effect.given, effect.given in arguments.keywords):
        return False
    return effect.unless not in arguments.keywords or arguments.literals.get(effect.unless, 0) is None


def returned_by(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    """What a call returns.

    Args:
        machine: Follows the code.
        effect: What the call does.
        receiver: Whose method it is.
        arguments: What it is given.
        returned: What the notebook's functions among the arguments return.
    """
    keywords = arguments.keywords
    if (
        effect.scalar is not None
        and len(arguments.positional) <= effect.scalar
        and not {"size", "axis"} & set(keywords)
    ):
        things = [thing for thing in receiver | arguments.all if isinstance(thing, Thing)]
        if effect.draws or all(thing.type in {"numpy.ndarray", "builtins.list"} for thing in things):
            return NOTHING
    if effect.number and not any(isinstance(thing, Thing) for thing in arguments.all):
        return NOTHING
    return _RESULTS[effect.result](machine, effect, receiver, arguments, returned)


def _given(receiver: Value, arguments: Arguments) -> Value:
    if receiver:
        return receiver
    first = arguments.positional[0] if arguments.positional else NOTHING
    return first or frozenset().union(*arguments.keywords.values(), arguments.extra)


def _plain(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del machine, effect, receiver, arguments, returned
    return NOTHING


def _new(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del receiver, returned
    later = effect.later if draws(effect, arguments) else frozenset()
    return frozenset({machine.thing(effect.type, draws=later)})


def _same(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del effect, returned
    memo: dict[Obj, Obj] = {}
    given = _given(receiver, arguments)
    if not given:
        return NOTHING
    return frozenset(_copy(machine, thing, memo) for thing in given)


def _copy(machine: Machine, thing: Obj, memo: dict[Obj, Obj]) -> Obj:
    if not isinstance(thing, Thing):
        return thing
    if thing not in memo:
        made = machine.thing(thing.type, klass=thing.klass, draws=thing.draws)
        memo[thing] = made
        for key, values in tuple(thing.fields.items()):
            if key == CLASS:
                machine.link(made, key, frozenset(values))
            elif key != MEMORY and len(memo) < _COPIED:
                machine.link(made, key, frozenset(_copy(machine, inner, memo) for inner in values))
    return memo[thing]


def _view(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del machine, effect, returned
    return _given(receiver, arguments)


def _self(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del machine, effect, arguments, returned
    return receiver


def _holds(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    later = effect.later if draws(effect, arguments) else frozenset()
    if arguments.literals.get("inplace") is True or arguments.literals.get("copy") is False:
        later |= {GIVEN}
    return frozenset({machine.thing(effect.type, receiver | arguments.all | returned, draws=later)})


def _element(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del effect
    source = receiver or arguments.all
    if not receiver and len(arguments.positional) > 1:
        return arguments.all
    taken = frozenset().union(*(element_of(machine, thing) for thing in source if isinstance(thing, Thing)), returned)
    return taken | (frozenset().union(*arguments.positional) if receiver else NOTHING)


def _elements(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    source = frozenset(thing for thing in receiver | arguments.all if isinstance(thing, Thing))
    kind = effect.type or next((thing.type for thing in _given(receiver, arguments) if isinstance(thing, Thing)), "")
    taken = frozenset().union(*(element_of(machine, thing) for thing in source))
    made = machine.thing(kind, taken | returned | _pair_parts(taken) if kind == "builtins.dict" else taken | returned)
    if kind == "builtins.iterator":
        machine.link(made, SOURCE, source)
    for thing in source:
        for key, values in tuple(thing.fields.items()):
            if kind == "builtins.dict" and key not in {ITEMS, KEYS}:
                machine.link(made, key, frozenset(values))
    if kind == "builtins.dict":
        machine.link(made, ITEMS, frozenset().union(*arguments.keywords.values()))
    return frozenset({made})


def _pair_parts(pairs: Value) -> Value:
    return elements(frozenset(pair for pair in pairs if isinstance(pair, Thing) and pair.type == "builtins.tuple"))


def _many(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del effect, receiver, returned
    kinds = tuple(
        next((thing.type for thing in value if isinstance(thing, Thing)), "") for value in arguments.positional
    )
    return frozenset({machine.thing(parts=kinds or ("",))})


def _tuples(machine: Machine, kind: str, parts: tuple[Value, ...], source: Value) -> Value:
    pair = machine.thing("builtins.tuple")
    for place, part in enumerate(parts):
        machine.link(pair, f"[{place}]", part)
    made = machine.thing(kind, frozenset({pair}))
    machine.link(made, SOURCE, source)
    return frozenset({made})


def _items(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del arguments, returned
    keys = frozenset().union(*(thing.fields.get(KEYS, set()) for thing in receiver))
    values = frozenset().union(*(element_of(machine, thing) for thing in receiver if isinstance(thing, Thing)))
    return _tuples(machine, effect.type, (keys, values), receiver)


def _pairs(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del receiver, returned
    first = arguments.positional[0] if arguments.positional else arguments.extra
    return _tuples(machine, effect.type, (NOTHING, machine.iterate(machine, first, _NOWHERE)), first)


def _zip(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del receiver, returned
    parts = tuple(machine.iterate(machine, value, _NOWHERE) for value in arguments.positional)
    return _tuples(machine, effect.type, parts or (elements(elements(arguments.extra)),), arguments.all)


def _memory(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del effect, arguments, returned
    return frozenset().union(*(memory(machine, thing) for thing in receiver if isinstance(thing, Thing)))


def _mapped(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del receiver
    made = machine.thing(effect.type, returned)
    if effect.type == "builtins.iterator":
        machine.link(made, SOURCE, arguments.all)
    return frozenset({made})


def _returned(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments, returned: Value) -> Value:
    del machine, effect, receiver, arguments
    return returned


_RESULTS: dict[Result, Callable[[Machine, Effect, Value, Arguments, Value], Value]] = {
    Result.PLAIN: _plain,
    Result.NEW: _new,
    Result.SAME: _same,
    Result.VIEW: _view,
    Result.SELF: _self,
    Result.HOLDS: _holds,
    Result.ELEMENT: _element,
    Result.ELEMENTS: _elements,
    Result.MANY: _many,
    Result.ITEMS: _items,
    Result.PAIRS: _pairs,
    Result.ZIP: _zip,
    Result.MEMORY: _memory,
    Result.MAPPED: _mapped,
    Result.CHILD: _new,
    Result.RETURNED: _returned,
}
