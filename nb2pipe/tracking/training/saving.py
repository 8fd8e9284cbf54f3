"""Takes the checkpoints of one pass through the epochs, and knows which of them stay."""

from __future__ import annotations

import time
import warnings
from json import dumps
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.found import reads
from nb2pipe.tracking.training.kept import SCHEMA, Kept, Told, name_of
from nb2pipe.tracking.training.subject import process, versions
from nb2pipe.tracking.training.writer import TENSORS
from nb2pipe.tracking.training.writing import Job, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nb2pipe.tracking.training.carried import Carried
    from nb2pipe.tracking.training.loop import Settings
    from nb2pipe.tracking.training.said import Said
    from nb2pipe.tracking.training.subject import Moment, Subject
    from nb2pipe.tracking.training.where import Place


class Saving:
    """The checkpoints of one pass.

    Args:
        subject: What is saved.
        carried: What is not.
        place: Where they go.
        settings: How many stay.
        numbers: Of the epochs.
    """

    def __init__(
        self, subject: Subject, carried: Carried, place: Place, settings: Settings, numbers: list[int]
    ) -> None:
        self._subject = subject
        self._carried = carried
        self._place = place
        self._numbers = numbers
        self._kept = Kept(
            keep=settings.keep,
            monitor=settings.monitor,
            mode=settings.mode,
            last=len(numbers),
            structure=subject.structure,
        )
        self._writer = Writer(self._written)
        self._handed: dict[str, Told] = {}
        self._warned: set[str] = set()

    def begin(self, there: Iterable[Told]) -> None:
        """Begins; some are there already."""
        self._kept.there.extend(there)
        self._writer.start()

    def poll(self) -> None:
        """Hears what was written meanwhile."""
        self._writer.poll()

    def is_best(self, moment: Moment) -> bool:
        """Whether what was logged is better than what is there."""
        return self._kept.is_best(moment.metrics)

    def save(self, moment: Moment, said: Said) -> bool:
        """Takes a checkpoint, if there is time, or if it is the best or the last one.

        Args:
            moment: Where the training is.
            said: What it showed.
        """
        began = time.monotonic()
        self._writer.poll()
        best = self._kept.is_best(moment.metrics)
        last = moment.place[0] >= len(self._numbers)
        if not (best or last or self._writer.has_time):
            return False
        self._carried.follow()
        try:
            encoder, data = self._subject.encode(moment)
        except TypeError as error:  # it fitted as the training began
            self._warn(f"no checkpoint is taken: {error}")
            return False
        problem = self._carried.problem(encoder.tensors.values())
        if problem is not None and (self._carried.is_whole or not self._place.inside):  # there, `check` tells the rest
            self._warn(f"{problem}: a training that is interrupted begins anew")
        told = self._told(moment, said, complete=problem is None)
        job = Job(
            folder=str(self._place.folder),
            name=told.name,
            told=told.told,
            remove=lambda: self._kept.add(told),
            best=best,
            last=last,
        )
        self._handed[told.name] = told
        done = self._writer.save(job, encoder.tensors, dumps({**data, "told": dict(told.told)}), began)
        self._tell_broken()
        return done

    def finish(self) -> None:
        """Waits until all is written."""
        self._writer.finish()
        self._tell_broken()

    def close(self) -> None:
        """Ends the process that writes."""
        self._writer.close()

    def _told(self, moment: Moment, said: Said, *, complete: bool) -> Told:
        told: dict[str, Any] = {
            "schema": SCHEMA,
            "key": self._place.key,
            "structure": self._subject.structure,
            "versions": versions(),
            "process": process(),
            "numbers": self._numbers,
            "position": moment.place[0],
            "batch": moment.place[1],
            "length": moment.length,
            "epoch": moment.epoch,
            "step": moment.steps,
            "time": time.time(),
            "metrics": dict(moment.metrics),
            "said": said.offset,
            "reads": reads(self._place.seen()),
            "complete": complete,
        }
        return Told(name=name_of(moment.place), place=moment.place, told=told)

    def _written(self, name: str, sha256: str) -> None:
        told = self._handed.pop(name, None)
        if told is not None and self._place.outside is not None:
            path: Path = self._place.folder / f"{name}{TENSORS}"
            self._place.outside.saved(path, sha256, told.told["step"], told.told["epoch"])

    def _tell_broken(self) -> None:
        broken, self._writer.broken = self._writer.broken, None
        if broken is not None:
            self._warn(f"a checkpoint could not be written to {self._place.folder}: {broken}")

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            warnings.warn(message, stacklevel=6)
