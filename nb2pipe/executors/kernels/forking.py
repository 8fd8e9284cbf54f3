"""The parent from outside: starts it, asks it for kernels, and ends it with all that it forked."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.executors.kernels.process import ForkedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.executors.kernels.imports import EarlyImport

_POLL = 0.05
"""Seconds between two looks at the wish to stop while the parent imports."""
_READY_SECONDS = 120.0
"""How long the parent may import."""
_CANARY_SECONDS = 8.0
_LONGEST = 65536
_ENDED = "the process that kernels are forked from has ended"
_HERE = Path(__file__).resolve().parent


class DoubtError(Exception):
    """Kernels cannot be forked, or perhaps not safely; the text says why."""


class RefusedError(Exception):
    """An import is more than an import.

    Attributes:
        number: Which.
        reason: What it does, in words.
    """

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.reason = reason


class StoppedError(Exception):
    """The step that waited is to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentSpec:
    """What a parent is to be.

    Attributes:
        command: The kernel's Python, with its options.
        variables: Its environment, which kernels inherit.
        folder: Working directory of the kernels.
        seed: The initial random state.
        imports: What it imports.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    folder: Path
    seed: int
    imports: tuple[EarlyImport, ...]


class Parent:
    """A process that imports, and from which kernels are forked. It may be used from several threads.

    Attributes:
        made: How many of the imports it made; None until it has.

    Raises:
        DoubtError: It cannot be started.
    """

    def __init__(self, spec: ParentSpec) -> None:
        self._lock = threading.Lock()
        self._checked: bool | None = None
        self.made: int | None = None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        with theirs:
            self._guard = _start(spec, theirs)
        early = [(each.source, each.modules) for each in spec.imports]
        try:
            ours.send(json.dumps({"imports": early, "folder": str(spec.folder), "seed": spec.seed}).encode())
        except OSError as error:
            self.close()
            raise DoubtError(_ENDED) from error

    def fork(self, request: dict[str, Any], log: int, wants_stop: Callable[[], object]) -> ForkedProcess:
        """A kernel, which may not be ready yet.

        Args:
            request: Its connection file (`file`), its working directory (`folder`), and environment variables of it
                alone (`own`).
            log: The file descriptor that takes what it writes to its standard error.
            wants_stop: Gives something true once nobody wants the kernel any more.

        Raises:
            DoubtError: There is no parent any more, or it may not be safe.
            RefusedError: The parent is to be started anew without an import.
            StoppedError: `wants_stop` said so.
        """
        with self._lock:
            self._until(lambda: self.made is not None, _READY_SECONDS, wants_stop)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                try:
                    socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno(), log])
                except OSError as error:
                    ours.close()
                    raise DoubtError(_ENDED) from error
            kernel = ForkedProcess(ours)
            try:
                self._until(lambda: self._checked is not None, _CANARY_SECONDS, wants_stop)
                self._hear_canary()
            except Exception:
                kernel.close()
                raise
        return kernel

    def _hear_canary(self) -> None:
        if not self._checked:
            raise DoubtError("a forked process hung, or died, as it worked in parallel")

    def _until(self, holds: Callable[[], bool], seconds: float, wants_stop: Callable[[], object]) -> None:
        """Takes what the parent tells until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            if wants_stop():
                raise StoppedError
            if time.monotonic() > end:
                raise DoubtError("the process that kernels are forked from took too long")
            data = self._receive()
            if data is not None:
                self._take(json.loads(data))

    def _receive(self) -> bytes | None:
        """What the parent tells; None if nothing for a moment."""
        try:
            self._control.settimeout(_POLL)
            data = self._control.recv(_LONGEST)
        except TimeoutError:
            return None
        except OSError:
            data = b""
        if not data:
            raise DoubtError(_ENDED)
        return data

    def _take(self, told: dict[str, Any]) -> None:
        refused = told.get("refused")
        if refused is not None:
            if "number" in refused:
                raise RefusedError(refused["number"], refused["reason"])
            raise DoubtError(refused["reason"])
        self.made = told.get("ready", self.made)
        self._checked = told.get("canary", self._checked)

    def close(self) -> None:
        """Ends it, and all that it forked."""
        self._control.close()
        assert self._guard.stdin is not None
        with suppress(OSError):
            self._guard.stdin.close()
        self._guard.wait()


def _start(spec: ParentSpec, control: socket.socket) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-I", "-S", str(_HERE.with_name("guard.py")), "start"]
    try:
        return subprocess.Popen(  # noqa: S603  # the kernel's Python
            [*program, *spec.command, str(_HERE / "parent.py"), str(control.fileno())],
            cwd=spec.folder,
            env=dict(spec.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
            pass_fds=[control.fileno()],
        )
    except OSError as error:
        raise DoubtError(f"the process that kernels are forked from cannot be started: {error}") from error
