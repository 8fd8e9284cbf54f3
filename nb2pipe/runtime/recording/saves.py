"""Notes what a step saves: where, after which step and pass, and, by a process of its own, with which content."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.records.series import CHECKPOINTS, lines_of
from nb2pipe.runtime.observing.observer import unobserved
from nb2pipe.runtime.recording import hashing

if TYPE_CHECKING:
    from nb2pipe.runtime.recording.loop import Loop

_FILES = (io.BufferedWriter, io.BufferedRandom, io.FileIO)
_PATIENCE = 0.2
"""Seconds without an answer after which digests are taken here, when they are wanted."""


class Saves:
    """What one step saves.

    Args:
        folder: Where it is noted.
        loop: Knows the step and pass.
    """

    def __init__(self, folder: Path, loop: Loop) -> None:
        self._file = folder / CHECKPOINTS
        self._loop = loop
        self._count = 0
        self._depth = threading.local()
        self._lock = threading.RLock()
        self._open: dict[int, tuple[str, int]] = {}
        self._numbers: dict[str, int] = {}
        self._socket: socket.socket | None = None

    def begins(self, file: Any) -> None:
        """A file is about to be written; what is there is the last that anybody sees of it."""
        self._depth.now = getattr(self._depth, "now", 0) + 1
        path = _path(file)
        if self._open and path is not None:
            with self._lock:
                self._take_answers()
                for number in [number for number, (other, _) in self._open.items() if other == path]:
                    self._digest_here(number)

    def ends(self, file: Any, *, whole: bool) -> None:
        """A file has been written, if all of it was."""
        self._depth.now -= 1
        path = _path(file)
        if not whole or self._depth.now or path is None:
            return
        if not isinstance(file, str | bytes | os.PathLike):
            file.flush()
        self.note(path)

    def note(self, path: str) -> None:
        """Notes a checkpoint that is there now.

        Raises:
            OSError: It cannot be read, or not noted.
        """
        with self._lock, unobserved():
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._count += 1
            self._open[self._count] = path, handle
            self._numbers[path] = self._count
            facts = {"number": self._count, "path": path, "step": self._loop.steps, "epoch": self._loop.epoch}
            facts["time"] = time.time()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            hashing.append(str(self._file), json.dumps(facts).encode() + b"\n")
            self._send(self._count, handle)
            self._take_answers()

    def renamed(self, source: str, target: str) -> None:
        """A file, or a folder, is about to get another name, as one does that is written beside the old one first."""
        with self._lock:
            for path in [path for path in self._numbers if path == source or path.startswith(source + os.sep)]:
                number, now = self._numbers.pop(path), target + path[len(source) :]
                self._numbers[now] = number
                with unobserved():
                    hashing.append(str(self._file), json.dumps({"number": number, "renamed": now}).encode() + b"\n")

    def go_on(self, earlier: Path, until: float) -> None:
        """The step goes on with a training: what was saved before is part of its record.

        Args:
            earlier: The file that it was noted in.
            until: What came after this time is done again.
        """
        known: set[int] = set()
        for line in lines_of(earlier):
            number = line.get("number")
            if "path" in line and isinstance(number, int) and line.get("time", until) <= until:
                known.add(number)
            if number in known:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                hashing.append(str(self._file), json.dumps(line).encode() + b"\n")
        self._count = max(known, default=self._count)

    def finish(self) -> None:
        """Waits until all digests are noted."""
        with self._lock, unobserved():
            while self._open and self._answers(wait=_PATIENCE):
                pass
            for number in list(self._open):
                self._digest_here(number)
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _digest_here(self, number: int) -> None:
        _, handle = self._open.pop(number)
        with unobserved(), suppress(OSError):
            digest = hashing.digest_of(handle)
            hashing.append(str(self._file), hashing.line_of(number, digest))
        os.close(handle)

    def _send(self, number: int, handle: int) -> None:
        try:
            if self._socket is None:
                self._socket = _started(self._file)
            socket.send_fds(self._socket, [hashing.MESSAGE.pack(number)], [handle])
        except (OSError, AttributeError):  # no process can be started, or nothing be sent to one
            self._digest_here(number)

    def _take_answers(self) -> None:
        while self._answers(wait=0.0):
            pass

    def _answers(self, *, wait: float) -> bool:
        """Takes the digests that were noted; whether there was any."""
        if self._socket is None:
            return False
        self._socket.settimeout(wait)
        try:
            data = self._socket.recv(hashing.ANSWER.size, socket.MSG_WAITALL if wait else 0)
        except OSError:
            return False
        finally:
            self._socket.settimeout(None)
        if len(data) < hashing.ANSWER.size:
            return False
        number, _ = hashing.ANSWER.unpack(data)
        if number in self._open:  # noted, or something else has overwritten the file
            os.close(self._open.pop(number)[1])
        return True


def _path(file: Any) -> str | None:
    """The absolute path of a file that is saved to; None where it is none."""
    if type(file).__module__ == "tempfile":
        file = file.file
    if isinstance(file, _FILES):
        file = file.name
    return os.path.abspath(os.fsdecode(file)) if isinstance(file, str | bytes | os.PathLike) else None  # noqa: PTH100


def _started(file: Path) -> socket.socket:
    """The process that takes digests; what it is told by."""
    ours, theirs = socket.socketpair()
    try:
        program = str(Path(hashing.__file__))
        command = [sys.executable, "-I", "-S", program, str(file)]
        with theirs:
            subprocess.run(  # noqa: S603  # the command is ours
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
            )
    except (OSError, subprocess.SubprocessError) as error:
        ours.close()
        raise OSError(str(error)) from error
    return ours
