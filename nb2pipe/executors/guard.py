"""A process that outlives nb2pipe by a moment: where nb2pipe is killed, it ends the step that nb2pipe was running.

It is started beside a step's process, with the step's number as argument, and waits for its standard input. A word
there says that all went well; an end without a word says that nobody is left who looks after the step. It is a file of
its own, run by a bare Python, so it imports nothing of ours.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")


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
    watch(int(sys.argv[1]))
