"""Listens to Python's audit events while a step runs, and notes what it read and wrote outside of its variables.

What is noted of a file that was read is its size and time as they were then: whoever wants its digest takes it later,
and sees whether it is still the same file. Only where the step itself is about to write a file that it has read, the
digest is taken at once. Nothing here may change what the author's code does: what fails is left out, and said.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import threading
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.observing.places import Places
from nb2pipe.runtime.observing.wrapped import watch_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

_HARMLESS = frozenset({"lscpu", "uname", "ldconfig", "nvidia-smi", "fc-list", "sysctl", "gcc", "cc"})
"""Commands by which libraries look at the machine."""

_SEARCH = ("<frozen importlib", f"{os.sep}importlib{os.sep}", f"{os.sep}pkgutil.py", f"{os.sep}pkg_resources{os.sep}")
"""The files of what looks for modules."""

_DEPTH = 8
"""Frames above a listing in which one of those may stand."""

_BLOCK = 1 << 20
_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_FORKED = "seen-"
"""Begins the names of the files in which forked processes leave what they saw."""


@dataclass(slots=True)
class Seen:
    """What was seen so far.

    Attributes:
        reads: Files that were there before, by absolute path: size, time of change in nanoseconds and inode as they
            were when first opened; None for one that was not there. A digest stands in `known`.
        known: Digests of files that the step wrote after it had read them.
        listed: Folders whose names were read, with a digest of the names.
        writes: Files that were opened to be written.
        folders: Folders that were made.
        removed: Files that were there before, and that the step removed or renamed.
        brought: Files with data of libraries that were read; the libraries' versions stand for them, too.
        variables: Environment variables that were read.
        reasons: Why what the step makes depends on more than can be looked at.
    """

    reads: dict[str, tuple[int, int, int] | None] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    writes: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    brought: set[str] = field(default_factory=set)
    variables: dict[str, str | None] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "reads": {path: list(state) if state else None for path, state in self.reads.items()},
            "known": self.known,
            "listed": self.listed,
            "writes": sorted(self.writes),
            "folders": sorted(self.folders),
            "removed": sorted(self.removed),
            "brought": sorted(self.brought),
            "variables": self.variables,
            "reasons": sorted(self.reasons),
        }

    def add(self, told: dict[str, Any]) -> None:
        """Takes in what a forked process saw; what this one saw of the same file counts."""
        reads = {path: tuple(state) if state else None for path, state in told["reads"].items()}
        self.reads = {path: state for path, state in reads.items() if path not in self.writes} | self.reads
        self.known = told["known"] | self.known
        self.listed = told["listed"] | self.listed
        self.writes |= set(told["writes"])
        self.folders |= set(told["folders"])
        self.removed |= set(told["removed"])
        self.brought |= set(told["brought"])
        self.variables = told["variables"] | self.variables
        self.reasons |= set(told["reasons"])


class Observer:
    """Observes one step.

    Args:
        apart: Folders whose files do not count.
        folder: Where forked processes leave what they saw.
    """

    def __init__(self, apart: tuple[str, ...], folder: str) -> None:
        self.seen = Seen()
        self.places = Places((*apart, folder))
        self._folder = folder
        self._process = os.getpid()
        self._variables = dict(os.environ)
        self._busy = threading.local()

    def begin(self) -> None:
        """From now on it observes what this process does."""
        _install()
        _observers.append(self)

    def end(self) -> dict[str, Any]:
        """It observes nothing any more; what was seen, as JSON."""
        if self in _observers:
            _observers.remove(self)
        for name in sorted(_names(self._folder)):
            with suppress(OSError, ValueError, KeyError), open(os.path.join(self._folder, name)) as stream:  # noqa: PTH118, PTH123
                self.seen.add(json.load(stream))
        return {**self.seen.told(), "modules": _modules(self.places)}

    def take(self, act: Callable[[Observer, tuple[Any, ...]], None], arguments: tuple[Any, ...]) -> None:
        """Notes an event, unless it is one of our own making."""
        if getattr(self._busy, "on", False):
            return
        self._busy.on = True
        try:
            act(self, arguments)
        except Exception as error:  # noqa: BLE001  # the author's code must not fail because of us
            self.seen.reasons.add(f"a file could not be looked at ({type(error).__name__})")
        else:
            self._leave()
        finally:
            self._busy.on = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What this thread does meanwhile does not count."""
        before = getattr(self._busy, "on", False)
        self._busy.on = True
        try:
            yield
        finally:
            self._busy.on = before

    # -- what acts call

    def path(self, given: Any) -> str | None:
        """The absolute path of what was given to a call, if it counts."""
        if isinstance(given, int) or given is None:
            return None
        text = os.fsdecode(given)
        path = os.path.normpath(os.path.join(os.getcwd(), text))  # noqa: PTH109, PTH118  # plain texts, quickly
        return path if self.places.counts(path) else None

    def reads(self, given: Any) -> None:
        """A file is about to be read."""
        path = self.path(given)
        if path is None:
            self._brings(given)
        elif path not in self.seen.writes and path not in self.seen.reads:
            self.seen.reads[path] = _state(path)

    def _brings(self, given: Any) -> None:
        """A file that does not count is about to be read: data of a library stand for themselves."""
        if isinstance(given, str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(given))  # noqa: PTH100  # plain texts, quickly
            if self.places.holds_data(path):
                self.seen.brought.add(path)

    def writes(self, given: Any, *, after_reading: bool = False) -> None:
        """A file is about to be written; what is there is read, too, where it is not all replaced."""
        path = self.path(given)
        if path is None or path in self.seen.writes:
            return
        if after_reading:
            self.reads(given)
        if self.seen.reads.get(path):
            self.seen.known[path] = _digest(path)
        self.seen.writes.add(path)

    def removes(self, given: Any) -> None:
        """A file is about to be removed, or to get another name."""
        path = self.path(given)
        if path is not None and path not in self.seen.writes and os.path.lexists(path):
            self.seen.removed.add(path)

    def lists(self, given: Any) -> None:
        """The names in a folder are about to be read."""
        path = self.path("." if given is None else given)
        if path is not None and path not in self.seen.listed:
            self.seen.listed[path] = listing(path)

    def variable(self, name: str, value: str | None) -> None:
        """An environment variable was read; one that the step or an earlier one set is known otherwise."""
        if self._variables.get(name) == value:
            self.seen.variables[name] = value

    def forked(self) -> None:
        """This process was forked from that of the step: it leaves what it sees in a file."""
        self.seen = Seen(writes=set(self.seen.writes))
        _observers[:] = [self]

    def _leave(self) -> None:
        """Writes what a forked process saw; it may end at any moment, so it is written as it comes."""
        if os.getpid() != self._process:
            file = os.path.join(self._folder, f"{_FORKED}{os.getpid()}.json")  # noqa: PTH118
            with suppress(OSError), open(file, "w", encoding="ascii") as stream:  # noqa: PTH123
                json.dump(self.seen.told(), stream)


