"""Copies of what is trained, taken between two batches, and handed to a process that writes them beside the loop.

There are two memories: one that is being written, and one that waits. Where a checkpoint is due while both are taken,
the newer one takes the place of the one that waits, unless that one is the best so far. All that copies take, and that
the loop waits for the disk, stays within a small part of its own time; where it would not, a checkpoint is left out.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.observing.observer import unobserved
from nb2pipe.tracking.training.tensors import fill, lay_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PROGRAM = Path(__file__).with_name("writer.py")
_BLOCK = 1 << 16
_GRACE = 0.2
"""Seconds that checkpoints take of a training as a whole, whatever it takes itself."""
_PART = 0.02
"""The part of its time that they take beyond that."""
_BESIDE = 0.2
"""What a second of the process that writes counts: where processors share memory and caches, it slows the loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A checkpoint that is to be written.

    Attributes:
        told: What is told of it beside the tensors.
        remove: The names of those that are not kept once it is there.
        best: It has to be written, even if a newer one is due, unless that is a better one.
        last: So has this, and the loop waits for it.
    """

    folder: str
    name: str
    told: Mapping[str, Any]
    remove: Callable[[], list[str]]
    best: bool = False
    last: bool = False


@dataclass(slots=True, kw_only=True)
class _Memory:
    """Memory that two processes share."""

    descriptor: int
    view: Any = None
    size: int = 0
    used: int = 0

    def room(self, size: int) -> Any:
        """The memory, of some size at least."""
        if self.view is None or self.size < size:
            self.size = size + size // 16 + _BLOCK  # lists in it grow, and memory that is mapped anew costs time
            os.ftruncate(self.descriptor, self.size)
            self.view = mmap.mmap(self.descriptor, self.size)
        return self.view


@dataclass(slots=True)
class Writer:
    """The process that writes the checkpoints of one training.

    Attributes:
        done: Told of each checkpoint that was written: its name and SHA-256.
        broken: Why the last one could not be written; None where it could.
    """

    done: Callable[[str, str], None]
    broken: str | None = None
    _process: subprocess.Popen[bytes] | None = None
    _memories: list[_Memory] = field(default_factory=list)
    _busy: int | None = None
    _waits: tuple[Job, int] | None = None
    _rest: bytes = b""
    _began: float = field(default_factory=time.monotonic)
    _spent: float = 0.0
    _pid: int = field(default_factory=os.getpid)

    def start(self) -> None:
        """Starts the process, so that it is there when the first checkpoint is due."""
        self._memories = [_Memory(descriptor=_descriptor()) for _ in range(2)]
        descriptors = [memory.descriptor for memory in self._memories]
        with unobserved():
            self._process = subprocess.Popen(  # noqa: S603  # a program of ours
                [sys.executable, "-I", str(_PROGRAM), *map(str, descriptors)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=descriptors,
                start_new_session=True,
            )

    @property
    def has_time(self) -> bool:
        """Whether one more may be taken."""
        return self._left > 0

    @property
    def _left(self) -> float:
        return _GRACE + _PART * (time.monotonic() - self._began) - self._spent

    def save(self, job: Job, tensors: Mapping[str, Any], text: str, since: float) -> bool:
        """Takes a copy, and has it written.

        Args:
            job: What is to be written.
            tensors: As they are now.
            text: What stands beside them in the file.
            since: When the work on it began, as `time.monotonic` has it.

        Returns:
            Whether it will be written; if not, there was no time.
        """
        self.poll()
        if self._busy is not None:
            self._wait(math.inf if job.last else self._left)
        if self._busy is not None and self._waits is not None and self._waits[0].best and not job.best:
            return False
        place = 0 if self._busy != 0 else 1
        layout = lay_out(tensors, text)
        self._waits = None  # if this is interrupted, what lies there is no checkpoint
        fill(self._memories[place].room(layout.size), layout, tensors)
        self._memories[place].used = layout.size
        self._waits = (job, place)
        self._spent += time.monotonic() - since
        self.poll()
        return True

    def poll(self) -> None:
        """Hears what the process has done, and gives it what waits."""
        self._hear(0.0)
        if self._busy is None and self._waits is not None:
            job, place = self._waits
            self._waits, self._busy = None, place
            told = {
                "memory": place,
                "size": self._memories[place].used,
                "folder": job.folder,
                "name": job.name,
                "told": dict(job.told),
                "remove": job.remove(),
            }
            self._tell(json.dumps(told).encode() + b"\n")

    def finish(self) -> None:
        """Waits until all is written."""
        while self._busy is not None or self._waits is not None:
            self.poll()
            self._hear(1.0)

    def close(self) -> None:
        """Lets the process end; what it was given is written."""
        process, self._process = self._process, None
        if process is None or os.getpid() != self._pid:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.write(b"\n")
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        for memory in self._memories:
            memory.view = None
            os.close(memory.descriptor)
        self._memories = []

    def _wait(self, seconds: float) -> None:
        began = time.monotonic()
        while self._busy is not None and (left := began + seconds - time.monotonic()) > 0:
            self._hear(min(left, 1.0))
            self.poll()

    def _hear(self, seconds: float) -> None:
        process = self._process
        if process is None or process.stdout is None or self._busy is None:
            return
        if not select.select([process.stdout], [], [], max(0.0, seconds))[0]:
            return
        data = os.read(process.stdout.fileno(), _BLOCK)
        if not data:
            self._broke("the process that writes checkpoints ended")
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            self._busy = None
            self._spent += _BESIDE * told.get("seconds", 0.0)
            self.broken = told.get("error")
            if self.broken is None:
                self.done(told["name"], told["sha256"])

    def _tell(self, data: bytes) -> None:
        try:
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            self._broke("the process that writes checkpoints ended")

    def _broke(self, reason: str) -> None:
        self.broken, self._busy, self._waits = reason, None, None


def _descriptor() -> int:
    """Memory that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("nb2pipe")
    with unobserved(), tempfile.TemporaryFile() as stream:
        return os.dup(stream.fileno())
