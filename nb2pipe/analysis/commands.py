"""What IPython's commands do outside of variables: files, working directory, environment."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from nb2pipe.analysis.library import normal_path
from nb2pipe.notebook.model import MagicKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.analysis.trace import Trace
    from nb2pipe.notebook.model import Magic

_SHELLS = frozenset({"bash", "sh", "script", "!", "sx", "system"})
_REDIRECT = re.compile(r"(?<![0-9<>&])>>?\s*([^\s|;&>]+)")
_SETTERS = {"cd": "cwd", "pushd": "cwd", "popd": "cwd", "env": "environ", "set_env": "environ"}
_MAKERS = frozenset({"mkdir", "touch", "tee", "rm", "cp", "mv", "curl", "wget", "unzip", "tar"})


def note_magics(trace: Trace, magics: Iterable[Magic]) -> None:
    """Adds what a cell's IPython syntax does to its trace."""
    for magic in magics:
        if magic.kind is MagicKind.SHELL:
            _shell(trace, magic.arguments)
        elif magic.name in {"writefile", "file"}:
            _write_file(trace, magic.arguments)
        elif magic.kind is MagicKind.CELL and magic.name in _SHELLS:
            _shell(trace, magic.body)
        elif magic.name in _SHELLS:
            _shell(trace, magic.arguments)
        elif magic.name in _SETTERS and magic.arguments.strip():
            trace.sets.add(_SETTERS[magic.name])


def _write_file(trace: Trace, arguments: str) -> None:
    words = [word for word in _words(arguments) if not word.startswith("-")]
    trace.state.add("cwd")
    trace.writes.update(normal_path(word) for word in words[:1])


def _shell(trace: Trace, command: str) -> None:
    """A shell command writes what it redirects to; other words that look like paths it may read."""
    trace.state |= {"cwd", "environ"}
    written = {normal_path(path.strip("'\"")) for path in _REDIRECT.findall(command)}
    trace.writes |= {path for path in written if not path.startswith("/dev/")}
    for line in command.splitlines():
        words = _words(_REDIRECT.sub(" ", line))
        paths = {normal_path(word) for word in words[1:] if _is_path(word)}
        (trace.writes if words[:1] and words[0] in _MAKERS else trace.reads).update(paths)
        if words[:1] and words[0] in {"cp", "mv"}:
            trace.reads |= paths


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _is_path(word: str) -> bool:
    return bool(word) and not word.startswith("-") and "://" not in word and not set(word) & set("{}$*?=`")