def listing(path: str, without: Container[str] = ()) -> str:
    """A digest of the names in a folder, but for some; empty if it is not there.

    >>> listing("/no/such/folder")
    ''
    """
    try:
        found = (entry.name for entry in os.scandir(path) if not entry.name.startswith((".", "__pycache__")))
        names = sorted(name for name in found if name not in without)
    except OSError:
        return ""
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()


_observers: list[Observer] = []
renaming: list[Callable[[str, str], None]] = []
"""Who else hears, while a step is observed, of a file that is about to get another name."""
setting: list[Callable[[str, str], None]] = []
"""Who hears, while a step is observed, of an environment variable that is about to be set."""


@contextmanager
def unobserved() -> Iterator[None]:
    """What nb2pipe itself does in a step, such as starting a process of its own, is none of the author's doing."""
    with _observers[-1].paused() if _observers else nullcontext():
        yield


_installed: list[bool] = []


def _install() -> None:
    """A hook cannot be taken away again, so there is one for the life of the process."""
    if _installed:
        return
    _installed.append(True)
    sys.addaudithook(_hook)
    os.register_at_fork(after_in_child=_after_fork)
    _watch_variables()
    watch_libraries(_library)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    act = _ACTS.get(event)
    if act is None or not _observers:
        return
    if act is _lists and _looks_for_modules():
        return
    _observers[-1].take(act, arguments)


def _looks_for_modules() -> bool:
    """Whether Python, or who looks for plug-ins, lists the folders of `sys.path`."""
    frame = sys._getframe(2)  # noqa: SLF001  # there is no other way
    for _ in range(_DEPTH):
        if any(part in frame.f_code.co_filename for part in _SEARCH):
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def _library(kind: str, path: Any) -> None:
    """A library reads or writes a file without Python's knowledge."""
    if _observers:
        _observers[-1].take(_writes if kind == "w" else _reads, (path,))


def _after_fork() -> None:
    if _observers:
        _observers[-1].forked()


# -- what events mean


def _open(observer: Observer, arguments: tuple[Any, ...]) -> None:
    path, mode, flags = arguments
    if not isinstance(mode, str):
        mode = _mode(flags if isinstance(flags, int) else 0)
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


