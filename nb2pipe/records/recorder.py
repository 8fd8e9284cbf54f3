"""Writes the record of a run as its events come: each step into a file of its own, the run at its start and end."""

from __future__ import annotations

import contextlib
import json
import logging
import platform
import queue
import threading
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nb2pipe.errors import RecordsError
from nb2pipe.records import surroundings
from nb2pipe.records.codec import metrics_json
from nb2pipe.records.data import data_of, is_module
from nb2pipe.records.events import (
    ArtifactKind,
    ArtifactMade,
    ArtifactUsed,
    CellFinished,
    CellStarted,
    CheckpointSaved,
    DataUsed,
    FigureLogged,
    MetricLogged,
    Noted,
    OutputWritten,
    ParameterSet,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunStatus,
    SeriesRecorded,
    StepFailed,
    StepFinished,
    StepObserved,
    StepRetried,
    StepReused,
    StepSkipped,
    StepStarted,
    StepStatus,
    Transfer,
)
from nb2pipe.records.files import DIFFERENCE, POINTS, RUN_FILE, read_run, write_atomically, write_run, write_step
from nb2pipe.records.masking import Masking
from nb2pipe.records.model import DataFile, GroupRecord, Machine, RunRecord, StepRecord
from nb2pipe.records.process import this_process
from nb2pipe.records.untracked import with_code
from nb2pipe.records.values import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.records.events import Event

_PATIENCE = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    """What the thread that looks around found."""

    git: surroundings.GitState | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)


