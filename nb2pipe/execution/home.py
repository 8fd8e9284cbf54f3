"""The home `.nb2pipe/`: where it is, what lies in it, and the initial random state that it keeps."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.errors import StoreError, UsageError
from nb2pipe.execution.options import SEEDS
from nb2pipe.records.home import NAME, VARIABLE, find_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["NAME", "VARIABLE", "Home", "draw_seed", "find_home", "only_here", "sweep"]

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Home:
    """A home, by its folder.

    Attributes:
        root: The folder `.nb2pipe`.
    """

    root: Path

    @property
    def store(self) -> Path:
        """The folder of the artifacts."""
        return self.root / "store"

    @property
    def runs(self) -> Path:
        """The folder that holds a folder for each run."""
        return self.root / "runs"

    @property
    def keys(self) -> Path:
        """The folder that says, for the key of a step's call, which runs ran it."""
        return self.root / "keys"

    @property
    def shared(self) -> Path:
        """What is known here of stores that others use too: a folder for each."""
        return self.root / "shared"

    @property
    def files(self) -> Path:
        """The digests of files outside of the home."""
        return self.root / "files.db"

    @property
    def packages(self) -> Path:
        """The distributions by module, as they were read last."""
        return self.root / "packages.json"

    @property
    def records(self) -> Path:
        """The index of the runs."""
        return self.root / "records.db"

    @property
    def seed(self) -> Path:
        """The file that keeps the initial random state."""
        return self.root / "seed"

    def create(self) -> None:
        """Makes what is missing of it; nothing that exists is changed.

        Raises:
            StoreError: It cannot be made here.
        """
        try:
            for folder in (self.root, self.store, self.runs):
                folder.mkdir(parents=True, exist_ok=True)
            _write_once(self.root / ".gitignore", "*\n")
        except OSError as error:
            raise _unusable(self.root, error) from error

    def initial_seed(self) -> int:
        """The initial random state that is kept here, drawn if there is none yet; two runs at once agree on it.

        Raises:
            StoreError: It cannot be read or written.
        """
        try:
            if not self.seed.exists():
                _write_once(self.seed, f"{draw_seed()}\n")
            text = self.seed.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self.seed, error) from error
        if not text.isdecimal() or int(text) >= SEEDS:
            hint = f"delete {self.seed}, and a new one is drawn; or give --seed"
            raise StoreError(f"{self.seed} holds no initial random state: {text[:40]!r}", hint=hint)
        return int(text)


@contextmanager
def only_here(folder: Path) -> Iterator[None]:
    """While it holds, no other process goes on with the run in a folder; a process that ends, however, lets go.

    Raises:
        UsageError: Another one does.
    """
    try:
        import fcntl  # noqa: PLC0415  # not on every system
    except ImportError:
        yield
        return
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise UsageError(f"run {folder.name} still goes on", hint="wait for its end, or stop it with Ctrl-C") from error
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Removes from the folder of a run what its killed process left half done; all of that has hidden names."""
    for path in list(folder.rglob(".*")):
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()


def draw_seed() -> int:
    """An initial random state from the operating system."""
    return secrets.randbelow(SEEDS)


def _write_once(path: Path, text: str) -> None:
    """Writes a file that does not exist yet, whole or not at all; one that is there, stays."""
    if path.exists():
        return
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_text(text, encoding="ascii")
        _link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    """A hard link fails where the file exists, so the first writer wins; a file system without them takes the last."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    except OSError:
        temporary.replace(path)


def _unusable(path: Path, error: Exception) -> StoreError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    hint = "look at the permissions of the folder and the space on the disk, or give another place with --home DIR"
    if isinstance(error, FileExistsError | NotADirectoryError):
        hint = "a file stands where a folder has to be; move it away, or give another place with --home DIR"
    return StoreError(f"cannot use {path} as home: {reason}", hint=hint)
