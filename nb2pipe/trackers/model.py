"""What a tracker is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.records.events import Event


class Tracker(Protocol):
    """Takes the events of one run, in a process of its own; what it raises ends it, and is told once.

    Events come in order. Points of series come as `MetricLogged` with an index, while a step runs or after it; secrets
    are masked. What came before may come once more, where a run goes on or is pushed: that must change nothing.
    """

    def handle(self, event: Event) -> None:
        """Takes an event."""

    def close(self) -> None:
        """Nothing comes any more; all of it is to be written now."""


class TrackerFactory(Protocol):
    """What the entry point of a tracker names, often its class."""

    def __call__(self, folder: Path) -> Tracker:
        """A tracker of the run in a folder, `runs/RUN` in the home."""
