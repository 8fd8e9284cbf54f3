"""Hands each event to the record first, and then to whoever listens; what fails there is told, not swallowed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from nb2pipe.execution.checks.nb514_listener_failed import listener_failed
from nb2pipe.records.masking import Masking
from nb2pipe.records.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nb2pipe.records.events import Event


class Publisher:
    """Takes events from all threads of a run, one at a time.

    A listener that raises is told nothing more, and a note says so once. A record that cannot be written is no small
    thing: `broken` holds the error, and whoever drives the run ends it.

    Args:
        record: Writes the record.
        listeners: Whoever else wants to know.
        masking: Replaces secret values in what all of them see.
    """

    def __init__(
        self,
        record: Callable[[Event], None],
        listeners: Sequence[Callable[[Event], None]],
        masking: Masking | None = None,
    ) -> None:
        self._masking = masking if masking is not None else Masking()
        self._pieces = Pieces(self._masking)
        self._record = record
        self._listeners = list(listeners)
        self._lock = threading.RLock()
        self._closed = False
        self._broken: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Hands an event on."""
        with self._lock:
            if self._closed:
                return
            for masked in self._pieces.through(event):
                self._hand(masked)

    def broken(self) -> Exception | None:
        """Why the record cannot be written, or None."""
        return self._broken

    def close(self) -> None:
        """Events that come later, from a step that was given up, are dropped."""
        with self._lock:
            self._closed = True

    def _hand(self, event: Event) -> None:
        self._write(event)
        shown = self._masking.shown(event)
        for listener in tuple(self._listeners):
            self._tell(listener, shown)

    def _write(self, event: Event) -> None:
        if self._broken is not None:
            return
        try:
            self._record(event)
        except Exception as error:  # noqa: BLE001  # kept for the driver, which raises it in its own thread
            self._broken = error

    def _tell(self, listener: Callable[[Event], None], event: Event) -> None:
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001  # the run goes on, and the note says why it is silent
            self._listeners.remove(listener)
            self(listener_failed(listener, error, time=time.time()))
