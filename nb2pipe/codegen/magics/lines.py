"""Line magics and shell lines as plain Python of one line."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING

from nb2pipe.codegen.magics.installs import Install, installs, mentions_install
from nb2pipe.notebook.model import MagicKind
from nb2pipe.notebook.reader import without_options
from nb2pipe.notebook.shown import shown
from nb2pipe.notebook.syntax import parsed, parsed_expression, syntax_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.codegen.magics.notes import Notes
    from nb2pipe.notebook.reader import Found

DROPPED = frozenset(
    {"matplotlib", "autoreload", "config", "xmode", "colors", "tensorboard", "lsmagic"}
    | {"pinfo", "pinfo2", "pdoc", "pdef", "psource", "pfile", "psearch"}
)
"""Line magics that only change how Jupyter shows things."""

HARMLESS_EXTENSIONS = frozenset(
    {"autoreload", "tensorboard", "nb_black", "lab_black", "jupyter_black", "blackcellmagic", "watermark", "dotenv"}
    | {"line_profiler", "memory_profiler", "google.colab.data_table", "pycodestyle_magic", "jupyternotify", "nb_mypy"}
)
"""Extensions that bind no names and change no values by being loaded."""

HINT = "write it as plain Python, or tag the cell `skip` if only readers of the notebook need it"

_HINTS = {
    "run": "import what it defines, as from a module",
    "pylab": "import numpy and matplotlib.pyplot by name",
    "store": "save the value to a file, and load it from there",
    "load": "import what it defines, as from a module",
    "reset": "remove it: each step begins in a process of its own",
    "who": "remove it, or print the names that matter",
    "whos": "remove it, or print the names that matter",
}
_ALIASES = frozenset({"mkdir", "rmdir", "mv", "rm", "cp", "cat"})
_INSTALLERS = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})
_JUMP = re.compile(r"-\d+|--\S+|-b\b.*")
_TIMING = re.compile(r"-(?:n\s*(?P<number>\d+)|r\s*(?P<repeat>\d+)|(?P<quiet>q)|p\s*(?P<precision>\d+))(?:\s+|$)")


def line_text(found: Found, notes: Notes) -> str:
    """What stands for a line of IPython syntax, with what is before it in its line."""
    magic = found.magic
    match magic.kind:
        case MagicKind.HELP:
            return found.before + notes.drop(magic.line, f"help, `{shown(found.text)}`, is left out")
        case MagicKind.SHELL:
            return found.before + _shell(found, notes)
        case _:
            word = _WORDS.get(magic.name)
            return word(found, notes) if word else found.before + _known(found, notes)


def timing_options(arguments: str) -> tuple[dict[str, str], str]:
    """The options of `%timeit` as keywords of ours, and the rest of the line."""
    rest = arguments.strip()
    given: dict[str, str] = {}
    while option := _TIMING.match(rest):
        rest = rest[option.end() :]
        given |= {name: "True" if name == "quiet" else value for name, value in option.groupdict().items() if value}
    return given, rest


def note_install(install: Install, line: int, notes: Notes) -> str:
    """Takes over requirements, and says what of them cannot be known."""
    notes.requirements += install.requirements
    for name in install.files:
        hint = "list its packages on the line itself, if modules need more than what they import"
        notes.drop(line, f"packages are not installed by modules; `{shown(name)}` is not read", hint)
    for text in install.other:
        hint = "the requirements hold what the modules import; install anything else beforehand"
        notes.drop(line, f"packages are not installed by modules; `{shown(text)}` is no requirement", hint)
    if not (install.files or install.other):
        named = ", ".join(f"`{shown(text)}`" for text in install.requirements)
        notes.drop(line, f"packages are not installed by modules; the requirements hold {named}" if named else "")
    return "pass"


def _shell(found: Found, notes: Notes) -> str:
    magic, command = found.magic, found.magic.arguments
    install = installs(command)
    if install is not None and found.bare:
        return note_install(install, magic.line, notes)
    if install is not None or mentions_install(command):
        message = "modules do not install packages, and this command does more than that"
        return _value(found, notes.refuse(magic.line, message, "put `pip install` on a line of its own"))
    silent = not found.bare or found.text.startswith("!!")
    return notes.call("shell_lines" if silent else "run_shell", notes.command(command))


def _known(found: Found, notes: Notes) -> str:
    """A magic that is not translated: it is dropped, or refused."""
    magic = found.magic
    if magic.name in _ALIASES and found.bare:
        return notes.call("run_shell", notes.command(f"{magic.name} {magic.arguments}".rstrip()))
    loads = magic.name in {"load_ext", "reload_ext"} and magic.arguments in HARMLESS_EXTENSIONS
    if found.bare and (loads or magic.name in DROPPED):
        written = shown(f"%{magic.name} {magic.arguments}".rstrip())
        return notes.drop(magic.line, f"`{written}` is left out: it only concerns Jupyter")
    return _value(found, refuse_magic(magic.name, "%", magic.line, notes))


def refuse_magic(name: str, sign: str, line: int, notes: Notes) -> str:
    """Notes that a magic cannot stand in a module."""
    return notes.refuse(line, f"modules cannot hold `{shown(sign + name)}`", _HINTS.get(name, HINT))


def _value(found: Found, text: str) -> str:
    return text if found.bare else "None"


def _install(found: Found, notes: Notes) -> str:
    magic = found.magic
    install = installs(f"{magic.name} {magic.arguments}")
    if install is None or not found.bare:
        return found.before + _value(found, refuse_magic(magic.name, "%", magic.line, notes))
    return found.before + note_install(install, magic.line, notes)


def _time(found: Found, notes: Notes) -> str:
    code = found.magic.arguments
    indent = found.before[: len(found.before) - len(found.before.lstrip())]
    timed = f"{indent}with {notes.helper('timed')}(): "
    if found.bare:
        text = f"{timed}{code or 'pass'}"
        if syntax_problem(text.strip()) is None:
            return text
        notes.drop(found.magic.line, "`%time` is left out: a module cannot time this statement in one line")
        return found.before + code
    text = f"{timed}{found.before.strip()} {code}"
    if parsed_expression(code.strip().rstrip(";")) and syntax_problem(text.strip()) is None:
        return text
    refusal = "assign the value in a line of its own, and time it there"
    return found.before + _value(found, notes.refuse(found.magic.line, "modules cannot hold this `%time`", refusal))


def _profile(found: Found, notes: Notes) -> str:
    code = without_options("prun", found.magic.arguments)
    if not found.bare:
        return found.before + _value(found, refuse_magic("prun", "%", found.magic.line, notes))
    notes.drop(found.magic.line, "`%prun` is left out: the code runs without a profile")
    return found.before + (code or "pass")


def _timeit(found: Found, notes: Notes) -> str:
    given, code = timing_options(found.magic.arguments)
    value = _timed_value(code)
    if value is None or not found.bare:
        hint = "time an expression, `%timeit f(x)`, or use time.perf_counter()"
        return found.before + _value(found, notes.refuse(found.magic.line, "modules cannot hold this `%timeit`", hint))
    options = [f"{name}={text}" for name, text in given.items()]
    return found.before + notes.call("time_calls", f"lambda: {value}", *options)


def _timed_value(code: str) -> str | None:
    """The expression that `%timeit` times; `y = f(x)` binds nothing there, so it is `f(x)`."""
    text = code.strip().rstrip(";")
    if parsed_expression(text):
        return text if syntax_problem(f"lambda: {text}") is None else None
    tree = parsed(text)
    match tree.body if tree else []:
        case [ast.Assign(targets=[ast.Name()], value=value)]:
            return ast.get_source_segment(text, value)
        case _:
            return None


def _environment(found: Found, notes: Notes) -> str:
    magic, text = found.magic, found.magic.arguments
    if found.bare and not text:
        return found.before + "pass"
    sets = magic.name == "set_env" or "=" in text or " " in text
    helper = "set_environment" if sets else "environment"
    return found.before + notes.call(helper, *([notes.command(text)] if text else []))


def _change_folder(found: Found, notes: Notes) -> str:
    magic, text = found.magic, found.magic.arguments
    quiet = text.split()[:1] == ["-q"]
    text = text.removeprefix("-q").strip() if quiet else text
    if _JUMP.fullmatch(text) or not found.bare:
        hint = "name the folder"
        return found.before + _value(found, notes.refuse(magic.line, f"modules cannot hold `%cd {shown(text)}`", hint))
    given = [notes.command(_unquoted(text))] if text else []
    return found.before + notes.call("change_folder", *given, *(["quiet=True"] if quiet else []))


def _unquoted(text: str) -> str:
    """The text without the quotes that IPython takes off."""
    try:
        return " ".join(shlex.split(text)) if {"'", '"', "\\"} & set(text) else " ".join(text.split())
    except ValueError:
        return text


def _folder(found: Found, notes: Notes) -> str:
    return found.before + ("pass" if found.bare else notes.call("current_folder"))


def _shell_magic(found: Found, notes: Notes) -> str:
    return found.before + notes.call("shell_lines", notes.command(found.magic.arguments))


def _precision(found: Found, notes: Notes) -> str:
    if not found.bare:
        return found.before + _value(found, refuse_magic("precision", "%", found.magic.line, notes))
    return found.before + notes.call("set_precision", notes.command(found.magic.arguments))


def _delete(found: Found, notes: Notes) -> str:
    words = [word for word in found.magic.arguments.split() if word != "-n"]
    if not words or not found.bare or not all(word.isidentifier() for word in words):
        return found.before + _value(found, refuse_magic("xdel", "%", found.magic.line, notes))
    return f"{found.before}del {', '.join(words)}"


_WORDS: dict[str, Callable[[Found, Notes], str]] = {
    "time": _time,
    "prun": _profile,
    "timeit": _timeit,
    "env": _environment,
    "set_env": _environment,
    "cd": _change_folder,
    "pwd": _folder,
    "sx": _shell_magic,
    "system": _shell_magic,
    "precision": _precision,
    "xdel": _delete,
    **dict.fromkeys(_INSTALLERS, _install),
}
