"""What Python's audit events mean for the files, folders and commands of a step."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.runtime.observing.observer import Observer

    Act = Callable[["Observer", tuple[Any, ...]], None]

_HARMLESS = frozenset({"lscpu", "uname", "ldconfig", "nvidia-smi", "fc-list", "sysctl", "gcc", "cc"})
"""Commands by which libraries look at the machine."""

_NO_FOLDER = -1
"""Stands in an event for no open folder."""

_LOCAL = ("", "localhost", "127.0.0.1", "::1")

setting: list[Callable[[str, str], None]] = []
"""Who hears, while a step is observed, of an environment variable that is about to be set."""


def _open(observer: Observer, arguments: tuple[Any, ...]) -> None:
    path, mode, flags = arguments
    if not isinstance(mode, str):
        mode = _mode(flags if isinstance(flags, int) else 0)
    opens(observer, path, mode)


def opens(observer: Observer, path: Any, mode: str) -> None:
    """A file is about to be opened with one of the modes of `open`."""
    if "w" in mode or "x" in mode:
        observer.writes(path)
    elif "a" in mode or "+" in mode:
        observer.writes(path, after_reading=True)
    else:
        observer.reads(path)


def _mode(flags: int) -> str:
    """What flags of `os.open` mean.

    >>> _mode(os.O_RDONLY), _mode(os.O_WRONLY | os.O_TRUNC), _mode(os.O_RDWR)
    ('r', 'w', 'a')
    """
    if not flags & (os.O_WRONLY | os.O_RDWR):
        return "r"
    return "w" if flags & os.O_TRUNC else "a"


def _changes(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.writes(arguments[0], after_reading=True)


def _opens_database(observer: Observer, arguments: tuple[Any, ...]) -> None:
    """A database of SQLite; whether it changes shows in the end."""
    path, mode = database(os.fsdecode(arguments[0]))
    if path:
        opens(observer, path, mode)


def database(given: str) -> tuple[str, str]:
    """The path of a database, and a mode of `open`, of what is given to `sqlite3.connect`; one in memory has no path.

    >>> database("a.db"), database("file:data/a%20b.db?mode=ro"), database(":memory:")
    (('a.db', 'r+'), ('data/a b.db', 'r'), ('', 'r'))
    """
    if given in {"", ":memory:"}:
        return "", "r"
    if not given.startswith("file:"):
        return given, "r+"
    parts = urlsplit(given)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    path = unquote(parts.path)
    if path == ":memory:" or asked.get("mode") == "memory":
        return "", "r"
    reads = asked.get("mode") == "ro" or asked.get("immutable") == "1"
    return path, "r" if reads else "r+"


def _removes(observer: Observer, arguments: tuple[Any, ...]) -> None:
    """A file is about to be removed; whoever removes a whole folder names it by an open one and its name there."""
    path, folder = arguments[:2]
    if folder == _NO_FOLDER:
        observer.removes(path)
        return
    with suppress(OSError):
        observer.removes(os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path)))  # noqa: PTH115, PTH118


def _renames(observer: Observer, arguments: tuple[Any, ...]) -> None:
    source, target = arguments[:2]
    observer.moves(source, target)


def _sets(_observer: Observer, arguments: tuple[Any, ...]) -> None:
    for tell in setting:
        tell(*map(os.fsdecode, arguments[:2]))


def _links(observer: Observer, arguments: tuple[Any, ...]) -> None:
    """A file gets another name beside its own, so that it may be read by that one."""
    source, target = map(os.fsdecode, arguments[:2])
    observer.reads_if_there(source)
    observer.writes(target)


def _links_by_name(observer: Observer, arguments: tuple[Any, ...]) -> None:
    source, target = map(os.fsdecode, arguments[:2])
    observer.reads_if_there(os.path.join(os.path.dirname(target), source))  # noqa: PTH118, PTH120
    observer.writes(target)


def _makes_folder(observer: Observer, arguments: tuple[Any, ...]) -> None:
    path = observer.path(arguments[0])
    if path is not None and not os.path.isdir(path):  # noqa: PTH112
        observer.seen.note("folders", path)


def lists(observer: Observer, arguments: tuple[Any, ...]) -> None:
    """The names in a folder are about to be read."""
    observer.lists(arguments[0])


def _runs(observer: Observer, arguments: tuple[Any, ...]) -> None:
    executable, given = arguments[:2]
    first = executable or (given if isinstance(given, str | bytes) else next(iter(given or ()), ""))
    name = os.path.basename(os.fsdecode(first).split(" ")[0])  # noqa: PTH119
    if name not in _HARMLESS:
        observer.seen.note("reasons", f"it runs the command `{name}`")


def _runs_shell(observer: Observer, _arguments: tuple[Any, ...]) -> None:
    observer.seen.note("reasons", "it runs a shell command")


def _connects(observer: Observer, arguments: tuple[Any, ...]) -> None:
    address = arguments[-1] if len(arguments) > 1 and isinstance(arguments[-1], tuple) else arguments[0]
    if isinstance(address, tuple) and address and isinstance(address[0], str):
        observer.seen.note("reasons", f"it talks to the network (`{address[0]}`)")


def _resolves(observer: Observer, arguments: tuple[Any, ...]) -> None:
    host = arguments[0]
    if isinstance(host, str) and host not in _LOCAL:
        observer.seen.note("reasons", f"it talks to the network (`{host}`)")


ACTS: dict[str, Act] = {
    "open": _open,
    "os.listdir": lists,
    "os.scandir": lists,
    "os.remove": _removes,
    "os.rmdir": _removes,
    "os.rename": _renames,
    "os.putenv": _sets,
    "os.link": _links,
    "os.symlink": _links_by_name,
    "os.truncate": _changes,
    "os.mkdir": _makes_folder,
    "sqlite3.connect": _opens_database,
    "subprocess.Popen": _runs,
    "os.posix_spawn": _runs,
    "os.exec": _runs,
    "os.system": _runs_shell,
    "os.forkpty": _runs_shell,
    "pty.spawn": _runs_shell,
    "socket.connect": _connects,
    "socket.sendto": _connects,
    "socket.getaddrinfo": _resolves,
    "socket.gethostbyname": _resolves,
}
"""By the name of the event."""
