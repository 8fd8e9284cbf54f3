"""The trackers of a run together: while it goes on, at its end, and of one that ended before."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from nb2pipe import plugins
from nb2pipe.errors import Nb2pipeError, PluginError, RecordsError, UsageError
from nb2pipe.execution.checks.nb522_tracker_failed import tracker_failed
from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import read_run, write_run
from nb2pipe.records.masking import masking_of_environment
from nb2pipe.trackers.feed import Feed
from nb2pipe.trackers.replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nb2pipe.records.events import Event, Noted
    from nb2pipe.records.model import RunRecord
    from nb2pipe.trackers.model import TrackerFactory

_LOGIN = re.compile(r"://[^/@\s]+@")
_LONGEST = 500


class Tracked:
    """Feeds the trackers of a run.

    Args:
        names: Those of the trackers.
        runs: The folder of the home's runs.

    Raises:
        UsageError: There is no tracker of a name.
    """

    def __init__(self, names: Sequence[str], runs: Path) -> None:
        self._feeds = [Feed(name, runs) for name in dict.fromkeys(names)]

    def listeners(self, others: Sequence[Callable[[Event], None]]) -> Sequence[Callable[[Event], None]]:
        """Who listens to the run, the trackers included."""
        return (*others, *(feed.take for feed in self._feeds))

    def finish(
        self, folder: Path, listeners: Sequence[Callable[[Event], None]], cancel: threading.Event | None
    ) -> None:
        """Waits for the trackers, and tells of each that has not all, once; the record says so too.

        Args:
            folder: That of the run, which is over.
            listeners: Those of the user.
            cancel: It is set where the user wants to wait no longer.
        """
        notes = [note for feed in self._feeds if (note := _note(feed, folder.name, cancel)) is not None]
        if not notes:
            return
        with contextlib.suppress(RecordsError):
            record = read_run(folder)
            write_run(folder, replace(record, notes=(*record.notes, *notes)))
        for note in notes:
            for listener in listeners:
                listener(note)

    def abandon(self) -> None:
        """The run has failed in a way of its own; nobody waits for long."""
        for feed in self._feeds:
            feed.close(cancel=_set())


def push(record: RunRecord, folder: Path, name: str) -> None:
    """Sends a run that ended to a tracker, in this process.

    Args:
        record: The run.
        folder: Its folder.
        name: The tracker's.

    Raises:
        UsageError: There is no tracker of that name, or the run still goes on.
        PluginError: It failed.
        RecordsError: The run cannot be read.
    """
    factory = cast("TrackerFactory", plugins.load("trackers", name))
    if record.status is RunStatus.RUNNING:
        raise UsageError(
            f"run {record.run} still goes on", hint="wait for its end; --tracker sends a run as it goes on"
        )
    try:
        tracker = factory(folder)
        for event in replay(record, folder):
            tracker.handle(event)
        tracker.close()
    except Nb2pipeError:
        raise
    except Exception as error:
        message = f"the tracker `{name}` failed: {shown_problem(f'{type(error).__name__}: {error}')}"
        raise PluginError(message, hint="look at its server, then push once more") from error


def shown_problem(text: str) -> str:
    """What a tracker says of its failure, on one line, without credentials.

    >>> shown_problem("no answer of https://me:secret@host/x")
    'no answer of https://***@host/x'
    """
    hidden = masking_of_environment(os.environ).text(_LOGIN.sub("://***@", text))
    return " ".join(hidden.split())[:_LONGEST]


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def _note(feed: Feed, run: str, cancel: threading.Event | None) -> Noted | None:
    problem = feed.close(cancel=cancel)
    return None if problem is None else tracker_failed(feed.name, shown_problem(problem), run, time=time.time())
