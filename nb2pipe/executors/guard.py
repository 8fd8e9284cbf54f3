"""A process that outlives nb2pipe by a moment: where nb2pipe is killed, it ends the steps that nb2pipe was running.

`guard.py watch PROCESS` is started beside a step's process. It waits for its standard input: a word there says that all
went well, an end without a word says that nobody is left who looks after the step.

`guard.py start COMMAND...` starts the process that kernels are forked from, and whatever loses its own parent below
that becomes its child. As soon as its standard input or the process ends, it ends all that is left.

It is a file of its own, run by a bare Python, so it imports nothing of ours.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_GLANCE = 0.01
_ROUNDS = 500
"""How often it looks for what is left; a process that is killed is gone at once unless the system itself hangs."""
_REAP_SECONDS = 1.0


def watch(process: int) -> None:
    """Waits for a word, and ends the process and all that it started if none comes."""
    if os.read(0, 1):
        return
    family = descendants(process)
    with suppress(OSError):
        os.killpg(process, signal.SIGKILL)
    for member in family:
        with suppress(OSError):
            os.kill(member, signal.SIGKILL)


def start(command: list[str]) -> None:
    """Starts a command, and leaves nothing of it behind once it, or nobody who wants it any more, is there."""
    import ctypes  # noqa: PLC0415  # not everywhere

    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    process = os.fork()
    if process == 0:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:
            _become(command)
        os._exit(1)
    os.closerange(3, 256)  # what was handed on to the command
    _wait(os.pidfd_open(process))
    _end_all(guard)


def _become(command: list[str]) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.execv(command[0], command)  # noqa: S606  # the kernel's Python


def _wait(handle: int) -> None:
    """Until the process or standard input ends; orphans that ended meanwhile are buried."""
    while True:
        readable, _, _ = select.select([0, handle], [], [], _REAP_SECONDS)
        if readable:
            return
        _bury()


def _bury() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _end_all(guard: int) -> None:
    for _ in range(_ROUNDS):
        left = descendants(guard)
        for member in left:
            with suppress(OSError):
                os.kill(member, signal.SIGKILL)
        _bury()
        if not left:
            return
        time.sleep(_GLANCE)


def descendants(process: int) -> list[int]:
    """The processes that a process started, and that these did, where the system tells of them."""
    children: dict[int, list[int]] = {}
    for stat in _PROCESSES.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = list(children.get(process, ()))
    for each in found:
        found += children.get(each, ())
    return found


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(int(sys.argv[2]))
    else:
        start(sys.argv[2:])
