"""One step that runs elsewhere: what is recorded of it, as it begins and as it ends."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import UsageError
from nb2pipe.records.events import Failure, Noted, RunStatus, SkipReason, StepStatus
from nb2pipe.records.files import ELSEWHERE
from nb2pipe.records.masking import Masking, masking_of, masking_of_environment
from nb2pipe.records.model import DataFile, GroupRecord, RunRecord, StepRecord
from nb2pipe.records.series import SERIES, recorded_checkpoints, recorded_counts
from nb2pipe.records.surroundings import user_name
from nb2pipe.records.values import decode, encode, masked
from nb2pipe.runtime.elsewhere.named import RUN, STORE, run_id
from nb2pipe.runtime.elsewhere.points import rows_of_points
from nb2pipe.runtime.elsewhere.seen import trace_of
from nb2pipe.runtime.elsewhere.shipping import Parcel, Shipment
from nb2pipe.runtime.gates import gate_holds
from nb2pipe.runtime.journal import POINTS
from nb2pipe.runtime.observing.observer import Observer, unobserved
from nb2pipe.runtime.recording.recording import in_part
from nb2pipe.store.place import is_folder
from nb2pipe.store.remote import normal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.records.model import StepTrace
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.spec import GroupSpec, StepSpec

_AT_FIRST, _AT_LAST = 20.0, 60.0
"""Seconds that a store gets, before the step and after it."""
_LOGGED = "logged"
_IN_PART = "NB523"


@dataclass(slots=True)
class StepElsewhere:
    """Records one step in a store.

    Attributes:
        url: The store.
        run: The run, all its steps pending.
        step: The step as it is so far.
        folder: The bundle's.
        facts: The step, and `steps` all of its pipeline.
        apart: Folders and files of ours, which are no data.
        work: A folder for what is seen meanwhile.
        series: The folder for what is recorded of training.
        points: The file for the points of series that the step logs.
    """

    url: str
    run: RunRecord
    step: StepRecord
    folder: str
    facts: StepFacts
    steps: tuple[StepFacts, ...]
    apart: tuple[str, ...]
    work: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="nb2pipe-"))
    series: str = ""
    points: str = ""
    _environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    _masking: Masking = field(default_factory=Masking)
    _beginning: Shipment | None = None

    def __post_init__(self) -> None:
        self.series = self.series or str(Path(self.work) / SERIES)
        self.points = self.points or str(Path(self.work) / POINTS)

    def observer(self) -> Observer:
        """What sees which files the step reads and writes."""
        return Observer(self.apart, self.work)

    def take_values(self, groups: Sequence[GroupSpec]) -> None:
        """The step takes these values, too."""
        taken = tuple(GroupRecord(names=group.names, digest=group.digest) for group in groups)
        self.step = replace(self.step, inputs=(*self.step.inputs, *taken))

    def begin(self, parameters: Mapping[str, object]) -> list[str]:
        """The step begins.

        Args:
            parameters: The values that are known by now.

        Returns:
            What went wrong, as sentences; where a process brings the record, that is told as the step ends.
        """
        self._take(parameters)
        self.step = replace(self.step, status=StepStatus.RUNNING, started=time.time())
        parcel = Parcel(run=self.run, steps=(self.step,), folder=self.folder)
        with unobserved():
            self._beginning = Shipment(self.url, parcel, self._environment)
        return _told(self._beginning.arrived(0.0)) if is_folder(self.url) else []

    def finish(self, told: Mapping[str, Any], parameters: Mapping[str, object]) -> list[str]:
        """The step has run to its end.

        Args:
            told: What its session told.
            parameters: The values of its parameters.

        Returns:
            What went wrong, as sentences.
        """
        self._take(parameters)
        self.step = replace(
            self.step,
            status=StepStatus.RAN,
            outputs=tuple(
                GroupRecord(names=tuple(group["names"]), digest=group["digest"]) for group in told.get("outputs", ())
            ),
            types=dict(told.get("types", {})),
            summaries=dict(told.get("summaries", {})),
            state=dict(told.get("state", {})),
            trace=self._trace(told),
        )
        return self._end(told)

    def fail(self, failure: Failure | None, told: Mapping[str, Any]) -> list[str]:
        """The step failed, or was interrupted where there is no failure.

        Returns:
            What went wrong with that, as sentences.
        """
        self._masking |= masking_of_environment(os.environ)  # the step's code may have set some
        status = StepStatus.FAILED if failure else StepStatus.INTERRUPTED
        self.step = replace(
            self.step,
            status=status,
            failure=self._masking.failure(failure) if failure else None,
            trace=self._trace(told),
        )
        return self._end(told)

    def _trace(self, told: Mapping[str, Any]) -> StepTrace | None:
        return trace_of(told["seen"], lambda path: path not in self.apart) if told.get("seen") else None

    def _end(self, told: Mapping[str, Any]) -> list[str]:
        recorded = Path(self.series)
        self._masking |= masking_of_environment(os.environ)
        noted = {name: decode(value) for name, value in told.get("parameters", {}).items()}
        self.step = replace(
            self.step,
            seconds=max(0.0, time.time() - (self.step.started or time.time())),
            metrics=dict(told.get("metrics", {})),
            series={**recorded_counts(recorded), **told.get("series", {})},
            checkpoints=recorded_checkpoints(recorded),
            parameters={**self.step.parameters, **self._masking.value(noted)},
            data=tuple(DataFile(**file) for file in told.get("data", ())),
        )
        logged = Path(self.work) / _LOGGED
        rows_of_points(Path(self.points), logged)
        lacking = self._lacking(told.get("unrecorded", ()))
        problems = self._ship(self.series, str(logged))
        shutil.rmtree(self.work, ignore_errors=True)
        return lacking + problems

    def _lacking(self, reasons: Sequence[str]) -> list[str]:
        """What is not recorded of the step's training, noted in the record, too."""
        if not reasons:
            return []
        message = self._masking.text(in_part(self.facts.name, reasons))
        note = Noted(code=_IN_PART, message=message, time=time.time(), step=self.facts.name)
        self.run = replace(self.run, notes=(*self.run.notes, note))
        return [message]

    def _take(self, parameters: Mapping[str, object]) -> None:
        """Takes the values of parameters in; those of secrets are not kept."""
        kept = masked(parameters)
        self._masking |= masking_of(parameters) | masking_of_environment(self._environment)
        hidden = tuple(name for name in kept if kept[name] is not parameters[name])
        parts = {f"parameter {name}": str(Digest.of("parameter", encode(value))) for name, value in kept.items()}
        self.step = replace(self.step, parts={**self.step.parts, **parts})
        names = tuple(dict.fromkeys((*self.run.masked, *hidden)))
        self.run = replace(self.run, parameters={**self.run.parameters, **kept}, masked=names)

    def _ship(self, *series: str) -> list[str]:
        if self._beginning is not None:  # it must not come last
            self._beginning.arrived(_AT_FIRST)
        parcel = Parcel(run=self.run, steps=(self.step, *self._skipped()), folder=self.folder, series=series)
        return _told(Shipment(self.url, parcel, self._environment).arrived(_AT_LAST))

    def _skipped(self) -> Iterator[StepRecord]:
        """The steps that nobody is to run, since the gate of this one does not hold."""
        if self.facts.gate is None or self.step.status is not StepStatus.RAN:
            return
        with suppress(KeyError):  # it asks for a metric of another step, which is not known here
            if gate_holds(self.facts.gate, self.step.metrics):
                return
            for each in self.steps:
                if self.facts.name in each.gates:
                    yield StepRecord(name=each.name, status=StepStatus.SKIPPED, reason=SkipReason.GATE, seconds=0.0)


