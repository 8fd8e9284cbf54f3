"""Calls that read and write files: which, as far as their arguments tell."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from nb2pipe.analysis.commands import note_command, note_unordered
from nb2pipe.analysis.effects import ArgumentName
from nb2pipe.analysis.heap import NOTHING, Text, Thing, Value, elements
from nb2pipe.analysis.paths import HOLE, START, inside, joined, normal, patterns_of, unfolded

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable

    from nb2pipe.analysis.effects import Effect
    from nb2pipe.analysis.machine import Arguments, Machine

_ENDINGS = frozenset("*?[")


def note_files(machine: Machine, effect: Effect, receiver: Value, arguments: Arguments) -> None:
    """Notes the files that a call reads and writes, as the table tells."""
    trace = machine.trace
    for names, kept in ((effect.reads, trace.reads), (effect.writes, trace.writes), (effect.makes, trace.makes)):
        for name in names:
            machine.note_paths(kept, paths_in(machine, name, receiver, arguments))
    for name in effect.lists:
        machine.note_paths(trace.reads, map(within, paths_in(machine, name, receiver, arguments) or ["."]))
    for name in effect.fills:
        machine.note_paths(trace.writes, map(inside, paths_in(machine, name, receiver, arguments) or ["."]))
    if "logging" in effect.sets:
        machine.logs |= {path for name in effect.writes for path in paths_in(machine, name, receiver, arguments)}
    elif "logging" in effect.needs:
        machine.note_paths(trace.writes, machine.logs)
    if effect.opens:
        path, *mode = effect.opens
        note_opened(machine, paths_in(machine, path, receiver, arguments), _modes(mode, arguments))


def _modes(names: list[ArgumentName], arguments: Arguments) -> list[str]:
    """How a file is opened; for reading, unless that is said; for anything, where it is not known."""
    for name in names:
        if is_given(arguments, name.place, name.keyword):
            return patterns_of(arguments.get(name.place, name.keyword)) or ["r+"]
    return ["r"]


def note_opened(machine: Machine, paths: Iterable[str], modes: Iterable[str]) -> None:
    """Notes files that are opened, by their modes."""
    found = list(paths)
    for mode in modes:
        if set(mode) & set("wax+") or HOLE in mode:
            machine.note_paths(machine.trace.writes, found)
        if not set(mode) & set("wax"):
            machine.note_paths(machine.trace.reads, found)


def is_given(arguments: Arguments, place: int | None, keyword: str | None) -> bool:
    """Whether a call is given an argument."""
    by_place = place is not None and place < len(arguments.positional)
    return by_place or (keyword is not None and keyword in arguments.keywords)


def paths_in(machine: Machine, name: ArgumentName, receiver: Value, arguments: Arguments) -> list[str]:
    """The paths that an argument may be; an open file that is given in place of one is changed."""
    if name.keyword == "self":
        return patterns_of(receiver)
    if not is_given(arguments, name.place, name.keyword):
        return []
    value = arguments.get(name.place, name.keyword)
    machine.change(frozenset(thing for thing in value if isinstance(thing, Thing)))
    literals = [arguments.literals[key] for key in (name.keyword, name.place) if key in arguments.literals]
    return paths_of(value, is_other=any(not isinstance(literal, str) for literal in literals))


def paths_of(value: Value, *, is_other: bool = False) -> list[str]:
    """The paths that a value may be: a hole where it is one that is not known.

    Args:
        value: The objects.
        is_other: It is a number, or None.
    """
    texts = patterns_of(value)
    if texts or is_other:
        return texts
    unknown = all(isinstance(thing, Text) or (isinstance(thing, Thing) and not thing.type) for thing in value)
    return [HOLE] if unknown else []


def within(path: str) -> str:
    r"""What a listing of a folder, or of a pattern, shows.

    >>> within("data/*.csv"), within("data")
    ('data/\x00.csv', 'data/\x00')
    """
    return unfolded(path) if _ENDINGS & set(path) else inside(path)


def add_suffix(machine: Machine, arguments: Arguments, suffix: str) -> None:
    """What NumPy adds to the path that it is given to save to."""
    for text in patterns_of(arguments.get(0, "file")):
        path = normal(text, machine.folder)
        if not text.endswith((suffix, HOLE)):
            machine.trace.writes.discard(path)
            machine.trace.writes.add(path + suffix)


# ------------------------------------------------------------------------------------------------ followed by code


def _open(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    paths = paths_in(machine, ArgumentName(0, "file"), NOTHING, arguments)
    modes = patterns_of(arguments.get(1, "mode")) if is_given(arguments, 1, "mode") else ["r"]
    note_opened(machine, paths, modes or ["r+"])
    return frozenset({machine.thing("builtins.file")})


def _listing(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`os.listdir` and `glob.glob`: what was written into the folder shows, what is written later must not."""
    del node
    given = arguments.get(0, None).union(*(arguments.get(None, name) for name in _FOLDERS))
    return listed(machine, paths_of(given) if arguments.all or arguments.positional else ["."])


