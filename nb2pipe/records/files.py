"""The files of a run, which are the truth of its record: `run.json`, `steps/STEP.json`, `metrics.jsonl`.

Each is written to a temporary name and renamed, or only ever appended to, so that a crash at any moment leaves files
that can be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError
from nb2pipe.records.codec import Json, run_file, run_json, run_of, step_file, step_of
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.model import GroupRecord, RunRecord, StepRecord
from nb2pipe.records.process import is_gone
from nb2pipe.records.series import ROWS, SERIES, Points, recorded, recorded_checkpoints, recorded_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "GroupRecord",
    "RunRecord",
    "StepRecord",
    "read_points",
    "read_run",
    "read_series",
    "read_step",
    "run_json",
    "safe_name",
    "step_path",
    "write_atomically",
    "write_run",
    "write_step",
]

RUN_FILE = "run.json"
STEPS = "steps"
POINTS = "metrics.jsonl"
DIFFERENCE = "difference.patch"
ELSEWHERE = "elsewhere"
"""Stands in the surroundings of a run whose steps nobody here drives: between two of them no process is there."""

_PART = r"[A-Za-z_][A-Za-z0-9_-]{0,100}"
_STEP = re.compile(rf"{_PART}(/{_PART}){{0,20}}")


def safe_name(step: str) -> str:
    """The path of the files of a step below the folder of the steps, without the ending.

    It is safe on every file system, stays below that folder, and is another one for another step.

    >>> safe_name("train"), safe_name("outer/inner")
    ('train', 'outer/inner')
    >>> safe_name("../x")
    '_x.0d6b96a97d147'
    """
    if _STEP.fullmatch(step):
        return step
    digest = hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9_]+", "_", step)[:60]
    return f"{readable}.0{digest}"  # no step has a dot in its name, so that this is no other step's


def step_path(folder: Path, step: str, ending: str = ".json") -> Path:
    """Where a file of a step lies in the folder of a run."""
    return folder / STEPS / f"{safe_name(step)}{ending}"


def series_path(folder: Path, step: str) -> Path:
    """Where the series of a step that are recorded of themselves lie in the folder of a run."""
    return folder / SERIES / safe_name(step)


def write_atomically(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Writes a file so that whoever reads it finds the old content or the new, never a part.

    Args:
        path: The file; its folder is made if it is not there.
        data: Its content.
        durable: Waits until the disk has it, so that it survives a loss of power too.

    Raises:
        OSError: It cannot be written; what was there is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_run(folder: Path, record: RunRecord) -> None:
    """Writes `run.json`.

    Raises:
        RecordsError: It cannot be written.
    """
    _write_json(folder / RUN_FILE, run_file(record), durable=True)


def write_step(folder: Path, step: StepRecord, *, durable: bool = True) -> None:
    """Writes `steps/STEP.json`.

    Raises:
        RecordsError: It cannot be written.
    """
    _write_json(step_path(folder, step.name), step_file(step), durable=durable)


def read_run(folder: Path) -> RunRecord:
    """The record of the run in a folder.

    A run whose process has gone without ending it is `interrupted`, and so are its steps that were running.

    Raises:
        RecordsError: There is none, it is damaged, or a newer version wrote it.
    """
    data = _read_json(folder / RUN_FILE)
    steps = {step.name: step for step in _step_files(folder)}
    with _named(folder / RUN_FILE):
        record = run_of(data, steps)
    return _settled(record, folder)


def read_step(folder: Path, step: str) -> StepRecord | None:
    """The record of a step of the run in a folder, or None where it never began.

    Raises:
        RecordsError: It is damaged, or a newer version wrote it.
    """
    path = step_path(folder, step)
    return _read_step(path) if path.exists() else None


def read_series(folder: Path) -> dict[str, Sequence[tuple[int, float]]]:
    """The points of every series of the run in a folder, as (index, value), in the order in which they were logged.

    Those that were recorded of training loops are `Points`. What code logged under the same name counts rather than
    these. Points of an attempt that was made again do not count. A last line that a crash cut is left out.

    Raises:
        RecordsError: The file cannot be read.
    """
    by_step: dict[str, dict[str, Sequence[tuple[int, float]]]] = {}
    logged: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for point in _points(folder / POINTS):
        step = str(point.get("step", ""))
        if "begin" in point:
            logged.pop(step, None)
        elif isinstance(index := point.get("index"), int):
            value = float(str(point.get("value")))
            logged.setdefault(step, {}).setdefault(str(point.get("name")), []).append((index, value))
    for step, names in logged.items():
        by_step[safe_name(step)] = dict(names)
    for place, found in _recorded(folder):
        by_step[place] = {**found, **by_step.pop(place, {})}
    series: dict[str, Sequence[tuple[int, float]]] = {}
    for own in by_step.values():
        for name, points in own.items():
            series[name] = [*series[name], *points] if name in series else points
    return series


def _recorded(folder: Path) -> list[tuple[str, dict[str, Points]]]:
    """The series that were recorded of each step, with the place of its files, in the order in which they began."""
    found = {path.parent for path in (folder / SERIES).rglob(ROWS)}
    folders = {each for each in found if not each.name.startswith(".")}  # those are of an earlier attempt
    series = [(each.relative_to(folder / SERIES).as_posix(), recorded(each)) for each in sorted(folders)]
    return sorted(series, key=lambda one: min((points.times[0] for points in one[1].values()), default=0.0))


def read_points(folder: Path, step: str) -> list[tuple[str, int, float]]:
    """The points of the series of one step of the run in a folder, as (name, index, value), in the order of logging.

    Raises:
        RecordsError: The file cannot be read.
    """
    found: list[tuple[str, int, float]] = []
    for point in _points(folder / POINTS):
        if point.get("step") != step:
            continue
        if "begin" in point:
            found.clear()
        elif isinstance(index := point.get("index"), int):
            found.append((str(point.get("name")), index, float(str(point.get("value")))))
    return found


def read_logged(folder: Path, step: str) -> dict[str, Points]:
    """All points of one step of the run in a folder, by series, with the time of each: logged ones and recorded ones.

    Raises:
        RecordsError: The file cannot be read.
    """
    logged: dict[str, list[tuple[int, float, float]]] = {}
    for point in _points(folder / POINTS):
        if point.get("step") != step:
            continue
        if "begin" in point:
            logged.clear()
        elif isinstance(index := point.get("index"), int):
            value, time = float(str(point.get("value"))), float(str(point.get("time") or 0.0))
            logged.setdefault(str(point.get("name")), []).append((index, value, time))
    found = recorded(series_path(folder, step))
    for name, points in logged.items():
        indices, values, times = zip(*points, strict=True)
        found[name] = Points(indices=indices, values=values, times=times)
    return found


def _write_json(path: Path, data: Json, *, durable: bool) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    try:
        write_atomically(path, text.encode("ascii"), durable=durable)
    except OSError as error:
        raise RecordsError(f"cannot write {path}: {error.strerror or error}", hint=_SPACE) from error


_SPACE = "look at the space on the disk and the permissions of the folder"


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise RecordsError(f"there is no record at {path}") from error
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}", hint=_SPACE) from error
    except (ValueError, RecursionError) as error:
        raise RecordsError(f"{path} is damaged: {error}") from error


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Puts the file's name before what is wrong with its content."""
    try:
        yield
    except RecordsError as error:
        raise RecordsError(f"{path} cannot be read: {error.message}", hint=error.hint) from error