def _told(problem: str | None) -> list[str]:
    return [f"the record of the step is not in the store: {problem}"] if problem else []


def elsewhere(
    description: Description, facts: StepFacts, spec: StepSpec, runs: Sequence[str], apart: Sequence[Path]
) -> StepElsewhere | None:
    """The record of a step that is about to begin; None where the environment names no store.

    Args:
        description: The pipeline.
        facts: The step.
        spec: What it is given.
        runs: The runs that earlier steps say they were part of.
        apart: Folders and files of ours.
    """
    url = os.environ.get(STORE, "").strip()
    if not url:
        return None
    with suppress(UsageError):  # it is told when it is used
        url = normal(url)  # the step may change its folder
    user = user_name()
    run = RunRecord(
        run=run_id(os.environ.get(RUN, "").strip(), runs),
        status=RunStatus.RUNNING,
        pipeline=description.name,
        notebook=description.notebook,
        notebook_digest=description.digest,
        user=user,
        steps=tuple(StepRecord(name=each.name) for each in description.steps),
        started=time.time(),
        seed=spec.seed,
        executor=ELSEWHERE,
        python=platform.python_version(),
        version=sys.modules["nb2pipe"].__version__,
        surroundings={ELSEWHERE: True},
    )
    step = StepRecord(
        name=facts.name,
        cells=facts.cells,
        code=facts.code,
        attempt=1,
        description=facts.description,
        inputs=tuple(GroupRecord(names=group.names, digest=group.digest) for group in spec.inputs),
        state_used=dict(spec.state),
        user=user,
        host=platform.node(),
    )
    return StepElsewhere(url, run, step, description.folder, facts, description.steps, tuple(map(str, apart)))
