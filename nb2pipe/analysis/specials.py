"""Calls that no table can describe: `open`, `getattr`, `partial`, joining of paths, methods of texts."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from nb2pipe.analysis import library
from nb2pipe.analysis.classes import text_of
from nb2pipe.analysis.heap import NOTHING, Obj, Partial, Text, Thing, Value, held
from nb2pipe.analysis.objects import load_attribute, store_attribute

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from nb2pipe.analysis.machine import Arguments, Machine


def _open(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    modes = text_of(arguments.get(1, "mode")) or ["r"]
    _note_file(machine, text_of(arguments.get(0, "file")), modes[0])
    return frozenset({machine.thing("builtins.file")})


def _note_file(machine: Machine, texts: list[str], mode: str) -> None:
    paths = {library.normal_path(text) for text in texts}
    machine.trace.state.add("cwd")
    if set(mode) & set("wax+"):
        machine.trace.writes |= paths
    if "r" in mode or not set(mode) & set("wax"):
        machine.trace.reads |= paths


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


def _path(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    parts = [text_of(value) for value in arguments.positional]
    if not all(parts) or not parts:
        return NOTHING
    return machine.text(posixpath.join(*(part[0] for part in parts)))


def _text(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    texts = frozenset(thing for thing in arguments.get(0, None) if isinstance(thing, Text))
    return texts or library.call_library(machine, "builtins.str", arguments, node)


def _wraps(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del arguments, node
    return machine.library("functools.wraps()")


def _transparent(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del machine, node
    return arguments.get(0, None)


def _raw_environment(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del arguments, node
    machine.trace.state.add("environ")
    return NOTHING


SPECIALS: dict[str, Callable[[Machine, Arguments, ast.AST], Value]] = {
    "builtins.open": _open,
    "io.open": _open,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.str": _text,
    "functools.partial": _partial,
    "functools.wraps": _wraps,
    "functools.wraps()": _transparent,
    "functools.lru_cache": _transparent,
    "functools.cache": _transparent,
    "functools.singledispatch": _transparent,
    "contextlib.contextmanager": _transparent,
    "os.path.join": _path,
    "os.fspath": _text,
    "os.environ.__getitem__": _raw_environment,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
}
"""The calls that are followed by code, by dotted name."""


def text_method(machine: Machine, thing: Obj, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """A method of a known text or path."""
    if not isinstance(thing, Text):
        return NOTHING
    receiver = frozenset({thing})
    if name == "open":
        modes = text_of(arguments.get(0, "mode")) or ["r"]
        _note_file(machine, [thing.value], modes[0])
        return frozenset({machine.thing("builtins.file")})
    if name == "joinpath":
        parts = [text_of(value) for value in arguments.positional]
        return machine.text(posixpath.join(thing.value, *(part[0] for part in parts))) if all(parts) else NOTHING
    if name in {"as_posix", "expanduser", "absolute", "resolve", "__str__"}:
        return receiver
    kind = "pathlib.Path" if machine.table.has_method("pathlib.Path", name) else "builtins.str"
    effect = machine.table.of_method(kind, name)
    assert effect is not None
    return library.apply(machine, effect, receiver, arguments, node)
