"""What kind of thing an abstract object is: its methods, its elements, its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.heap import (
    NOTHING,
    Bound,
    Function,
    Klass,
    Library,
    Obj,
    Text,
    Thing,
    Value,
    elements,
)
from nb2pipe.analysis.paths import HOLE

if TYPE_CHECKING:
    from nb2pipe.analysis.machine import Machine

ARRAYS = frozenset({"numpy.ndarray", "torch.Tensor", "torch.nn.Parameter"})
"""Types whose slices are views of the same memory."""

TABLES = frozenset({"pandas.DataFrame", "pandas.Series"})
"""Types whose columns are copied when they are written to."""

MEMORY = "memory"
"""The field of a table's raw values."""


def lookup(klass: Klass, name: str) -> Value:
    """An attribute of a notebook's class, its own or a base's."""
    if name in klass.fields:
        return frozenset(klass.fields[name])
    for base in klass.bases:
        if isinstance(base, Klass) and (found := lookup(base, name)):
            return found
    return NOTHING


def library_bases(klass: Klass) -> list[str]:
    """The library classes that a notebook's class derives from."""
    found: list[str] = []
    for base in klass.bases:
        if isinstance(base, Library):
            found.append(base.path)
        elif isinstance(base, Klass):
            found.extend(library_bases(base))
    return found


def type_of(machine: Machine, thing: Thing) -> str:
    """The library type whose methods an object has; empty where it is not known."""
    if thing.klass is None:
        return thing.type
    return next((base for base in library_bases(thing.klass) if machine.table.knows_type(base)), "")


def _methods(value: Value, name: str) -> Value:
    found: set[Obj] = set()
    for thing in value:
        if isinstance(thing, Thing) and thing.klass is not None:
            found |= {
                Bound(thing.born, receiver=thing, function=function)
                for function in lookup(thing.klass, name)
                if isinstance(function, Function)
            }
    return frozenset(found)


def methods(value: Value, *names: str) -> Value:
    """The methods of these names, bound to those objects whose notebook class has them."""
    return frozenset().union(*(_methods(value, name) for name in names))


def column(machine: Machine, table: Thing) -> Value:
    """A column: new by copy-on-write, though its raw values lie in the table's memory."""
    made = machine.thing("pandas.Series")
    made.lenders |= memory(machine, table)
    return frozenset({made})


def memory(machine: Machine, table: Thing) -> Value:
    """The memory of a table's or a column's raw values."""
    lent = frozenset(table.lenders)
    return lent or machine.child(table, MEMORY, "numpy.ndarray")


def element_of(machine: Machine, thing: Thing) -> Value:
    """An element of an object, without the effects of a loop."""
    own = frozenset({thing})
    if thing.type in TABLES or thing.type == "pandas.Index":
        return NOTHING
    if thing.type in ARRAYS:
        return own
    if thing.parts:
        return frozenset({machine.thing(thing.parts[0])})
    if thing.type.startswith("builtins."):
        return elements(own)
    return elements(own) | own


def text_of(value: Value) -> list[str]:
    """The texts that a value may be, where they are known as a whole."""
    return [thing.value for thing in value if isinstance(thing, Text) and HOLE not in thing.value]
