"""The process of one tracker: `python -m nb2pipe.trackers.child NAME FOLDER`, fed by `feed.Feed` of the run.

Events come on stdin, each as its length and its pickle; the run's process wrote them. A byte on stdout says that the
tracker is alive, `IDLE` that it has done all that it heard of, and the last line, JSON, how it ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import struct
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from nb2pipe import plugins
from nb2pipe.records.events import StepFailed, StepFinished, StepStarted
from nb2pipe.trackers.replay import Series, live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nb2pipe.records.events import Event
    from nb2pipe.trackers.model import Tracker, TrackerFactory

_NICE = 10
_LOOK = 2.0
"""Seconds between two looks at what the steps that run have recorded."""
_SHARE = 10
"""Looking takes no more than one part of so many of the time."""
_ALIVE = 0.5
_IMPORT = 40.0
_ABANDONED = 120.0
"""Seconds without progress after which it ends itself, once the run is over and nobody waits for it any more."""
IDLE = b","


def main() -> None:
    """Takes events up to the end of stdin, and says how that went."""
    name, folder = sys.argv[1:3]
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICE)
    said = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    answer: dict[str, Any] = {"error": None}
    try:
        _run(name, Path(folder), _Pulse(said))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run's process tells it
        hint = getattr(error, "hint", None)
        answer["error"] = f"{type(error).__name__}: {error}" + (f" ({hint})" if hint else "")
    with contextlib.suppress(OSError):
        said.write(b"\n" + json.dumps(answer).encode() + b"\n")
    os._exit(0)  # threads of a library must not keep it


class _Pulse:
    """Says now and then that something was done, and each time that all is."""

    def __init__(self, said: BinaryIO) -> None:
        self._said = said
        self._last = 0.0
        self._done = time.monotonic()

    def beat(self) -> None:
        self._done = now = time.monotonic()
        if now - self._last > _ALIVE:
            self._last = now
            self._say(b".")

    def rest(self) -> None:
        self._done = time.monotonic()
        self._say(IDLE)

    def end_where_nothing_is_done(self) -> None:
        while time.monotonic() - self._done < _ABANDONED:
            time.sleep(1)
        os._exit(1)

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._said.write(word)

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        """Beats within it: a large library is imported, which takes long on a busy machine and waits for nobody."""
        done = threading.Event()

        def beat() -> None:
            end = time.monotonic() + _IMPORT
            while not done.wait(_ALIVE) and time.monotonic() < end:
                self.beat()

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            done.set()


def _run(name: str, folder: Path, pulse: _Pulse) -> None:
    with pulse.going():
        tracker: Tracker = cast("TrackerFactory", plugins.load("trackers", name))(folder)

    def handle(event: Event) -> None:
        tracker.handle(event)
        pulse.beat()

    events: queue.Queue[Event | None] = queue.Queue(maxsize=1000)
    threading.Thread(target=_read, args=(sys.stdin.buffer, events, pulse), daemon=True).start()
    try:
        _take(events, Series(folder), handle, pulse)
    finally:
        tracker.close()


def _take(events: queue.Queue[Event | None], series: Series, handle: Callable[[Event], None], pulse: _Pulse) -> None:
    running: set[str] = set()
    pause, heard = _LOOK, False
    while True:
        if heard and events.empty():
            pulse.rest()
        try:
            event = events.get(timeout=pause if running else None)
        except queue.Empty:
            pause = _look(sorted(running), series, handle)
            continue
        heard = True
        if event is None:
            return
        match event:
            case StepStarted(step=step):
                running.add(step)
            case StepFinished(step=step) | StepFailed(step=step):
                running.discard(step)
            case _:
                pass
        live(event, series, handle)


def _look(steps: Sequence[str], series: Series, handle: Callable[[Event], None]) -> float:
    """Hands over what steps that run have recorded so far; how long to wait before the next look."""
    began = time.monotonic()
    for step in steps:
        for point in series.so_far(step):
            handle(point)
    return max(_LOOK, _SHARE * (time.monotonic() - began))


def _read(stream: BinaryIO, events: queue.Queue[Event | None], pulse: _Pulse) -> None:
    with contextlib.suppress(OSError, EOFError):
        while len(head := stream.read(4)) == 4:  # noqa: PLR2004 - the length
            events.put(pickle.loads(stream.read(struct.unpack("<I", head)[0])))  # noqa: S301 - from our own process
    events.put(None)
    pulse.end_where_nothing_is_done()


if __name__ == "__main__":
    main()
