"""Methods and attributes of texts and paths whose value is known, at least in part."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from nb2pipe.analysis import library
from nb2pipe.analysis.file_calls import is_given, listed, note_opened, paths_of
from nb2pipe.analysis.heap import NOTHING, Obj, Text, Value
from nb2pipe.analysis.paths import HOLE, START, filled, joined, normal, patterns_of

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from nb2pipe.analysis.machine import Arguments, Machine


def _opened(machine: Machine, thing: Text, arguments: Arguments) -> Value:
    modes = patterns_of(arguments.get(0, "mode")) if is_given(arguments, 0, "mode") else ["r"]
    note_opened(machine, [thing.value], modes or ["r+"])
    return frozenset({machine.thing("builtins.file")})


def _globbed(machine: Machine, thing: Text, arguments: Arguments) -> Value:
    patterns = paths_of(arguments.get(0, "pattern"))
    return listed(machine, [posixpath.join(thing.value, HOLE if HOLE in one else f"*{one}") for one in patterns])


def _filled(machine: Machine, thing: Text, arguments: Arguments) -> Value:
    del arguments
    return machine.text(filled(thing.value))


def _joined(machine: Machine, thing: Text, arguments: Arguments) -> Value:
    return machine.text(*joined((frozenset({thing}), *arguments.positional)))


def _with_suffix(machine: Machine, thing: Text, arguments: Arguments) -> Value:
    endings = patterns_of(arguments.get(0, "suffix")) or [HOLE]
    return machine.text(*(posixpath.splitext(thing.value)[0] + ending for ending in endings))


def _with_name(machine: Machine, thing: Text, arguments: Arguments) -> Value:
    names = patterns_of(arguments.get(0, "name")) or [HOLE]
    return machine.text(*(posixpath.join(posixpath.dirname(thing.value), name) for name in names))


_TEXT_METHODS: dict[str, Callable[[Machine, Text, Arguments], Value]] = {
    "open": _opened,
    "iterdir": lambda machine, thing, _: listed(machine, [thing.value]),
    "glob": _globbed,
    "rglob": lambda machine, thing, _: listed(machine, [thing.value]),
    "joinpath": _joined,
    "format": _filled,
    "with_suffix": _with_suffix,
    "with_name": _with_name,
    "absolute": lambda machine, thing, _: machine.text(START + normal(thing.value, machine.folder)),
    "resolve": lambda machine, thing, _: machine.text(START + normal(thing.value, machine.folder)),
    **dict.fromkeys(("as_posix", "expanduser", "__str__"), lambda _, thing, __: frozenset({thing})),
}
"""The methods of texts and paths whose result is known, too."""


def text_method(machine: Machine, thing: Obj, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """A method of a known text or path."""
    if not isinstance(thing, Text):
        return NOTHING
    receiver = frozenset({thing})
    if handler := _TEXT_METHODS.get(name):
        return handler(machine, thing, arguments)
    kind = "pathlib.Path" if machine.table.has_method("pathlib.Path", name) else "builtins.str"
    effect = machine.table.of_method(kind, name)
    assert effect is not None
    return library.apply(machine, effect, receiver, arguments, node)
