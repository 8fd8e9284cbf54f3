"""What a step's session begins and ends: it hears of loops and saved files, and has them noted in the step's folder."""

from __future__ import annotations

import logging
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

from nb2pipe.records.series import CHECKPOINTS, SERIES, recorded_checkpoints, recorded_counts, rows_of
from nb2pipe.runtime import resuming
from nb2pipe.runtime.recording import hooks
from nb2pipe.runtime.recording.loop import Loop
from nb2pipe.runtime.recording.saves import Saves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)


_CHECKPOINTS = resuming.CHECKPOINTS

_current: list[Recording] = []
"""What records in this process; at most one."""


def goes_on(checkpoints: Path, until: float, *, middle: bool) -> None:
    """As `Recording.go_on`, of what records in this process, if anything does."""
    for recording in _current:
        try:
            recording.go_on(checkpoints, until, middle=middle)
        except OSError as error:
            _log.debug("what was recorded before is not known", exc_info=error)


def in_part(step: str, reasons: Sequence[str]) -> str:
    """What to tell of a step of whose training not all is recorded."""
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"the training in `{step}` is recorded in part only: {reasons[0]}{more}"


def is_recorded_here() -> bool:
    """Whether something records in this process."""
    return bool(_current)


def _series_beside(checkpoints: Path) -> Path | None:
    """Where the series lie that belong to the checkpoints of a training.

    >>> from pathlib import Path
    >>> str(_series_beside(Path("/home/runs/RUN/checkpoints/outer/train/training")))
    '/home/runs/RUN/series/outer/train'
    >>> str(_series_beside(Path("/outputs/train.checkpoints/training")))
    '/outputs/train.series'
    """
    step = checkpoints.parent
    if step.name.endswith(f".{_CHECKPOINTS}"):  # a step from files to files
        return step.with_name(f"{step.name.removesuffix(_CHECKPOINTS)}{SERIES}")
    found = next((each for each in step.parents if each.name == _CHECKPOINTS), None)
    return found.parent / SERIES / step.relative_to(found) if found is not None else None


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
        self._broken: list[str] = []

    @property
    def _before(self) -> Path:
        """What an earlier attempt left, until this one ends."""
        assert self._folder is not None
        return self._folder.with_name(f".{self._folder.name}.before")

    def go_on(self, checkpoints: Path, until: float, *, middle: bool) -> None:
        """The step goes on with a training of an earlier attempt, or of another run.

        Args:
            checkpoints: The folder of what it goes on from: `runs/RUN/checkpoints/STEP/NAME`.
            until: When the checkpoint was taken; what came after it is done again.
            middle: It was taken within a pass.
        """
        if self._folder is None or self._parts is None:
            return
        source = _series_beside(checkpoints)
        if source == self._folder:
            source = self._before
        if source is not None:
            self._parts[0].go_on(rows_of(source), until, middle=middle)
            self._parts[1].go_on(source / CHECKPOINTS, until)

    def begin(self) -> None:
        """From now on it records.

        Raises:
            OSError: What an earlier attempt left cannot be removed.
        """
        if self._folder is None or self._parts is None:
            return
        if self._folder.exists():
            self._move_aside(self._folder)
        _current[:] = [self]
        hooks.listen(*self._parts)

    def _move_aside(self, folder: Path) -> None:
        """Keeps what the last attempt left that stepped."""
        if self._before.exists() and not rows_of(folder):
            shutil.rmtree(folder)
            return
        shutil.rmtree(self._before, ignore_errors=True)
        folder.rename(self._before)

    def finish(self) -> None:
        """It records nothing any more, and all of it is written."""
        if self._parts is None:
            return
        hooks.stop_listening(*self._parts)
        _current[:] = [each for each in _current if each is not self]
        shutil.rmtree(self._before, ignore_errors=True)
        for part in self._parts:
            try:
                part.finish()
            except Exception as error:  # noqa: BLE001  # a device that failed has nothing more to tell
                _log.debug("what training did is not known to its end", exc_info=error)
                self._broken.append(f"{type(error).__name__}: {error}")

    def problems(self) -> list[str]:
        """Why not all is recorded, each reason once."""
        if self._parts is None:
            return []
        return [*hooks.errors(trained=self._parts[0].steps is not None), *self._broken]

    def counts(self) -> dict[str, int]:
        """The number of points of each series."""
        return recorded_counts(self._folder) if self._folder else {}

    def checkpoints(self) -> list[dict[str, object]]:
        """What was saved, as JSON."""
        return [asdict(each) for each in recorded_checkpoints(self._folder)] if self._folder else []
