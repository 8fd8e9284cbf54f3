"""New instances and shallow copies of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.classes import methods
from nb2pipe.analysis.heap import CLASS, Klass, Thing, Value
from nb2pipe.analysis.machine import Arguments

if TYPE_CHECKING:
    import ast

    from nb2pipe.analysis.machine import Machine


def instance_of(machine: Machine, klass: Klass) -> Value:
    """A new instance of a class."""
    made = machine.thing(klass=klass)
    machine.link(made, CLASS, frozenset({klass}))
    return frozenset({made})


def copied(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`copy.copy` and `replace`: new objects that hold the same, but for what is given by name."""
    given = arguments.get(0, None)
    if own := methods(given, "__copy__", "__replace__"):
        return machine.call(own, Arguments(keywords=arguments.keywords), node)
    found = frozenset(_shallow(machine, thing, arguments.keywords) for thing in given if isinstance(thing, Thing))
    return found | frozenset(thing for thing in given if not isinstance(thing, Thing))


def _shallow(machine: Machine, thing: Thing, changed: dict[str, Value]) -> Thing:
    made = machine.thing(thing.type, klass=thing.klass, draws=thing.draws)
    for key, values in tuple(thing.fields.items()):
        if key not in changed:
            machine.link(made, key, frozenset(values))
    for key, value in changed.items():
        machine.link(made, key, value)
    return made