def listed(machine: Machine, paths: list[str]) -> Value:
    """What lies in folders, or matches patterns."""
    found = [within(path) for path in paths]
    machine.note_paths(machine.trace.reads, found)
    return frozenset({machine.thing("builtins.list", machine.text(*found))})


def _names(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`os.listdir`: names without their folder."""
    _listing(machine, arguments, node)
    return frozenset({machine.thing("builtins.list", machine.text(HOLE))})


def _copy(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """A copy, whose target may be a folder."""
    del node
    sources = paths_of(arguments.get(0, "src"))
    targets = paths_of(arguments.get(1, "dst"))
    names = [posixpath.basename(source) or HOLE for source in sources]
    machine.note_paths(machine.trace.reads, sources)
    machine.note_paths(machine.trace.writes, targets)
    for target in targets:
        if not posixpath.splitext(target)[1]:
            machine.note_paths(machine.trace.writes, [posixpath.join(target, name) for name in names])
    return machine.text(*targets)


def _move(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    machine.note_paths(machine.trace.writes, paths_of(arguments.get(0, "src")))
    return _copy(machine, arguments, node)


def _enter(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`os.chdir`."""
    del node
    machine.trace.sets.add("cwd")
    machine.enter(patterns_of(arguments.get(0, "path")) or [HOLE])
    return NOTHING


def _here(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`os.getcwd`."""
    del arguments, node
    machine.trace.state.add("cwd")
    return machine.text(f"{START}{machine.folder}")


def _absolute(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """`os.path.abspath`."""
    del node
    machine.trace.state.add("cwd")
    texts = patterns_of(arguments.get(0, "path")) or [HOLE]
    return machine.text(*(START + normal(text, machine.folder) for text in texts))


def _temporary(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del arguments, node
    return machine.text(f"/tmp/{HOLE}")  # noqa: S108  # it stands for a folder of a name that nobody knows


def _command(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """A command of the system: as a text, or as a list of words."""
    del node
    machine.trace.state |= {"cwd", "environ"}
    given = arguments.get(0, "args") | arguments.get(None, "command") | arguments.get(None, "cmd")
    things = frozenset(thing for thing in given if isinstance(thing, Thing))
    if things:
        note_unordered(machine, patterns_of(elements(things)))
    for text in patterns_of(given):
        note_command(machine, text)
    if not given:
        note_unordered(machine, [HOLE])
    return frozenset({machine.thing("subprocess.Process")})


def _program(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    """A command that may still run when the call has returned."""
    _command(machine, arguments, node)
    return frozenset({machine.thing("subprocess.Popen")})


def _path(machine: Machine, arguments: Arguments, node: ast.AST) -> Value:
    del node
    return machine.text(*joined(arguments.positional)) if arguments.positional else machine.text(".")


_FOLDERS = ("path", "pathname", "top")

FILE_CALLS: dict[str, Callable[[Machine, Arguments, ast.AST], Value]] = {
    "builtins.open": _open,
    "io.open": _open,
    "codecs.open": _open,
    "os.chdir": _enter,
    "os.getcwd": _here,
    "os.path.abspath": _absolute,
    "os.path.realpath": _absolute,
    "os.listdir": _names,
    "os.popen": _command,
    "os.scandir": _listing,
    "os.system": _command,
    "os.walk": _listing,
    "os.path.join": _path,
    "pathlib.Path.cwd": _here,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
    "glob.glob": _listing,
    "glob.iglob": _listing,
    "shutil.copy": _copy,
    "shutil.copy2": _copy,
    "shutil.move": _move,
    "subprocess.Popen": _program,
    "subprocess.call": _command,
    "subprocess.check_call": _command,
    "subprocess.check_output": _command,
    "subprocess.getoutput": _command,
    "subprocess.run": _command,
    "tempfile.TemporaryDirectory": _temporary,
    "tempfile.gettempdir": _temporary,
    "tempfile.mkdtemp": _temporary,
}
"""The calls on files that no table can describe, by dotted name."""
