"""The process of a step: started, listened to, and ended with all that it started, also where nb2pipe is killed."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from nb2pipe.executors.processes import Guard, end_processes, look_at, process_family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO, Any

_POLL = 0.05
"""Seconds between two looks at the process, the deadline and the wish to cancel."""
_PATIENCE = 0.8
"""Seconds that an interrupted cell gets to end by itself."""
_FAREWELL = 5.0
"""Seconds that a process gets for its `atexit` functions and threads."""
_LAST_WORDS = 0.3
"""Seconds in which output that is still under way arrives, where somebody else keeps the pipes open."""
_CHUNK = 1 << 16

STREAMS = ("stdout", "stderr")


class Listener(Protocol):
    """Hears of what a process does."""

    def feed(self, stream: str, data: bytes, *, last: bool = False) -> None:
        """Bytes arrived on a stream; `last` as it closes."""

    def look(self) -> bool:
        """Called every now and then; whether the process is to stop now."""

    def is_through(self) -> bool:
        """Whether the work is done, so that only the process's own end is waited for."""


class Child:
    """A process that runs a step.

    Args:
        command: What to start.
        folder: Its working directory.
        variables: Its environment.
        files: Files that it may read by their numbers.

    Attributes:
        peak: The bytes of memory that it had at most, once it has ended by itself.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], files: Sequence[int] = ()
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # the kernel's Python
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=files,
        )
        self._guard = Guard(self._process.pid)
        self.peak: int | None = None
        self._family: tuple[Any, ...] = ()
        self._through: float | None = None
        self._selector = selectors.DefaultSelector()
        for name in STREAMS:
            pipe: IO[bytes] = getattr(self._process, name)
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)

    def run(self, listener: Listener) -> int | None:
        """Listens until the process has ended, and leaves nothing of it behind.

        Returns:
            Its exit code, negative for a signal; None where it was ended here.
        """
        try:
            code = self._listen(listener)
        finally:
            self._end()
        self._drain(listener, _LAST_WORDS)
        for key in list(self._selector.get_map().values()):
            self._close(key.data, listener)
        self._selector.close()
        return code

    def _listen(self, listener: Listener) -> int | None:
        while True:
            code, self.peak = look_at(self._process)
            if code is not None:
                return code
            self._pump(listener, _POLL)
            if listener.look():
                self._interrupt(listener)
                return None
            if self._is_overdue(listener):
                return None

    def _is_overdue(self, listener: Listener) -> bool:
        """Whether the work is done, and the process does not end: threads of it end with it."""
        if self._through is None and listener.is_through():
            self._through = time.monotonic()
            self._family = process_family(self._process.pid)
        return self._through is not None and time.monotonic() - self._through > _FAREWELL

    def _interrupt(self, listener: Listener) -> None:
        """Lets the cell end as Ctrl-C does, for a moment."""
        self._family = process_family(self._process.pid)
        with suppress(OSError):
            self._process.send_signal(signal.SIGINT)
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            self._pump(listener, _POLL)

    def _end(self) -> None:
        end_processes(self._process.pid, self._family)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._guard.release()

    def _drain(self, listener: Listener, seconds: float) -> None:
        """Takes what is still in the pipes; a process that left the group may keep them open for ever."""
        until = time.monotonic() + seconds
        while self._selector.get_map() and (left := until - time.monotonic()) > 0:
            self._pump(listener, left)

    def _pump(self, listener: Listener, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)  # the process closed both, and goes on
        for key, _ in self._selector.select(seconds) if self._selector.get_map() else ():
            data = os.read(key.fd, _CHUNK)
            if data:
                listener.feed(key.data, data)
            else:
                self._close(key.data, listener)

    def _close(self, stream: str, listener: Listener) -> None:
        pipe: IO[bytes] = getattr(self._process, stream)
        self._selector.unregister(pipe)
        pipe.close()
        listener.feed(stream, b"", last=True)