class Recorder:
    """Keeps the record of one run, in its folder.

    The cost of an event does not grow with the number of events before it: a step writes its own file, a point of a
    series is a line appended, and `run.json` is written at the start, at the end and once between. What lies around
    the run (git, packages, machine) is read by a thread beside it. Events may come from several threads.

    Args:
        folder: `runs/RUN` in the home; it is made if it is not there.
        masking: Replaces secrets in parameters of other names, and in the difference to the commit.
    """

    def __init__(self, folder: Path, *, masking: Masking | None = None) -> None:
        self._folder = folder
        self._masking = masking if masking is not None else Masking()
        self._lock = threading.Lock()
        self._run: RunRecord | None = None
        self._steps: dict[str, StepRecord] = {}
        self._parameters: Mapping[str, object] = {}
        self._late: set[str] = set()
        self._counts: dict[str, dict[str, int]] = {}
        self._points: BinaryIO | None = None
        self._began = 0.0
        self._seconds_before = 0.0
        self._observing = False
        self._git: surroundings.GitState | None = None
        self._found: queue.SimpleQueue[_Observed] = queue.SimpleQueue()

    def handle(self, event: Event) -> None:
        """Takes an event.

        Raises:
            RecordsError: A file cannot be written.
        """
        with self._lock:
            self._take_observed(patience=0.0)
            match event:
                case RunStarted():
                    self._begin(event)
                case RunInterrupted():
                    self._finish(RunStatus.INTERRUPTED, event.time)
                case RunFinished():
                    self._update(metrics=dict(event.metrics) or self._metrics(), failure=event.failure)
                    self._finish(event.status, event.time)
                case Noted():
                    self._update(notes=(*self._current().notes, event))
                case CellStarted() | CellFinished() | OutputWritten() | Transfer() | FigureLogged():
                    pass  # cells stand in the step notebooks
                case _:
                    self._handle_step(event)

    def settle(self) -> None:
        """Waits until all is known that lies around the run: no thread of ours is left that a fork could stop halfway.

        Raises:
            RecordsError: A file cannot be written.
        """
        with self._lock:
            self._take_observed(patience=_PATIENCE)

    def close(self) -> None:
        """Writes what is not yet written; nothing is recorded after it.

        Raises:
            RecordsError: A file cannot be written.
        """
        with self._lock:
            if self._run is None:
                return
            self._take_observed(patience=_PATIENCE)
            if self._points is not None:
                self._points.close()
                self._points = None
            self._write_late()
            self._write_run()

    # -- the run

    def _begin(self, event: RunStarted) -> None:
        before = read_run(self._folder) if event.resumed and (self._folder / RUN_FILE).exists() else None
        self._steps = {step: StepRecord(name=step) for step in event.steps}
        if before is not None:
            self._steps |= {step.name: step for step in before.steps if step.name in self._steps}
        self._began = event.time
        self._seconds_before = before.seconds if before else 0.0
        self._run = _begun(event, before, self._masking)
        self._parameters = self._run.parameters
        with _told(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._points = (self._folder / POINTS).open("ab")
        self._write_run()
        self._observing = True
        look = threading.Thread(target=self._observe, args=(Path(event.notebook).parent,), daemon=True)
        look.start()

    def _finish(self, status: RunStatus, time: float) -> None:
        self._take_observed(patience=_PATIENCE)
        for step in list(self._steps.values()):
            if step.status is StepStatus.RUNNING:
                self._write_step(replace(step, status=StepStatus.INTERRUPTED))
        self._write_late()
        self._add_untracked()
        spent = max(0.0, time - self._began)
        self._update(status=status, finished=time, seconds=self._seconds_before + spent)
        self._write_run()

    def _observe(self, folder: Path) -> None:
        """Runs in a thread of its own, and leaves what it finds for the next event."""
        found = _Observed()
        try:
            found = replace(found, git=surroundings.git_state(folder))
            found = replace(found, packages=surroundings.packages())
            found = replace(found, machine=surroundings.machine())
        except Exception:  # noqa: BLE001 - what cannot be read around a run does not end it
            _log.exception("what lies around the run could not be read in full")
        finally:
            self._found.put(found)

    def _take_observed(self, *, patience: float) -> None:
        if not self._observing:
            return
        try:
            found = self._found.get(timeout=patience) if patience else self._found.get_nowait()
        except queue.Empty:
            return
        self._observing = False
        self._git = found.git
        self._update(packages=found.packages, machine=found.machine)
        self._take_git(found.git)
        self._write_run()

    def _take_git(self, state: surroundings.GitState | None) -> None:
        if state is not None and state.difference:
            with _told(self._folder):
                write_atomically(self._folder / DIFFERENCE, self._masking.difference(state.difference))
        self._update(git=state.record if state else None)

    def _add_untracked(self) -> None:
        """Adds the code that turned out to belong to the run, and that git does not follow."""
        if self._git is None:
            return
        traces = [step.trace for step in self._steps.values() if step.trace is not None]
        read = {path for trace in traces for path in trace.reads if is_module(path)}
        made = {path for trace in traces for path in trace.writes}
        state = with_code(self._git, read - made, self._current().notebook)
        if state is not self._git:
            self._take_git(state)

    def _current(self) -> RunRecord:
        if self._run is None:
            raise RecordsError("a run has to start before anything else of it can be recorded")
        return self._run

    def _update(self, **changes: object) -> None:
        self._run = replace(self._current(), **changes)  # type: ignore[arg-type]  # the field's names are ours

    def _metrics(self) -> dict[str, float]:
        return {name: value for step in self._steps.values() for name, value in step.metrics.items()}

    def _write_run(self) -> None:
        steps = tuple(self._counted(step) for step in self._steps.values())
        # A parameter of the notebook keeps the value that the run was given.
        noted = {name: value for step in steps for name, value in step.parameters.items()}
        parameters = {**self._parameters, **{name: noted[name] for name in noted if name not in self._parameters}}
        checkpoints = tuple(each for step in steps for each in step.checkpoints)
        self._run = replace(
            self._current(), steps=steps, parameters=parameters, data=data_of(steps), checkpoints=checkpoints
        )
        write_run(self._folder, self._run)

    # -- the steps

    def _handle_step(
        self,
        event: StepStarted
        | StepReused
        | StepSkipped
        | StepRetried
        | StepFinished
        | StepFailed
        | MetricLogged
        | ParameterSet
        | SeriesRecorded
        | CheckpointSaved
        | DataUsed
        | StepObserved
        | ArtifactUsed
        | ArtifactMade,
    ) -> None:
        self._current()
        step = self._steps.get(event.step) or StepRecord(name=event.step)
        match event:
            case MetricLogged() | SeriesRecorded():
                self._take_points(step, event)
            case ParameterSet() | DataUsed() | CheckpointSaved():
                self._keep(_with_noted(step, event))
            case ArtifactUsed() | ArtifactMade():
                self._keep(_with_artifact(step, event))
            case StepObserved():
                self._keep(replace(step, trace=event.trace))
            case StepReused():
                self._counts.pop(event.step, None)
                self._append({"step": event.step, "begin": event.record.attempt})
                self._write_step(replace(event.record, status=StepStatus.REUSED, source=event.source))
            case StepStarted():
                self._counts.pop(event.step, None)
                self._append({"step": event.step, "begin": event.attempt})
                self._write_step(_with_start(step, event), durable=False)
            case StepRetried():
                self._write_step(replace(step, retries=(*step.retries, event.failure)))
            case _:
                self._write_step(_with_end(step, event))

    def _take_points(self, step: StepRecord, event: MetricLogged | SeriesRecorded) -> None:
        if isinstance(event, SeriesRecorded):  # their points lie in files of their own
            own = self._counts.get(step.name, step.series)
            self._count(step, {name: count for name, count in event.series.items() if name not in own})
            return
        value = metrics_json({"value": event.value})["value"]
        self._append({"step": event.step, "name": event.name, "index": event.index, "value": value, "time": event.time})
        if event.index is None:
            self._keep(replace(step, metrics={**step.metrics, event.name: event.value}))
            return
        self._count(step, {event.name: 1})

    def _count(self, step: StepRecord, more: Mapping[str, int]) -> None:
        """Counts points: there may be millions, so that they are put into the record as it is written."""
        counts = self._counts.setdefault(step.name, dict(step.series))
        for name, count in more.items():
            counts[name] = counts.get(name, 0) + count
        self._late.add(step.name)

    def _append(self, line: Mapping[str, object]) -> None:
        if self._points is None:
            return
        with _told(self._folder):
            self._points.write(json.dumps(line, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")
            self._points.flush()

    def _keep(self, step: StepRecord) -> None:
        """Keeps a change that is written with the step's end, or with the run's where it comes after that."""
        self._steps[step.name] = step
        self._late.add(step.name)

    def _write_step(self, step: StepRecord, *, durable: bool = True) -> None:
        step = self._counted(step)
        self._steps[step.name] = step
        write_step(self._folder, step, durable=durable)
        self._late.discard(step.name)

    def _counted(self, step: StepRecord) -> StepRecord:
        """A step with the numbers of points of its series as they are now."""
        counts = self._counts.get(step.name)
        return step if counts is None else replace(step, series=dict(counts))

    def _write_late(self) -> None:
        for name in sorted(self._late):
            self._write_step(self._steps[name])


def _begun(event: RunStarted, before: RunRecord | None, masking: Masking) -> RunRecord:
    hidden = masked(event.parameters)
    parameters = {name: new if (new := masking.value(value)) != value else value for name, value in hidden.items()}
    return RunRecord(
        run=event.run,
        status=RunStatus.RUNNING,
        pipeline=event.pipeline,
        notebook=event.notebook,
        notebook_digest=event.notebook_digest,
        name=event.name,
        tags=event.tags,
        note=event.note,
        user=surroundings.user_name(),
        parameters=parameters,
        given=event.given,
        masked=tuple(name for name in parameters if parameters[name] is not event.parameters[name]),
        started=before.started if before else event.time,
        seconds=before.seconds if before else 0.0,
        seed=event.seed,
        executor=event.executor,
        kernel=event.kernel,
        python=platform.python_version(),
        version=_own_version(),
        surroundings=dict(event.surroundings),
        process=this_process(),
        resumed=before.resumed + 1 if before else 0,
        notes=before.notes if before else (),
    )


def _own_version() -> str:
    try:
        return version("nb2pipe")
    except PackageNotFoundError:
        return ""


def _with_start(step: StepRecord, event: StepStarted) -> StepRecord:
    """The step as it begins: what an earlier attempt left no longer counts."""
    return StepRecord(
        name=step.name,
        status=StepStatus.RUNNING,
        cells=event.cells,
        key=event.key,
        parts=event.parts,
        attempt=event.attempt,
        started=event.time,
        description=event.description,
        code=event.code,
        inputs=event.inputs,
        state_used=event.state,
        retries=step.retries if event.attempt > 1 else (),
    )


def _with_end(step: StepRecord, event: StepSkipped | StepFinished | StepFailed) -> StepRecord:
    match event:
        case StepSkipped():
            return StepRecord(
                name=step.name, status=StepStatus.SKIPPED, reason=event.reason, message=event.message, seconds=0.0
            )
        case StepFinished():
            return replace(step, status=StepStatus.RAN, seconds=max(0.0, event.seconds))
        case StepFailed():
            return replace(step, status=StepStatus.FAILED, seconds=max(0.0, event.seconds), failure=event.failure)


def _with_artifact(step: StepRecord, event: ArtifactUsed | ArtifactMade) -> StepRecord:
    made = isinstance(event, ArtifactMade)
    if event.kind is ArtifactKind.STATE:
        states = dict.fromkeys(event.names, event.digest)
        if made:
            return replace(step, state={**step.state, **states})
        return replace(step, state_used={**step.state_used, **states})
    group = GroupRecord(names=event.names, digest=event.digest)
    if isinstance(event, ArtifactMade):
        types, told = {**step.types, **event.types}, {**step.summaries, **event.summaries}
        return replace(step, outputs=_added(step.outputs, group), types=types, summaries=told)
    return replace(step, inputs=_added(step.inputs, group))


def _with_noted(step: StepRecord, event: ParameterSet | DataUsed | CheckpointSaved) -> StepRecord:
    match event:
        case ParameterSet():
            return replace(step, parameters={**step.parameters, **masked({event.name: event.value})})
        case CheckpointSaved():
            return replace(step, checkpoints=(*step.checkpoints, event.checkpoint))
        case DataUsed():
            file = DataFile(path=event.path, sha256=event.sha256, name=event.name)
            return step if file in step.data else replace(step, data=(*step.data, file))


def _added(groups: tuple[GroupRecord, ...], group: GroupRecord) -> tuple[GroupRecord, ...]:
    return groups if group in groups else (*groups, group)


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot write the record in {folder}: {error.strerror or error}"
        raise RecordsError(message, hint="look at the space on the disk and the permissions of the home") from error
