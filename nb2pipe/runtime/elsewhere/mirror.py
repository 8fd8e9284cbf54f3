"""Checkpoints of a step elsewhere, kept in a store too: a step that begins again on an empty disk goes on from them.

A process under `nice` brings what the folder of checkpoints holds to the store, the newest first; the training writes
to its disk, and waits for nothing. What is told of a checkpoint comes after its tensors, so one that is there is whole.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.runtime.elsewhere.apart import Apart
from nb2pipe.runtime.elsewhere.named import RUN, run_id
from nb2pipe.runtime.observing.observer import unobserved
from nb2pipe.store.remote import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.runtime.elsewhere.step import StepElsewhere

FINISH, DONE = "finish", "done"
"""What the process is told when the step ends: it failed, or it has left all that it leaves."""
REACHED, READY = "reached", "ready"
"""What it says when the store has answered, and when all is here that an earlier attempt left."""

_PROCESS = "nb2pipe.runtime.elsewhere.mirroring"
_FIRST_WORD, _AT_FIRST, _AFTER, _AT_LAST = 60.0, 1800.0, 5.0, 60.0


@dataclass(slots=True, kw_only=True)
class Mirror:
    """The checkpoints of one step in a store.

    Attributes:
        url: The store.
        path: Where they lie in it.
        folder: The step's own folder for them.
        series: The folder for what is recorded of its trainings.
        work: The step's working directory.
        tell: Takes what goes wrong, as a sentence; the step does without.
        environment: The variables that the step began with.
    """

    url: str
    path: str
    folder: Path
    series: str
    work: Path
    tell: Callable[[str], None]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _process: Apart | None = None
    _began: bool = False

    def begin(self) -> None:
        """A training begins: what an earlier attempt left is brought here, and from now on all of it there."""
        if self._began:
            return
        self._began = True
        try:
            with unobserved():
                self._process = self._started()
        except OSError as cause:
            self.tell(f"checkpoints are not brought to the store: {cause}")

    def end(self, *, done: bool, seconds: float = _AT_LAST) -> None:
        """The step ended; the last checkpoints are brought, too.

        Args:
            done: It has left all that it leaves, so nobody has to go on from them.
            seconds: How long that may take.
        """
        process, self._process = self._process, None
        if process is None:
            return
        process.say(DONE if done else FINISH)
        error = process.wait(seconds)
        if error is not None:
            self.tell(f"not all checkpoints are in the store: {error.message}")

    def _started(self) -> Apart:
        """The process, once it has brought what an earlier attempt left."""
        is_empty = not any(self.folder.glob("*/epoch-*"))
        process = Apart(_PROCESS, self._facts(fetches=is_empty, knows=True), self.environment, answers=True)
        if process.hear(_FIRST_WORD) == REACHED and process.hear(_AT_FIRST) == READY:
            return process
        error = process.wait(_AFTER)
        self.tell(f"what an earlier attempt saved is not known: {error.message if error else 'it did not come'}")
        return Apart(_PROCESS, self._facts(fetches=False, knows=False), self.environment)

    def _facts(self, *, fetches: bool, knows: bool) -> dict[str, str | bool]:
        return {
            "url": self.url,
            "path": self.path,
            "folder": str(self.folder),
            "series": self.series,
            "work": str(self.work),
            "fetches": fetches,
            "knows": knows,
        }


def mirror_of(
    noted: StepElsewhere | None, runs: Sequence[str], folder: Path | None, work: Path, tell: Callable[[str], None]
) -> Mirror | None:
    """Where the checkpoints of a step are kept, too; None where nobody could find them there again.

    Args:
        noted: The step's record; None where no store is named.
        runs: The runs that earlier steps say they were part of.
        folder: The step's own folder for checkpoints.
        work: Its working directory.
        tell: Takes what goes wrong.
    """
    is_named = bool(os.environ.get(RUN, "").strip()) or run_id("", runs) in runs
    if noted is None or folder is None or not is_named:
        return None
    url = noted.url
    with suppress(Exception):  # what is wrong with it is told as the record is brought there
        url = normal(noted.url)
    path = f"runs/{noted.run.run}/checkpoints/{noted.facts.file}"
    return Mirror(url=url, path=path, folder=folder, series=noted.series, work=work, tell=tell)
