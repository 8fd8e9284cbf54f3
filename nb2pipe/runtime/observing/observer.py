"""Listens to Python's audit events while a step runs, and notes what it read and wrote outside of its variables.

What is noted of a file that was read is its size and time as they were then: whoever wants its digest takes it later,
and sees whether it is still the same file. Only where the step itself is about to write or to remove a file that it
has read, the digest is taken at once. Nothing here may change what the author's code does: what fails is left out, and
said.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.runtime.observing.acts import ACTS, lists, opens, setting
from nb2pipe.runtime.observing.places import Places
from nb2pipe.runtime.observing.seen import Seen, file_of, seen_by_others
from nb2pipe.runtime.observing.spawned import watch_processes
from nb2pipe.runtime.observing.variables import watch_variables
from nb2pipe.runtime.observing.wrapped import watch_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

__all__ = ["Observer", "listing", "setting", "unobserved"]

_SEARCH = ("<frozen importlib", f"{os.sep}importlib{os.sep}", f"{os.sep}pkgutil.py", f"{os.sep}pkg_resources{os.sep}")
"""The files of what looks for modules."""

_DEPTH = 8
"""Frames above a listing in which one of those may stand."""

_BLOCK = 1 << 20


class Observer:
    """Observes one step.

    Args:
        apart: Folders whose files do not count.
        folder: Where each process of the step leaves what it sees.
    """

    def __init__(self, apart: tuple[str, ...], folder: str) -> None:
        self.seen = Seen(file=file_of(folder))
        self.places = Places((*apart, folder))
        self.apart = apart
        self.folder = folder
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
        return self.so_far()

    def so_far(self) -> dict[str, Any]:
        """What was seen until now, as JSON."""
        with self.paused():
            whole = Seen()
            whole.add(self.seen)
            for other in seen_by_others(self.folder):
                whole.add(other)
            return {**whole.told(), "modules": _modules(self.places)}

    def take(self, act: Callable[[Observer, tuple[Any, ...]], None], arguments: tuple[Any, ...]) -> None:
        """Notes an event, unless it is one of our own making."""
        if getattr(self._busy, "on", False):
            return
        self._busy.on = True
        try:
            act(self, arguments)
        except Exception as error:  # noqa: BLE001  # the author's code must not fail because of us
            self.seen.note("reasons", f"a file could not be looked at ({type(error).__name__})")
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
        if not text.startswith(os.sep):
            text = os.path.join(os.getcwd(), text)  # noqa: PTH109, PTH118  # plain texts, quickly
        path = os.path.normpath(text)
        return path if self.places.counts(path) else None

    def reads(self, given: Any) -> None:
        """A file is about to be read."""
        path = self.path(given)
        if path is None:
            self._brings(given)
        elif path not in self.seen.writes and path not in self.seen.reads:
            state = _state(path)
            if state is not None or not os.path.isdir(path):  # noqa: PTH112
                self.seen.note("reads", path, state)

    def reads_if_there(self, given: Any) -> None:
        """A file is about to be read, if it is one."""
        if os.path.isfile(given):  # noqa: PTH113
            self.reads(given)

    def _brings(self, given: Any) -> None:
        """A file that does not count is about to be read: data of a library stand for themselves."""
        if isinstance(given, str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(given))  # noqa: PTH100  # plain texts, quickly
            if self.places.holds_data(path):
                self.seen.note("brought", path)

    def writes(self, given: Any, *, after_reading: bool = False) -> None:
        """A file is about to be written; what is there is read, too, where it is not all replaced."""
        path = self.path(given)
        if path is None or path in self.seen.writes:
            return
        if after_reading:
            self.reads(given)
        self._know(path)
        self.seen.note("writes", path)

    def removes(self, given: Any) -> None:
        """A file is about to be removed."""
        path = self.path(given)
        if path is not None and not self._is_own(path) and _lasts(path):
            self._know(path)
            self.seen.note("removed", path)

    def _is_own(self, path: str) -> bool:
        return path in self.seen.writes or path in self.seen.folders

    def moves(self, source: Any, target: Any) -> None:
        """A file is about to get another name."""
        was, now = self.path(source), self.path(target)
        if was is not None and os.path.isdir(was):  # noqa: PTH112
            self.seen.note("reasons", "it renames a folder")
        elif was is not None and now is not None:
            self.reads(source)
            if (self.seen.reads.get(was) and was not in self.seen.known) or was in self.seen.moved.values():
                self.seen.note("moved", was, now)  # its digest is taken where it lies then
        self.removes(source)
        self.writes(target)

    def lists(self, given: Any) -> None:
        """The names in a folder are about to be read."""
        path = self.path("." if given is None else given)
        if path is not None and path not in self.seen.listed:
            self.seen.note("listed", path, listing(path))

    def variable(self, name: str, value: str | None) -> None:
        """An environment variable was read; one that the step or an earlier one set is known otherwise."""
        if self._variables.get(name) == value:
            self.seen.note("variables", name, masked_variable(value))

    def forked(self) -> None:
        """This process was forked from that of the step: it leaves what it sees in a file of its own."""
        self.seen = Seen(file=file_of(self.folder), writes=set(self.seen.writes))
        _observers[:] = [self]

    def _know(self, path: str) -> None:
        """A file that was read is about to be another: its digest is taken now."""
        if self.seen.reads.get(path) and path not in self.seen.known and path not in self.seen.moved:
            self.seen.note("known", path, _digest(path))


def masked_variable(value: str | None) -> str | None:
    """What is noted of an environment variable, since it may be a secret: a digest; None for one that is not set."""
    return None if value is None else str(Digest.of("variable", value))


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
    watch_variables(_asked)
    watch_libraries(_library)
    watch_processes(_place)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    act = ACTS.get(event)
    if act is None or not _observers:
        return
    if act is lists and _looks_for_modules():
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


def _asked(name: str, value: str | None, file: str) -> None:
    """Code asked for an environment variable."""
    if not _observers or name in _observers[-1].seen.variables:
        return
    if _observers[-1].places.is_authors(file):
        _observers[-1].take(_variable, (name, value))


def _variable(observer: Observer, arguments: tuple[Any, ...]) -> None:
    observer.variable(*arguments)


def _library(path: Any, mode: str) -> None:
    """A library opens a file, or lists a folder, without Python's knowledge."""
    if _observers:
        _observers[-1].take(_opened, (path, mode))


def _opened(observer: Observer, arguments: tuple[Any, ...]) -> None:
    path, mode = arguments
    if mode == "r" and os.path.isdir(path):  # noqa: PTH112
        observer.lists(path)
    else:
        opens(observer, path, mode)


def _place() -> tuple[tuple[str, ...], str] | None:
    """What a process that is started anew is told of who observes."""
    return (_observers[-1].apart, _observers[-1].folder) if _observers else None


def _after_fork() -> None:
    if _observers:
        _observers[-1].forked()


# -- the state of files


def _lasts(path: str) -> bool:
    """Whether something is there that lasts: a socket, such as workers of a DataLoader have, does not."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


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
        elif file.endswith(".py") and places.counts(path := os.path.normpath(file)):
            files.add(path)
    folders = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return {"installed": sorted(installed), "files": sorted(files), "folders": folders}
