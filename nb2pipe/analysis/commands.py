"""What commands of the shell and IPython's magics do outside of variables: files, working directory, environment."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from nb2pipe.analysis.paths import HOLE, inside, patterns_of, unfolded
from nb2pipe.notebook.model import MagicKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nb2pipe.analysis.machine import Machine
    from nb2pipe.notebook.model import Magic

_SHELLS = frozenset({"bash", "sh", "script", "!", "sx", "system"})
_REDIRECT = re.compile(r"(?<![0-9<>&])>>?\s*([^\s|;&>]+)")
_INPUT = re.compile(r"(?<!<)<\s*([^\s|;&<>(]+)")
_PARTS = re.compile(r"\|\||&&|[;|\n&]")
_NAMES = re.compile(r"\$\([^)]*\)|`[^`]*`|\$\{[^}]*\}|\$\w+|\{[^{}]*\}")
_SETTERS = {"cd": "cwd", "pushd": "cwd", "popd": "cwd", "env": "environ", "set_env": "environ"}

_BEFORE = frozenset({"sudo", "time", "nohup", "exec", "then", "do", "else"})
_SHOWING = frozenset(
    {
        "echo",
        "printf",
        "pwd",
        "date",
        "whoami",
        "hostname",
        "uname",
        "nproc",
        "free",
        "df",
        "which",
        "type",
        "env",
        "true",
        "false",
        "sleep",
        "pip",
        "pip3",
        "conda",
        "mamba",
        "apt",
        "apt-get",
        "ps",
        "top",
        "kill",
        "id",
        "lscpu",
        "exit",
        "export",
        "set",
        "cd",
        "nvidia-smi",
        "nvcc",
        "ulimit",
        "locale",
        "tput",
        "clear",
        "history",
        "man",
        "uptime",
        "for",
        "in",
        "while",
        "done",
        "fi",
        "if",
        "esac",
        "case",
        "read",
        "return",
    }
)
"""Commands that show something of the machine, or install packages; their words are no files."""

_READING = frozenset(
    {
        "cat",
        "head",
        "tail",
        "wc",
        "grep",
        "egrep",
        "fgrep",
        "zgrep",
        "zcat",
        "sort",
        "uniq",
        "cut",
        "tr",
        "diff",
        "cmp",
        "md5sum",
        "sha1sum",
        "sha256sum",
        "file",
        "stat",
        "less",
        "more",
        "awk",
        "gawk",
        "od",
        "xxd",
        "hexdump",
        "jq",
        "column",
        "nl",
        "paste",
        "join",
        "comm",
        "rev",
        "tac",
        "fold",
        "sed",
        "test",
        "[",
        "base64",
        "strings",
        "identify",
        "ffprobe",
    }
)
_LISTING = frozenset({"ls", "du", "tree", "find", "dir"})
_MAKING = frozenset({"mkdir"})
_WRITING = frozenset(
    {"touch", "tee", "rm", "rmdir", "truncate", "chmod", "chown", "mv", "rename", "shred", "gzip", "gunzip"}
)
_UNPACKING = frozenset({"unzip", "tar", "bunzip2", "7z", "unrar"})
_FETCHING = frozenset({"wget", "curl"})
_ASKS = frozenset({"--version", "-V", "-version", "--help", "-h"})


def note_magics(machine: Machine, magics: Iterable[Magic]) -> None:
    """Adds what a cell's IPython syntax does to its trace."""
    for magic in magics:
        if magic.kind is MagicKind.SHELL:
            _shell(machine, magic.arguments)
        elif magic.name in {"writefile", "file"}:
            words = [word for word in _words(_with_values(machine, magic.arguments)) if not word.startswith("-")]
            machine.note_paths(machine.trace.writes, words[:1])
        elif magic.kind is MagicKind.CELL and magic.name in _SHELLS:
            _shell(machine, magic.body)
        elif magic.name in _SHELLS:
            _shell(machine, magic.arguments)
        elif magic.name in _SETTERS and magic.arguments.strip():
            machine.trace.sets.add(_SETTERS[magic.name])
            if magic.name in {"cd", "pushd"}:
                machine.enter([_with_values(machine, magic.arguments.strip())])


def _shell(machine: Machine, command: str) -> None:
    machine.trace.state |= {"cwd", "environ"}
    note_command(machine, command)


def note_command(machine: Machine, command: str) -> None:
    """Notes the files of a command of the shell."""
    command = _with_values(machine, command.replace("\\\n", " "))
    for line in _REDIRECT.findall(command):
        path = _unquoted(line)
        if not path.startswith("/dev/"):
            machine.note_paths(machine.trace.writes, [unfolded(path)])
    machine.note_paths(machine.trace.reads, (unfolded(_unquoted(path)) for path in _INPUT.findall(command)))
    for part in _PARTS.split(_INPUT.sub(" ", _REDIRECT.sub(" ", command))):
        note_words(machine, _words(part))


