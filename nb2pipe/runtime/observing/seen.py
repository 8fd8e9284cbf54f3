"""What was seen of a step, in its process and in those that were forked from it.

Each thing is written to a file as it is seen, a line of JSON, so that it is known of a process that was killed too.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "seen-"
"""Begins the names of the files, one for each process."""

_SETS = frozenset({"writes", "folders", "removed", "brought", "reasons"})

NO_MODULES: Mapping[str, Any] = {"installed": [], "files": [], "folders": []}
"""The modules of a process that was killed: nobody asked it for them."""


@dataclass(slots=True)
class Seen:
    """What was seen so far.

    Attributes:
        file: Where it is written as it is seen; nowhere if it is empty.
        reads: Files that were there before, by absolute path: size, time of change in nanoseconds and inode as they
            were when first opened; None for one that was not there. A digest stands in `known`.
        known: Digests of files that the step wrote, or removed, after it had read them.
        moved: New paths of files that the step did not make and gave another name, by their old paths.
        listed: Folders whose names were read, with a digest of the names.
        writes: Files that were opened to be written.
        folders: Folders that were made.
        removed: Files that were there before, and that the step removed or renamed.
        brought: Files with data of libraries that were read; the libraries' versions stand for them, too.
        variables: Digests of the environment variables that were read; None for one that was not set.
        reasons: Why what the step makes depends on more than can be looked at.
    """

    file: str = ""
    reads: dict[str, tuple[int, int, int] | None] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    writes: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    brought: set[str] = field(default_factory=set)
    variables: dict[str, str | None] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)

    def note(self, kind: str, name: str, value: Any = None) -> None:
        """Takes something in.

        Args:
            kind: The attribute that takes it.
            name: The path, the variable or the reason.
            value: What is known of it.
        """
        if kind in _SETS:
            held: set[str] = getattr(self, kind)
            if name in held:
                return
            held.add(name)
        else:
            getattr(self, kind)[name] = value
        self._write(kind, name, value)

    def _write(self, kind: str, name: str, value: Any) -> None:
        """Writes a line; the file is opened each time, since the author's code may close what it does not know."""
        if not self.file:
            return
        line = json.dumps([kind, name, value]).encode("ascii") + b"\n"
        with suppress(OSError):
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "reads": {path: list(state) if state else None for path, state in self.reads.items()},
            "known": dict(self.known),
            "moved": dict(self.moved),
            "listed": dict(self.listed),
            "writes": sorted(self.writes),
            "folders": sorted(self.folders),
            "removed": sorted(self.removed),
            "brought": sorted(self.brought),
            "variables": dict(self.variables),
            "reasons": sorted(self.reasons),
        }

    def add(self, other: Seen) -> None:
        """Takes in what another process saw; what this one saw of the same file counts."""
        reads = dict(other.reads)  # threads of the author's may still add to it
        self.reads = {path: state for path, state in reads.items() if path not in self.writes} | self.reads
        for kind in ("known", "moved", "listed", "variables"):
            setattr(self, kind, getattr(other, kind) | getattr(self, kind))
        for kind in _SETS:
            getattr(self, kind).update(getattr(other, kind))


def file_of(folder: str) -> str:
    """The file of this process in a folder."""
    return os.path.join(folder, f"{PREFIX}{os.getpid()}.jsonl") if folder else ""  # noqa: PTH118  # plain texts


def seen_by_others(folder: str) -> Iterator[Seen]:
    """What each process but this one left in a folder."""
    own = file_of(folder)
    for path in _files(folder):
        if path != own:
            yield read_seen(path)


def left_in(folder: str) -> dict[str, Any]:
    """What the processes of a step left in a folder, as `Observer.end` tells it; empty where they left nothing."""
    files = _files(folder)
    if not files:
        return {}
    whole = Seen()
    for path in files:
        whole.add(read_seen(path))
    return {**whole.told(), "modules": dict(NO_MODULES)}


def read_seen(path: str) -> Seen:
    """What one process wrote; a last line that was cut is left out."""
    found = Seen()
    with suppress(OSError), open(path, encoding="ascii") as stream:  # noqa: PTH123
        for line in stream:
            with suppress(ValueError, AttributeError, TypeError):
                kind, name, value = json.loads(line)
                found.note(kind, name, tuple(value) if kind == "reads" and value else value)
    return found


def _files(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.name.startswith(PREFIX))
    except OSError:
        return []
