"""What a step's session begins and ends: it hears of loops and saved files, and has them noted in the step's folder."""

from __future__ import annotations

import logging
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

from nb2pipe.records.series import recorded_checkpoints, recorded_counts
from nb2pipe.runtime.observing import observer
from nb2pipe.runtime.recording import hooks
from nb2pipe.runtime.recording.loop import Loop
from nb2pipe.runtime.recording.saves import Saves

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


def _parts(folder: Path) -> tuple[Loop, Saves]:
    loop = Loop(folder)
    return loop, Saves(folder, loop)


class Recording:
    """Records the training that is done in this process.

    Args:
        folder: What is there is removed, and what is recorded goes there; None where nothing is.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._parts = _parts(folder) if folder else None

    def begin(self) -> None:
        """From now on it records.

        Raises:
            OSError: What an earlier attempt left cannot be removed.
        """
        if self._folder is None or self._parts is None:
            return
        if self._folder.exists():
            shutil.rmtree(self._folder)
        hooks.listen(*self._parts)
        observer.renaming[:] = [self._parts[1].renamed]

    def finish(self) -> None:
        """It records nothing any more, and all of it is written."""
        if self._parts is None:
            return
        hooks.stop_listening(*self._parts)
        observer.renaming.clear()
        for part in self._parts:
            try:
                part.finish()
            except Exception as error:  # noqa: BLE001  # a device that failed has nothing more to tell
                _log.debug("what training did is not known to its end", exc_info=error)

    def counts(self) -> dict[str, int]:
        """The number of points of each series."""
        return recorded_counts(self._folder) if self._folder else {}

    def checkpoints(self) -> list[dict[str, object]]:
        """What was saved, as JSON."""
        return [asdict(each) for each in recorded_checkpoints(self._folder)] if self._folder else []
