"""What a step's code logged, as events: from the file of points that its process left, and from what it told."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nb2pipe.records.checks.nb692_training_went_on import went_on
from nb2pipe.records.events import CheckpointSaved, DataUsed, FigureLogged, MetricLogged, ParameterSet, SeriesRecorded
from nb2pipe.records.model import Checkpoint
from nb2pipe.records.series import recorded_checkpoints, recorded_counts
from nb2pipe.records.values import decode
from nb2pipe.runtime.observing.seen import left_in
from nb2pipe.tracking.training.kept import checkpoints, went_on_in
from nb2pipe.tracking.training.writer import TENSORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nb2pipe.records.events import Event


def told_in(result: Path) -> dict[str, Any]:
    """What a step wrote to its result; where it did not run to its end, with what its processes left of `seen`."""
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return told if "completed" in told or "seen" in told else {**told, "seen": left_in(str(result.parent))}


def tell_logged(step: str, points: Path, told: Mapping[str, Any], emit: Callable[[Event], None]) -> None:
    """Tells what a step logged, also where it failed.

    Numbers of a step that was run to its end are told with what it made.

    Args:
        step: The step.
        points: The file of points; it is not there where there are none.
        told: What the step wrote to its result.
        emit: Takes the events.
    """
    for point in _points(points):
        emit(
            MetricLogged(
                step=step,
                name=str(point["name"]),
                value=float(point["value"]),
                time=float(point["time"]),
                index=int(point["index"]),
            )
        )
    now = time.time()
    logged = told.get("completed") or told.get("logged") or {}
    for name, value in logged.get("parameters", {}).items():
        emit(ParameterSet(step=step, name=name, value=decode(value), time=now))
    for file in logged.get("data", []):
        emit(DataUsed(step=step, time=now, **file))
    for figure in logged.get("figures", []):
        emit(FigureLogged(step=step, **figure))
    if "completed" not in told:
        for name, number in logged.get("metrics", {}).items():
            emit(MetricLogged(step=step, name=name, value=number, time=now))


def tell_recorded(step: str, folder: Path, emit: Callable[[Event], None]) -> None:
    """Tells what was recorded of a step's training, also where it failed.

    Args:
        step: The step.
        folder: Its folder of `series`; it is not there where nothing was.
        emit: Takes the events.
    """
    if not folder.is_dir():
        return
    now = time.time()
    counts = recorded_counts(folder)
    if counts:
        emit(SeriesRecorded(step=step, series=counts, folder=str(folder), time=now))
    for checkpoint in recorded_checkpoints(folder):
        emit(CheckpointSaved(step=step, checkpoint=checkpoint, time=now))


def tell_checkpoints(step: str, folder: Path, emit: Callable[[Event], None]) -> None:
    """Tells which checkpoints of `track.training` a step keeps, also where it failed.

    Args:
        step: The step.
        folder: Its folder of them; it is not there where it has none.
        emit: Takes the events.
    """
    for training in sorted(folder.glob("*/")):
        for each in reversed(checkpoints(training)):
            saved = Checkpoint(
                path=str(training / f"{each.name}{TENSORS}"),
                sha256=str(each.told["sha256"]),
                step=each.told["step"],
                epoch=each.told["epoch"],
            )
            emit(CheckpointSaved(step=step, checkpoint=saved, time=float(each.told["time"])))
        where = went_on_in(training)
        if where is not None:
            emit(went_on(step, where, time=time.time()))


def _points(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="ascii") as stream:
        for line in stream:
            with suppress(ValueError):  # the process was killed while it wrote
                yield json.loads(line)
