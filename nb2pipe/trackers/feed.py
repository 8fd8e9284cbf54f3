"""Feeds a tracker, in a process of its own, with the events of a run, and never lets the run wait for it."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nb2pipe import plugins
from nb2pipe.records.events import CellFinished, MetricLogged, OutputWritten, Transfer
from nb2pipe.trackers.child import IDLE
from nb2pipe.trackers.replay import shows_image

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.records.events import Event

_LONGEST = 10_000
"""Events that may wait; points of series, of which there may be millions, are read from files instead."""
_STILL = 5.0
"""Seconds that a tracker may say nothing before a run that is over waits for it no longer."""
_WHOLE = 20.0
"""Seconds that a run, once over, waits for a tracker that gets on; then that goes on without anybody waiting."""
_IMPATIENT = 1.5
"""Seconds that a tracker has in all, once the run is over."""


_left: list[subprocess.Popen[bytes]] = []
"""Trackers that go on after their runs."""


class Feed:
    """The tracker of one run.

    Args:
        name: The tracker's.
        folder: The home's `runs`.
        still: Seconds without a word after which nobody waits for it any more, once the run is over.
        whole: Seconds that it has in all then.

    Raises:
        UsageError: There is no tracker of that name.
    """

    def __init__(self, name: str, folder: Path, *, still: float = _STILL, whole: float = _WHOLE) -> None:
        plugins.check("trackers", name)
        self.name = name
        self._folder = folder
        self._limits = (still, whole)
        self._events: queue.Queue[Event | None] = queue.Queue(maxsize=_LONGEST)
        self._problem: str | None = None
        self._goes_on = False
        self._heard = self._asked = time.monotonic()
        self._idle, self._over = True, False
        self._words = bytearray()
        self._writer: threading.Thread | None = None
        self._listener: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def take(self, event: Event) -> None:
        """Takes an event; it returns at once."""
        ended = self._writer is not None and not self._writer.is_alive()
        if ended or self._problem is not None or isinstance(event, OutputWritten | Transfer):
            return
        if isinstance(event, MetricLogged) and event.index is not None:
            return
        try:
            self._events.put_nowait(event)
        except queue.Full:
            self._problem = "it did not keep up with the run"
            return
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name=f"tracker {self.name}", daemon=True)
            self._writer.start()

    def close(self, *, cancel: threading.Event | None = None, patience: float = _IMPATIENT) -> str | None:
        """Waits until the tracker has written all, or is given up.

        Args:
            cancel: Once set, it gets no more than `patience`.
            patience: Seconds.

        Returns:
            Why it has not all of the run, or None.
        """
        if self._writer is None:
            return self._problem
        with contextlib.suppress(queue.Full):
            self._events.put_nowait(None)
        self._wait(cancel, patience)
        self._stop()
        return self._problem or self._answer()

    def _stop(self) -> None:
        """No process and no pipe is left."""
        process = self._process
        if process is None:
            return
        if self._goes_on and self._writer is not None and not self._writer.is_alive():
            _left.append(process)  # it has heard all, and ends by itself
            return
        if process.poll() is None:
            process.kill()
        process.wait()
        for thread in (self._writer, self._listener):
            if thread is not None:
                thread.join(_IMPATIENT)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not yet sent goes nowhere
                    pipe.close()

    def _wait(self, cancel: threading.Event | None, patience: float) -> None:
        still, whole = self._limits
        began = time.monotonic()
        while self._is_busy():
            now = time.monotonic()
            if cancel is not None and cancel.is_set():
                still, whole = min(still, patience), min(whole, patience)
            silent = not self._idle and now - max(self._heard, self._asked) > still
            if silent or now - began > whole:
                self._goes_on = cancel is None or not cancel.is_set()
                what = f"nothing was heard of it for {still:g} s" if silent else f"it was not through in {whole:g} s"
                self._problem = self._problem or what + self._fate()
                return
            time.sleep(0.02)

    def _fate(self) -> str:
        return "; it goes on in the background" if self._goes_on else ""

    def _is_busy(self) -> bool:
        if self._problem is not None:
            return False
        assert self._writer is not None
        return self._writer.is_alive() or (self._listener is not None and self._listener.is_alive())

    def _answer(self) -> str | None:
        """What the tracker's process said in the end."""
        try:
            error = json.loads(bytes(self._words).strip().rsplit(b"\n", 1)[-1])["error"]
        except (ValueError, KeyError, TypeError):
            return "its process ended without a word"
        return None if error is None else str(error)

    def _write(self) -> None:
        """Runs in a thread of its own: it may wait for the tracker."""
        first = self._events.get()
        run = getattr(first, "run", None)
        if first is None or run is None:
            return
        try:
            self._process = _start(self.name, self._folder / run)
            self._listener = threading.Thread(target=self._listen, daemon=True)
            self._listener.start()
            event: Event | None = first
            while event is not None:
                self._send(event)
                event = self._events.get()
            assert self._process.stdin is not None
            self._over = True  # it has to end, so that it is never idle again
            self._asked, self._idle = time.monotonic() if self._idle else self._asked, False
            self._process.stdin.close()
        except (OSError, ValueError) as error:
            if self._process is None:
                self._problem = f"it cannot be started: {error}"

    def _ask(self) -> None:
        """It has something to do from now on, where it had done all before."""
        if self._idle:
            self._asked, self._idle = time.monotonic(), False

    def _send(self, event: Event) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        data = pickle.dumps(_plain(event))
        self._ask()
        self._process.stdin.write(struct.pack("<I", len(data)) + data)
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while said := os.read(self._process.stdout.fileno(), 4096):
            self._heard, self._idle = time.monotonic(), said.endswith(IDLE) and not self._over
            self._words = (self._words + said)[-65536:]


def _plain(event: Event) -> Event:
    """An event as it may leave the run: nothing but plain types, and of outputs of cells only images."""
    if not isinstance(event, CellFinished):
        return event
    outputs: Any = json.loads(json.dumps([each for each in event.outputs if shows_image(each)], default=str))
    return replace(event, outputs=tuple(outputs))


def _start(name: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module in this Python
        [sys.executable, "-m", "nb2pipe.trackers.child", name, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what libraries log may hold credentials
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        start_new_session=True,  # Ctrl-C is for the run, which then tells it
    )
