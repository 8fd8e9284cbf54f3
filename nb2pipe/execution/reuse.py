"""Steps whose code, inputs, parameters and surroundings are those of an earlier run need not run again.

For each key there is a small file in the home, a line for each step that ran with it: `RUN STEP`. The lines only say
where to look; what counts is the record of that step, whose key and trace have to hold.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError
from nb2pipe.execution.attempts import code_of
from nb2pipe.execution.drive import Recalled
from nb2pipe.execution.keys import GENERATORS
from nb2pipe.execution.model import Completed
from nb2pipe.execution.recall import drew_alike, has_all, outputs_of, renumbered
from nb2pipe.records.events import MetricLogged, SeriesRecorded, StepReused
from nb2pipe.records.files import read_points, read_run, read_step, series_path, step_path
from nb2pipe.records.series import copy_recorded, recorded_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nb2pipe.execution.model import StepCall
    from nb2pipe.execution.traces import Traces
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.records.events import Event
    from nb2pipe.records.model import StepRecord
    from nb2pipe.store.base import Store

_MOST = 20
"""Earlier runs of one key that are looked at, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Finds what a step made in an earlier run, and notes what it makes in this one.

    Attributes:
        keys: The folder of the files of the keys.
        runs: The folder that holds a folder for each run.
        run: This run's id.
        reads: Whether results of earlier runs are taken at all.
        forced: All steps, or all that the user chose, are to run again.
        chosen: The steps that the user chose; None for all.
        writes: Whether those of this run are noted.
        here: The folder of this run; by default that of its id in `runs`.
        bring: Brings what is known of a key, before it is looked for.
        beyond: Where to look for what is not found here: in what others' runs made.
    """

    keys: Path
    runs: Path
    run: str
    store: Store
    traces: Traces
    reads: bool = True
    forced: bool = False
    chosen: frozenset[str] | None = None
    writes: bool = True
    here: Path | None = None
    bring: Callable[[str], None] = lambda _key: None
    beyond: Reuse | None = None

    def __call__(self, unit: Unit, call: StepCall) -> Recalled | None:
        """The results of a step, if an earlier run made them from the same; the files that it left are put back."""
        for run, record in self._found_here(unit, call):
            if self._bring_back(run, record, unit):
                return self._recalled(run, record, unit, call)
        recalled = self.beyond(unit, call) if self.beyond else None
        if recalled is not None:
            self.note(unit.name, call)
        return recalled

    def found(self, unit: Unit, call: StepCall) -> Iterator[tuple[str, StepRecord]]:
        """The steps of earlier runs that made what a call would make, the newest first; nothing is changed."""
        yield from self._found_here(unit, call)
        if self.beyond is not None:
            yield from self.beyond.found(unit, call)

    def _found_here(self, unit: Unit, call: StepCall) -> Iterator[tuple[str, StepRecord]]:
        again = self.forced and (self.chosen is None or unit.name in self.chosen)
        if self.reads and not again and call.step.cache is not False and not unit.inner:
            for run, record in self._candidates(call):
                if self._difference(record, call) is None:
                    yield run, record

    def why_not(self, call: StepCall) -> str | None:
        """Why none of the results of earlier runs with the same key can be taken; None where there are none."""
        found = (self._difference(record, call) for _, record in self._candidates(call))
        return next((why for why in found if why is not None), None)

    def note(self, name: str, call: StepCall) -> None:
        """Notes that a step ran to its end in this run."""
        if not self.writes or call.step.cache is False or not call.parts:
            return
        file = self._file(call.key)
        with suppress(OSError):  # then the step runs again next time
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(handle, f"{self.run} {name}\n".encode())
            finally:
                os.close(handle)

    def _file(self, key: str) -> Path:
        return self.keys / key[:2] / key[2:]

    def _candidates(self, call: StepCall) -> Iterator[tuple[str, StepRecord]]:
        """The finished steps of earlier runs with the same key, the newest first."""
        self.bring(call.key)
        try:
            lines = self._file(call.key).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return
        for line in list(dict.fromkeys(reversed(lines)))[:_MOST]:
            run, _, name = line.partition(" ")
            record = self._record(run, name)
            if (
                record is not None
                and self._begins_alike(run, record, call)
                and record.key == call.key
                and record.finished
                and record.trace is not None
            ):
                yield run, record

    def _begins_alike(self, run: str, record: StepRecord, call: StepCall) -> bool:
        """Whether generators that the step turned out to draw from, which its text does not show, begin as they did."""
        if not GENERATORS & record.state.keys() - call.step.draws:
            return True
        try:
            return read_run(self.runs / run).seed == call.surroundings.seed
        except RecordsError:
            return False

    def _record(self, run: str, name: str) -> StepRecord | None:
        if not name or "/" in run or run.startswith(".") or run == self.run:
            return None
        try:
            return read_step(self.runs / run, name)
        except RecordsError:
            return None

    def _difference(self, record: StepRecord, call: StepCall) -> str | None:
        if not drew_alike(record, call):
            return "it drew from random generators that begin otherwise now"
        if not has_all(record, self.store):
            return "what it made is no longer in the store"
        return self.traces.difference(record.trace, call) if record.trace else "it was not looked at"

    def _bring_back(self, run: str, record: StepRecord, unit: Unit) -> bool:
        """Puts the step's notebook into this run, and its files where they were; whether that worked."""
        source = step_path(self.runs / run, record.name, ".ipynb")
        target = step_path(self.here or self.runs / self.run, unit.name, ".ipynb")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except OSError:
            return False
        here = self.here or self.runs / self.run
        copy_recorded(series_path(self.runs / run, record.name), series_path(here, unit.name))
        return renumbered(target, unit) and record.trace is not None and self.traces.bring_back(record.trace)

    def _recalled(self, run: str, record: StepRecord, unit: Unit, call: StepCall) -> Recalled:
        source = record.source or run
        own = replace(
            record,
            name=unit.name,
            cells=unit.step.cells,
            parts=call.parts,
            retries=(),
            series={},
            code=code_of(unit.step, call),
        )
        now = time.time()
        points: list[Event] = []
        if record.series:
            for name, index, value in read_points(self.runs / run, record.name):
                points.append(MetricLogged(step=unit.name, name=name, value=value, time=now, index=index))
            folder = series_path(self.here or self.runs / self.run, unit.name)
            points.append(SeriesRecorded(step=unit.name, series=recorded_counts(folder), folder=str(folder), time=now))
        done = Completed(
            outputs=outputs_of(record),
            state=record.state,
            metrics=record.metrics,
            types=record.types,
            summaries=record.summaries,
            trace=record.trace,
        )
        told = (StepReused(step=unit.name, time=now, source=source, record=own), *points)
        return Recalled(done=done, seconds=record.seconds, reused=True, told=told)
