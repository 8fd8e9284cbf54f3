"""The events of a run, made anew from its record, and the points of its series, which lie in files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import RecordsError
from nb2pipe.records.events import (
    CellFinished,
    CheckpointSaved,
    Event,
    FigureLogged,
    MetricLogged,
    ParameterSet,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunStatus,
    StepFailed,
    StepFinished,
    StepReused,
    StepSkipped,
    StepStarted,
    StepStatus,
)
from nb2pipe.records.files import read_logged, safe_name, series_path, step_path
from nb2pipe.records.series import recorded
from nb2pipe.runtime.resuming import FIGURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from nb2pipe.records.model import RunRecord, StepRecord
    from nb2pipe.records.series import Points

_IMAGES = ("image/png", "image/jpeg")
_PLACE = re.compile(r"(?P<name>.+)-(?P<index>\d{1,15})")
"""How the file of a figure in a series is called."""


class Series:
    """Hands out the points of the steps' series, each once.

    Args:
        folder: That of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.steps: tuple[str, ...] = ()
        self._folder = folder
        self._given: dict[tuple[str, str], int] = {}

    def begin(self, step: str) -> None:
        """A step begins; what an earlier attempt made does not count."""
        for key in [key for key in self._given if key[0] == step]:
            del self._given[key]

    def so_far(self, step: str) -> Iterator[MetricLogged]:
        """What is new of a step that runs; the last point of a series may still change, so that it comes later."""
        for name, points in recorded(series_path(self._folder, step)).items():
            yield from self._new(step, name, points, len(points) - 1)

    def all_of(self, step: str) -> Iterator[MetricLogged]:
        """What is new of a step that ended.

        Raises:
            RecordsError: The points cannot be read.
        """
        for name, points in read_logged(self._folder, step).items():
            yield from self._new(step, name, points, len(points))

    def _new(self, step: str, name: str, points: Points, end: int) -> Iterator[MetricLogged]:
        for place in range(self._given.get((step, name), 0), end):
            index, value, time = points.indices[place], points.values[place], points.times[place]
            self._given[step, name] = place + 1
            yield MetricLogged(step=step, name=name, value=value, time=time, index=index)


def replay(record: RunRecord, folder: Path) -> Iterator[Event]:
    """The events of a run that ended, as far as its record tells them.

    Args:
        record: The run.
        folder: Its folder.

    Raises:
        RecordsError: The points of series cannot be read.
    """
    yield RunStarted(
        run=record.run,
        pipeline=record.pipeline,
        notebook=record.notebook,
        notebook_digest=record.notebook_digest,
        steps=tuple(step.name for step in record.steps),
        time=record.started,
        parameters=record.parameters,
        given=record.given,
        seed=record.seed,
        executor=record.executor,
        kernel=record.kernel,
        name=record.name,
        tags=record.tags,
        note=record.note,
        surroundings=record.surroundings,
    )
    series = Series(folder)
    for step in record.steps:
        yield from _step(record, step, folder, series)
    finished = record.finished or record.started + record.seconds
    if record.status is RunStatus.INTERRUPTED:
        yield RunInterrupted(run=record.run, time=finished)
    yield RunFinished(
        run=record.run,
        status=record.status,
        time=finished,
        seconds=record.seconds,
        failure=record.failure,
        metrics=record.metrics,
    )


def _step(record: RunRecord, step: StepRecord, folder: Path, series: Series) -> Iterator[Event]:
    begin = record.started if step.started is None else step.started
    end = begin + (step.seconds or 0.0)
    if step.status is StepStatus.SKIPPED and step.reason is not None:
        yield StepSkipped(step=step.name, time=end, reason=step.reason, message=step.message)
    if step.status in {StepStatus.PENDING, StepStatus.SKIPPED}:
        return
    yield _begun(step, begin)
    for name, value in step.parameters.items():
        yield ParameterSet(step=step.name, name=name, value=value, time=begin)
    for checkpoint in step.checkpoints:
        yield CheckpointSaved(step=step.name, checkpoint=checkpoint, time=end)
    yield from figures_of(folder, step.name, end)
    yield from kept_figures_of(folder, step.name, end)
    yield from series.all_of(step.name)
    for name, value in step.metrics.items():
        yield MetricLogged(step=step.name, name=name, value=value, time=end)
    yield from _ended(step, end)


def _begun(step: StepRecord, time: float) -> StepReused | StepStarted:
    if step.status is StepStatus.REUSED:
        return StepReused(step=step.name, time=time, source=step.source or "", record=step)
    return StepStarted(step=step.name, time=time, cells=step.cells, attempt=step.attempt, key=step.key)


def _ended(step: StepRecord, time: float) -> Iterator[StepFailed | StepFinished]:
    if step.failure is not None:
        yield StepFailed(step=step.name, time=time, seconds=step.seconds or 0.0, failure=step.failure)
    elif step.status is StepStatus.RAN:
        yield StepFinished(step=step.name, time=time, seconds=step.seconds or 0.0)


def figures_of(folder: Path, step: str, time: float) -> Iterator[CellFinished]:
    """The cells of a step that show figures, out of its notebook."""
    try:
        cells = json.loads(step_path(folder, step, ".ipynb").read_bytes())["cells"]
        for cell in cells:
            place = cell["metadata"].get("nb2pipe", {}).get("cell")
            outputs = tuple(each for each in cell.get("outputs", ()) if shows_image(each))
            if isinstance(place, int) and outputs:
                yield CellFinished(step=step, cell=place, time=time, outputs=outputs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def kept_figures_of(folder: Path, step: str, time: float) -> Iterator[FigureLogged]:
    """The figures that the code of a step kept, out of the run's folder."""
    kept = folder / FIGURES / safe_name(step)
    for path in sorted(kept.iterdir()) if kept.is_dir() else ():
        found = _PLACE.fullmatch(path.stem)
        name, index = (found["name"], int(found["index"])) if found else (path.stem, None)
        yield FigureLogged(step=step, name=name, path=str(path), time=time, index=index)


def shows_image(output: Mapping[str, Any]) -> bool:
    """Whether an output of a cell shows an image of pixels."""
    return any(kind in _IMAGES for kind in output.get("data", {}) or ())


def images_of(event: CellFinished) -> list[str]:
    """The images that a cell shows, each as base64."""
    shown: list[Any] = [each for each in event.outputs if shows_image(each)]
    found = (next(out["data"][kind] for kind in _IMAGES if kind in out["data"]) for out in shown)
    return ["".join(each) for each in found]


def live(event: Event, series: Series, handle: Callable[[Event], None]) -> None:
    """Hands an event of a run that goes on to a tracker, after the points that belong before it.

    Args:
        event: The event; points of series do not come as events.
        series: Those of the run.
        handle: The tracker's.
    """
    match event:
        case RunStarted(steps=steps):
            series.steps = steps
        case StepStarted(step=step):
            series.begin(step)
        case StepFinished(step=step) | StepFailed(step=step):
            _hand(series, [step], handle)
        case RunFinished():
            _hand(series, series.steps, handle)  # those of steps that were taken from other runs, too
        case _:
            pass
    handle(event)


def _hand(series: Series, steps: Iterable[str], handle: Callable[[Event], None]) -> None:
    for step in steps:
        try:
            points = list(series.all_of(step))
        except RecordsError:  # the run itself tells of that
            continue
        for point in points:
            handle(point)
