"""Ctrl-C during a run: the first one asks the steps to stop, the second one kills them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.errors import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def interruptible(tell: Callable[[str], None], last: Callable[[], None]) -> Iterator[threading.Event]:
    """While it holds, Ctrl-C and SIGTERM set the event that it gives.

    Args:
        tell: Takes a word for people.
        last: Is called before the process ends at once, such as to set the terminal right.
    """
    cancel = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            with contextlib.suppress(Exception):
                last()
            kill_children(os.getpid())
            os._exit(INTERRUPTED)
        cancel.set()
        with contextlib.suppress(OSError, RuntimeError):  # a word is being written already, or nobody reads
            tell("interrupted: the steps are being stopped; Ctrl-C again kills them")

    if threading.current_thread() is not threading.main_thread():
        yield cancel  # only the main thread may set handlers
        return
    before = {which: signal.signal(which, handle) for which in _SIGNALS}
    try:
        yield cancel
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def kill_children(process: int) -> None:
    """Kills what a process started; a child that leads a group takes its group along.

    Where the system does not tell the children, kernels end by themselves: they watch their parent.
    """
    for child in _children(process):
        with contextlib.suppress(OSError):
            if os.getpgid(child) == child:
                os.killpg(child, signal.SIGKILL)
            else:
                os.kill(child, signal.SIGKILL)


def _children(process: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += [int(child) for child in (thread / "children").read_text("ascii").split()]
    return found
