"""The processes of kernels, as `jupyter_client` wants them: looked at, interrupted, ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from nb2pipe.executors.processes import look_at

if TYPE_CHECKING:
    import socket
    import subprocess

_GLANCE = 0.005
"""Seconds between two looks at a process that is ending."""
_LONGEST = 4096


class KernelProcess:
    """The process of a kernel; the names of its methods are those of `jupyter_client`'s provisioners.

    Attributes:
        peak: The bytes of memory that it had at most, once it has ended, as far as that is known.
        orphaned: It ended because the process did that it was forked from.
    """

    pid: int | None = None
    peak: int | None = None
    orphaned = False
    ready = False
    """It has said that it is ready; a kernel that was started as a program says nothing."""

    @property
    def has_process(self) -> bool:
        """Whether it was started."""
        return self.pid is not None

    def look(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        raise NotImplementedError

    async def poll(self) -> int | None:
        """As `look`."""
        return self.look()

    async def wait(self) -> int | None:
        """Waits for its end."""
        while (code := self.look()) is None:  # noqa: ASYNC110  # another process sets no event
            await asyncio.sleep(_GLANCE)
        return code

    async def send_signal(self, number: int) -> None:
        """Sends a signal to the kernel and to what runs in its group."""
        if self.pid is not None and self.look() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # jupyter_client's signature
        """Ends it at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # as above
        """Asks it to end."""
        await self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Nobody asks about it any more."""

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002  # as above
        """There is nothing left to clean up."""


class ColdProcess(KernelProcess):
    """A kernel that was started as a program of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def look(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        code, peak = look_at(self._process)
        self.peak = peak or self.peak
        return code


class ForkedProcess(KernelProcess):
    """A kernel that was forked; the parent tells how it ended.

    Args:
        told: The socket on which the parent, and the kernel as it becomes ready, tell of it.
    """

    def __init__(self, told: socket.socket) -> None:
        self.pid = None
        self.ready = False
        self._told = told
        self._code: int | None = None
        told.setblocking(False)

    def look(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs.

        A kernel is killed as its parent ends.
        """
        while self._code is None:
            try:
                data = self._told.recv(_LONGEST)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.orphaned = not data
            self._take(json.loads(data) if data else {"ended": -signal.SIGKILL})
        return self._code

    def close(self) -> None:
        """Nobody asks about it any more."""
        self._told.close()

    def _take(self, what: dict[str, int]) -> None:
        self.pid = what.get("pid", self.pid)
        self.ready = self.ready or "ready" in what
        if "ended" in what:
            self._code = what["ended"]
            self.peak = what.get("peak")
            self._told.close()
