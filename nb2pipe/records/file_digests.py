"""Digests of files outside of the store, kept in `files.db` so that a file that did not change is not read again.

A row counts only while the file has the size, time and inode that it was read with. It saves time and is never the
truth: without a database that works, files are read each time.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

_YOUNG = 2_000_000_000
"""Nanoseconds within which a file may change again without its time showing it."""

_PATIENCE = 5.0

State = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, inode."""


def state_of(path: str) -> State | None:
    """The state of a regular file; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  # many files are looked at
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None


class FileDigests:
    """SHA-256 of files. It may be used from several threads and processes.

    Args:
        file: The database; its folder exists.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, tuple[State, str]] = {}
        self._waiting: dict[str, tuple[State, str]] = {}
        self._blocks = 0
        self._open: sqlite3.Connection | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is asked and kept inside of a block costs the database once: a data set may have many files."""
        with self._lock:
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                if not self._blocks:
                    self._settle()

    def of(self, path: str) -> str | None:
        """The SHA-256 of a file's content; None if there is no regular file, or it cannot be read."""
        state = state_of(path)
        if state is None:
            return None
        with self._lock:
            known = self._known.get(path) or self._stored(path)
        if known is not None and known[0] == state:
            return known[1]
        try:
            digest = str(Digest.of_file(Path(path)))
        except OSError:
            return None
        self.note(path, state, digest)
        return digest

    def note(self, path: str, state: State, digest: str) -> None:
        """Keeps the digest of a file, unless it is so young that a change might not show."""
        if time.time_ns() - state[1] >= _YOUNG and state_of(path) == state:
            self._keep(path, state, digest)

    def written(self, path: str, digest: str) -> None:
        """Keeps the digest of a file that has just been written, and that nobody writes again."""
        state = state_of(path)
        if state is not None:
            self._keep(path, state, digest)

    def _keep(self, path: str, state: State, digest: str) -> None:
        with self._lock:
            self._known[path] = self._waiting[path] = (state, digest)
            if not self._blocks:
                self._settle()

    def _stored(self, path: str) -> tuple[State, str] | None:
        """What the database says of a file; the lock is held."""
        query = "SELECT size, time, inode, sha256 FROM files WHERE path = ?"
        try:
            row = self._connection().execute(query, (path,)).fetchone()
        except sqlite3.Error:
            row = None
        if row is not None:
            self._known[path] = ((row[0], row[1], row[2]), row[3])
        if not self._blocks:
            self._settle()
        return self._known.get(path)

    def _settle(self) -> None:
        """Writes what waits, and closes the database; the lock is held."""
        rows = [(path, *state, digest) for path, (state, digest) in self._waiting.items()]
        self._waiting.clear()
        with suppress(sqlite3.Error):
            if rows:
                with self._connection() as connection:
                    connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = sqlite3.connect(self._file, timeout=_PATIENCE, check_same_thread=False)
            self._open.execute(
                "CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, time INTEGER, inode INTEGER,"
                " sha256 TEXT) WITHOUT ROWID"
            )
        return self._open
