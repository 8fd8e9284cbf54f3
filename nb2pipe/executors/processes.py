"""The processes of a kernel or another process that runs a step: its group, and what it started elsewhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import resource
    from collections.abc import Sequence


def process_family(process: int | None) -> tuple[Any, ...]:
    """All processes that a process started and that still run; `!command` runs in a group of its own."""
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415  # comes with ipykernel, has no types

    if process is None:
        return ()
    try:
        return tuple(psutil.Process(process).children(recursive=True))
    except psutil.Error:
        return ()


def socket_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that only this user can open; those of processes that were killed are removed."""
    _remove_left()
    return tempfile.TemporaryDirectory(prefix=f"nb2pipe-{_namespace()}-{os.getpid()}-")


@cache
def _namespace() -> int:
    """Where the numbers of processes count: those of other containers, which may share the folder, say nothing here."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


@cache  # once a process
def _remove_left() -> None:
    import psutil  # noqa: PLC0415  # as above

    for path in Path(tempfile.gettempdir()).glob(f"nb2pipe-{_namespace()}-*-*"):
        pid = path.name.split("-")[2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def look_at(process: subprocess.Popen[bytes]) -> tuple[int | None, int | None]:
    """How a process of ours ended, and the bytes of memory that it had at most; None and None while it runs.

    The memory is told once, and not everywhere.
    """
    if process.returncode is None and hasattr(os, "wait4"):
        with suppress(ChildProcessError):
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, peak_of(usage)
    return process.poll(), None


def peak_of(usage: resource.struct_rusage) -> int:
    """The bytes of memory that a process had at most."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def how_it_ended(code: int | None, what: str, peak: int | None = None) -> str:
    """How a process ended, in words; empty where that is not known.

    >>> how_it_ended(-9, "kernel", 3 << 30)
    'the kernel was ended by SIGKILL; the system may have run out of memory (it had up to 3,072 MiB)'
    """
    if code is None:
        return ""
    had = f" (it had up to {peak / (1 << 20):,.0f} MiB)" if peak else ""
    if code >= 0:
        return f"the {what} ended with exit code {code}{had}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    cause = "; the system may have run out of memory" if -code == signal.SIGKILL else ""
    return f"the {what} was ended by {name}{cause}{had}"


def hint_on_end(code: int | None) -> str:
    """What the user can do where a process ended before its time."""
    if code is not None and code >= 0:
        return "the cell, or a library that it calls, ended the process itself, as `os._exit` does"
    return "look at the memory that the cell needs, and for native libraries that end the process"


def end_processes(process: int | None, family: Sequence[Any]) -> None:
    """Ends what is left of a kernel, its process group and its family.

    Args:
        process: The kernel's process, which leads its group; None where there was none.
        family: What `process_family` gave while the kernel ran.
    """
    import psutil  # noqa: PLC0415  # comes with ipykernel

    if process is None:
        return
    if hasattr(os, "killpg") and process != os.getpgrp():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)
    for member in family:
        with suppress(psutil.Error):  # a member knows when it began, so no other process is hit
            member.kill()


class Guard:
    """A process that ends a step's process, and all that it started, where nobody else does any more.

    Args:
        process: The step's process.
    """

    def __init__(self, process: int) -> None:
        program = str(Path(__file__).with_name("guard.py"))
        self._process = subprocess.Popen(  # noqa: S603  # our own file
            [sys.executable, "-I", "-S", program, "watch", str(process)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def release(self) -> None:
        """Tells it that all went well."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(b".")
            self._process.stdin.close()
        self._process.wait()