def _with_values(machine: Machine, command: str) -> str:
    """A command with the notebook's texts in it, and with holes for what is not known."""

    def value(found: re.Match[str]) -> str:
        slot = machine.module.slots.get(found[0].strip("${}"))
        texts = patterns_of(slot.value) if slot is not None else []
        return texts[0] if len(texts) == 1 else HOLE

    return _NAMES.sub(value, command)


def _unquoted(text: str) -> str:
    return text.strip("'\"")


def note_unordered(machine: Machine, words: list[str]) -> None:
    """Notes the files of a command of whose words the order is not known."""
    note_words(machine, words)
    if {"cp", "mv", "ln", *_FETCHING} & set(words):
        machine.note_paths(machine.trace.writes, _paths(words))


def note_words(machine: Machine, words: list[str]) -> None:
    """Notes the files of a command that is given as words."""
    while words and (words[0] in _BEFORE or re.fullmatch(r"\w+=.*", words[0])):
        words = words[1:]
    program = next((word for word in words if posixpath.basename(word) in _PROGRAMS), words[0] if words else "")
    rest = [unfolded(word) for word in words if word != program]
    if not program or _ASKS & set(rest) or program.startswith("#"):
        return
    if program.startswith("python") and "pip" in rest:
        return
    _PROGRAMS.get(posixpath.basename(program), _anything)(machine, rest)


def _paths(words: list[str]) -> list[str]:
    return [word for word in words if word and not word.startswith("-") and "://" not in word and "=" not in word]


def _nothing(machine: Machine, words: list[str]) -> None:
    del machine, words


def _anything(machine: Machine, words: list[str]) -> None:
    """A program that nobody knows here, or one that runs what is written somewhere."""
    machine.note_paths(machine.trace.reads, [HOLE, *_paths(words)])
    machine.note_paths(machine.trace.writes, [HOLE])


def _reading(machine: Machine, words: list[str]) -> None:
    machine.note_paths(machine.trace.reads, _paths(words))
    if any(re.fullmatch(r"-[a-zA-Z]*i.*|--in-place.*", word) for word in words) and "-i" in "".join(words):
        machine.note_paths(machine.trace.writes, _paths(words))


def _plain_reading(machine: Machine, words: list[str]) -> None:
    machine.note_paths(machine.trace.reads, _paths(words))


def _listing(machine: Machine, words: list[str]) -> None:
    folders = _paths(words) or ["."]
    machine.note_paths(machine.trace.reads, [*folders, *map(inside, folders)])


def _making(machine: Machine, words: list[str]) -> None:
    machine.note_paths(machine.trace.makes, _paths(words))


def _writing(machine: Machine, words: list[str]) -> None:
    machine.note_paths(machine.trace.writes, _paths(words))
    if any(word.startswith("-") and "r" in word.lower() for word in words):
        machine.note_paths(machine.trace.writes, map(inside, _paths(words)))


def _copying(machine: Machine, words: list[str]) -> None:
    paths = _paths(words)
    machine.note_paths(machine.trace.reads, paths)
    machine.note_paths(machine.trace.writes, paths[-1:])
    if paths and not posixpath.splitext(paths[-1])[1]:
        machine.note_paths(machine.trace.writes, [inside(paths[-1])])


def _unpacking(machine: Machine, words: list[str]) -> None:
    machine.note_paths(machine.trace.reads, _paths(words))
    machine.note_paths(machine.trace.writes, [HOLE])


def _fetching(machine: Machine, words: list[str]) -> None:
    named = [words[place + 1] for place, word in enumerate(words[:-1]) if word in {"-o", "-O", "--output"}]
    named = [word for word in named if "://" not in word]
    fetched = [posixpath.basename(word) or HOLE for word in words if "://" in word]
    elsewhere = any(word.startswith(("-P", "-i", "--directory")) for word in words)
    machine.note_paths(machine.trace.writes, [HOLE] if elsewhere else named or fetched)


_PROGRAMS: dict[str, Callable[[Machine, list[str]], None]] = {
    **dict.fromkeys(_SHOWING, _nothing),
    **dict.fromkeys(_READING, _plain_reading),
    **dict.fromkeys(_LISTING, _listing),
    **dict.fromkeys(_MAKING, _making),
    **dict.fromkeys(_WRITING, _writing),
    **dict.fromkeys(_UNPACKING, _unpacking),
    **dict.fromkeys(_FETCHING, _fetching),
    "cp": _copying,
    "sed": _reading,
}
"""What the words of commands are, by the name of their program."""


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()