def _step_files(folder: Path) -> Iterator[StepRecord]:
    try:
        paths = sorted(path for path in (folder / STEPS).rglob("*.json") if not _is_hidden(path))
    except OSError as error:
        raise RecordsError(f"cannot read {folder / STEPS}: {error.strerror or error}", hint=_SPACE) from error
    for path in paths:
        yield _read_step(path)


def _is_hidden(path: Path) -> bool:
    """Whether it is a temporary file, or lies in a temporary folder of a step."""
    return path.name.startswith(".") or path.parent.name.startswith(".")


def _read_step(path: Path) -> StepRecord:
    data = _read_json(path)
    with _named(path):
        return step_of(data)


def _settled(record: RunRecord, folder: Path) -> RunRecord:
    if record.status is not RunStatus.RUNNING or ELSEWHERE in record.surroundings:
        return record
    steps = tuple(_as_recorded(step, folder) for step in record.steps)
    checkpoints = tuple(each for step in steps for each in step.checkpoints)
    record = replace(record, steps=steps, metrics=_all_metrics(steps), checkpoints=checkpoints)
    if not is_gone(record.process):
        return record
    ended = (
        replace(step, status=StepStatus.INTERRUPTED) if step.status is StepStatus.RUNNING else step
        for step in record.steps
    )
    return replace(record, status=RunStatus.INTERRUPTED, steps=tuple(ended))


def _as_recorded(step: StepRecord, folder: Path) -> StepRecord:
    """A step that runs, or whose run was killed, with what its training did so far."""
    if step.status is not StepStatus.RUNNING:
        return step
    found = series_path(folder, step.name)
    return replace(step, series={**recorded_counts(found), **step.series}, checkpoints=recorded_checkpoints(found))


def _all_metrics(steps: tuple[StepRecord, ...]) -> Mapping[str, float]:
    return {name: value for step in steps for name, value in step.metrics.items()}


def _points(path: Path) -> Iterator[Mapping[str, object]]:
    try:
        with path.open("rb") as stream:
            for line in stream:
                with contextlib.suppress(ValueError):
                    point = json.loads(line)
                    if isinstance(point, dict):
                        yield point
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}", hint=_SPACE) from error