def _reads(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.reads(arguments[0])


def _writes(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.writes(arguments[0])


def _changes(observer: Observer, arguments: tuple[Any, ...]) -> None:
    if arguments[0] not in {":memory:", ""}:
        observer.writes(arguments[0], after_reading=True)


def _removes(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.removes(arguments[0])


def _renames(observer: Observer, arguments: tuple[Any, ...]) -> None:
    source, target = arguments[:2]
    path = observer.path(source)
    if path is not None and os.path.isdir(path):  # noqa: PTH112
        observer.seen.reasons.add("it renames a folder")
    for tell in renaming:
        tell(os.path.abspath(os.fsdecode(source)), os.path.abspath(os.fsdecode(target)))  # noqa: PTH100
    observer.removes(source)
    observer.writes(target)


def _sets(_observer: Observer, arguments: tuple[Any, ...]) -> None:
    for tell in setting:
        tell(*map(os.fsdecode, arguments[:2]))


def _links(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.writes(arguments[1])


def _makes_folder(observer: Observer, arguments: tuple[Any, ...]) -> None:
    path = observer.path(arguments[0])
    if path is not None and not os.path.isdir(path):  # noqa: PTH112
        observer.seen.folders.add(path)


def _variable(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.variable(*arguments)


def _lists(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.lists(arguments[0])


def _runs(observer: Observer, arguments: tuple[Any, ...]) -> None:
    executable, given = arguments[:2]
    first = executable or (given if isinstance(given, str | bytes) else next(iter(given or ()), ""))
    name = os.path.basename(os.fsdecode(first).split(" ")[0])  # noqa: PTH119
    if name not in _HARMLESS:
        observer.seen.reasons.add(f"it runs the command `{name}`")


def _runs_shell(observer: Observer, _arguments: tuple[Any, ...]) -> None:
    observer.seen.reasons.add("it runs a shell command")


def _connects(observer: Observer, arguments: tuple[Any, ...]) -> None:
    address = arguments[-1] if len(arguments) > 1 and isinstance(arguments[-1], tuple) else arguments[0]
    if isinstance(address, tuple) and address and isinstance(address[0], str):
        observer.seen.reasons.add(f"it talks to the network (`{address[0]}`)")


def _resolves(observer: Observer, arguments: tuple[Any, ...]) -> None:
    host = arguments[0]
    if isinstance(host, str) and host not in _LOCAL:
        observer.seen.reasons.add(f"it talks to the network (`{host}`)")


_ACTS: dict[str, Callable[[Observer, tuple[Any, ...]], None]] = {
    "open": _open,
    "os.listdir": _lists,
    "os.scandir": _lists,
    "os.remove": _removes,
    "os.rmdir": _removes,
    "os.rename": _renames,
    "os.putenv": _sets,
    "os.link": _links,
    "os.symlink": _links,
    "os.truncate": _changes,
    "os.mkdir": _makes_folder,
    "sqlite3.connect": _changes,
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


# -- environment variables

_BETWEEN = tuple(
    name
    for module in ("os", "_collections_abc", "posixpath", "genericpath", "pathlib")
    for name in (f"{os.sep}{module}.py", f"<frozen {module}>")
)
"""The files of the frames that lie between who asks for a variable and the mapping."""


def _watch_variables() -> None:
    kind: Any = type(os.environ)
    plain = kind.__getitem__

    def getitem(self: Any, name: Any) -> Any:
        found = None
        try:
            found = plain(self, name)
            return found
        finally:
            if _observers and self is os.environ and isinstance(name, str):
                _note_variable(name, found)

    getitem.__qualname__, getitem.__name__ = plain.__qualname__, plain.__name__
    kind.__getitem__ = getitem


def _note_variable(name: str, value: str | None) -> None:
    """Notes a variable that the author's code asked for; libraries ask for many, for themselves."""
    frame = sys._getframe(2)  # noqa: SLF001  # there is no other way
    while frame.f_back is not None and frame.f_code.co_filename.endswith(_BETWEEN):
        frame = frame.f_back
    observer = _observers[-1]
    if name in observer.seen.variables:
        return
    if observer.places.is_authors(frame.f_code.co_filename):
        observer.take(_variable, (name, value))


# -- the state of files


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _digest(path: str) -> str:
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
        whole = hashlib.sha256()
        while block := stream.read(_BLOCK):
            whole.update(block)
    return whole.hexdigest()


def _names(folder: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.name.startswith(_FORKED)]
    except OSError:
        return []


def _modules(places: Places) -> dict[str, Any]:
    """The top-level modules that were imported from installed packages, and the files of those that lie elsewhere."""
    installed: set[str] = set()
    files: set[str] = set()
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not os.path.isabs(file):  # noqa: PTH117
            continue
        if "site-packages" in file or "dist-packages" in file:
            installed.add(name.partition(".")[0])
        elif file.endswith(".py") and places.counts(file):
            files.add(file)
    folders = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return {"installed": sorted(installed), "files": sorted(files), "folders": folders}
