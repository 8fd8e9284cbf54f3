"""Records as JSON and back: the one parser and the one writer of `run.json` and `steps/STEP.json`."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TypeVar

from nb2pipe.errors import RecordsError
from nb2pipe.records.events import Failure, Noted, RunStatus, SkipReason, StepStatus
from nb2pipe.records.model import (
    Checkpoint,
    DataFile,
    GitRecord,
    GroupRecord,
    Machine,
    ProcessRecord,
    RunRecord,
    StepRecord,
    StepTrace,
    WrittenFile,
)
from nb2pipe.records.values import decode, encode, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCHEMA = 1
"""Version of `run.json` and `steps/STEP.json`."""

_LATEST = 9.2e9
"""The year 2261; pandas reckons no further."""

Json = dict[str, object]
T = TypeVar("T")


def run_json(record: RunRecord) -> Json:
    """A run as `nb2pipe runs show --json` prints it."""
    return {
        "schema": SCHEMA,
        **_identity(record),
        **_surroundings(record, plain),
        "steps": [step_summary(_ended(step, record)) for step in record.steps],
        "series": record.series,
    }


def _ended(step: StepRecord, record: RunRecord) -> StepRecord:
    """The step as it ended: when the run did, one that had not begun was interrupted too, as `run --json` says."""
    if record.status is RunStatus.RUNNING or step.status is not StepStatus.PENDING:
        return step
    return replace(step, status=StepStatus.INTERRUPTED)


def run_file(record: RunRecord) -> Json:
    """A run as it stands in `run.json`; the steps in full stand in files of their own."""
    return {
        "schema": SCHEMA,
        **_identity(record),
        **_surroundings(record, encode),
        "steps": [step_summary(step) for step in record.steps],
        "series": record.series,
        "process": asdict(record.process) if record.process else None,
    }


def step_summary(step: StepRecord) -> Json:
    """A step as a row of a run: name, status, seconds; `reason` where it was skipped."""
    summary: Json = {"name": step.name, "status": step.status.value, "seconds": step.seconds}
    if step.reason:
        summary["reason"] = step.reason.value
    return summary


def step_file(step: StepRecord) -> Json:
    """A step as it stands in `steps/STEP.json`."""
    return {
        "schema": SCHEMA,
        "name": step.name,
        "status": step.status.value,
        "reason": step.reason.value if step.reason else None,
        "message": step.message,
        "description": step.description,
        "cells": list(step.cells),
        "key": step.key,
        "parts": dict(step.parts),
        "attempt": step.attempt,
        "started": step.started,
        "seconds": step.seconds,
        "source": step.source,
        "inputs": [_group_json(group) for group in step.inputs],
        "outputs": [_group_json(group) for group in step.outputs],
        "types": dict(step.types),
        "summaries": {name: dict(told) for name, told in step.summaries.items()},
        "state": dict(step.state),
        "state_used": dict(step.state_used),
        "metrics": metrics_json(step.metrics),
        "series": dict(step.series),
        "checkpoints": [asdict(checkpoint) for checkpoint in step.checkpoints],
        "parameters": {name: encode(item) for name, item in step.parameters.items()},
        "data": [asdict(file) for file in step.data],
        "code": {str(cell): sha256 for cell, sha256 in step.code.items()},
        "user": step.user,
        "host": step.host,
        "trace": asdict(step.trace) if step.trace else None,
        "error": failure_json(step.failure),
        "retries": [failure_json(failure) for failure in step.retries],
    }


def run_of(data: object, steps: Mapping[str, StepRecord]) -> RunRecord:
    """The run that the JSON of a `run.json` says, with the steps that have files of their own.

    Raises:
        RecordsError: A newer version wrote it, or it says something else than a run.
    """
    return _parsed("run", data, lambda fields: _run(fields, steps))


def step_of(data: object) -> StepRecord:
    """The step that the JSON of a `steps/STEP.json` says.

    Raises:
        RecordsError: A newer version wrote it, or it says something else than a step.
    """
    return _parsed("step", data, _step)


def failure_json(failure: Failure | None) -> Json | None:
    """A failure; `step`, `cell`, `line`, `kind` and `message` are in every JSON that tells of one."""
    return asdict(failure) if failure else None


def metrics_json(metrics: Mapping[str, float]) -> Json:
    """Numbers as strict JSON: what is not finite is a string, such as `"nan"`.

    >>> metrics_json({"loss": float("inf"), "n": 3})
    {'loss': 'inf', 'n': 3}
    """
    return {name: _metric_json(value) for name, value in metrics.items()}


def metrics_of(data: object) -> dict[str, float]:
    """The numbers that `metrics_json` was given."""
    return {name: _number(value) for name, value in _object(data).items()}


def _metric_json(value: float) -> int | float | str:
    if isinstance(value, int):
        return int(value)
    return float(value) if math.isfinite(value) else repr(float(value))


def _identity(record: RunRecord) -> Json:
    return {
        "run": record.run,
        "status": record.status.value,
        "name": record.name,
        "tags": list(record.tags),
        "note": record.note,
        "user": record.user,
        "pipeline": record.pipeline,
        "notebook": {"path": record.notebook, "digest": record.notebook_digest},
        "started": record.started,
        "finished": record.finished,
        "seconds": record.seconds,
        "resumed": record.resumed,
        "metrics": metrics_json(record.metrics),
        "error": failure_json(record.failure),
        "notes": [asdict(note) for note in record.notes],
    }


def _surroundings(record: RunRecord, value: Callable[[object], object]) -> Json:
    return {
        "parameters": {name: value(item) for name, item in record.parameters.items()},
        "given": list(record.given),
        "masked": list(record.masked),
        "seed": record.seed,
        "executor": record.executor,
        "kernel": record.kernel,
        "python": record.python,
        "version": record.version,
        "surroundings": {name: value(item) for name, item in record.surroundings.items()},
        "checkpoints": [asdict(checkpoint) for checkpoint in record.checkpoints],
        "data": [asdict(file) for file in record.data],
        "git": asdict(record.git) if record.git else None,
        "packages": dict(record.packages),
        "machine": asdict(record.machine),
    }


def _group_json(group: GroupRecord) -> Json:
    return {"names": list(group.names), "digest": group.digest}


def _parsed(kind: str, data: object, parse: Callable[[Json], T]) -> T:
    try:
        fields = _object(data)
        _check_schema(_whole(fields["schema"]))
        return parse(fields)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        message = f"it does not say a {kind}: {type(error).__name__}: {error}"
        raise RecordsError(message) from error


def _check_schema(schema: int) -> None:
    if schema > SCHEMA:
        message = f"a newer nb2pipe wrote it (schema {schema}; this one reads up to {SCHEMA})"
        raise RecordsError(message, hint="pip install --upgrade nb2pipe")


def _run(fields: Json, steps: Mapping[str, StepRecord]) -> RunRecord:
    notebook = _object(fields["notebook"])
    surroundings = {name: decode(value) for name, value in _object(fields["surroundings"]).items()}
    return RunRecord(
        run=_text(fields["run"]),
        status=RunStatus(_text(fields["status"])),
        pipeline=_text(fields["pipeline"]),
        notebook=_text(notebook["path"]),
        notebook_digest=_text(notebook["digest"]),
        name=_maybe_text(fields["name"]),
        tags=_texts(fields["tags"]),
        note=_maybe_text(fields["note"]),
        user=_text(fields["user"]),
        parameters={name: decode(value) for name, value in _object(fields["parameters"]).items()},
        given=_texts(fields["given"]),
        masked=_texts(fields["masked"]),
        metrics=metrics_of(fields["metrics"]),
        steps=_merged(fields["steps"], steps),
        checkpoints=tuple(_checkpoint(_object(item)) for item in _items(fields["checkpoints"])),
        data=tuple(_data_file(_object(item)) for item in _items(fields["data"])),
        started=_moment(fields["started"]),
        finished=_maybe_moment(fields["finished"]),
        seconds=_moment(fields["seconds"]),
        seed=_whole(fields["seed"]),
        executor=_text(fields["executor"]),
        kernel=_text(fields["kernel"]),
        python=_text(fields["python"]),
        version=_text(fields["version"]),
        surroundings=surroundings,
        git=_git(fields["git"]),
        packages=_text_map(fields["packages"]),
        machine=_machine(_object(fields["machine"])),
        process=_process(fields.get("process")),
        resumed=_whole(fields["resumed"]),
        failure=_failure(fields["error"]),
        notes=tuple(_note(_object(item)) for item in _items(fields["notes"])),
    )


def _merged(summaries: object, steps: Mapping[str, StepRecord]) -> tuple[StepRecord, ...]:
    """The steps in the run's order; one without a file of its own is as its row says."""
    return tuple(
        steps.get(_text(row["name"])) or _step_of_row(row) for row in (_object(item) for item in _items(summaries))
    )


def _step_of_row(row: Json) -> StepRecord:
    return StepRecord(
        name=_text(row["name"]),
        status=StepStatus(_text(row["status"])),
        reason=_reason(row.get("reason")),
        seconds=_maybe_moment(row["seconds"]),
    )


def _step(fields: Json) -> StepRecord:
    return StepRecord(
        name=_text(fields["name"]),
        status=StepStatus(_text(fields["status"])),
        reason=_reason(fields["reason"]),
        message=_text(fields["message"]),
        description=_maybe_text(fields["description"]),
        cells=tuple(_whole(cell) for cell in _items(fields["cells"])),
        key=_text(fields["key"]),
        parts=_text_map(fields.get("parts", {})),
        attempt=_whole(fields["attempt"]),
        started=_maybe_moment(fields["started"]),
        seconds=_maybe_moment(fields["seconds"]),
        source=_maybe_text(fields["source"]),
        inputs=_groups(fields["inputs"]),
        outputs=_groups(fields["outputs"]),
        types=_text_map(fields.get("types", {})),  # older records have none
        summaries={name: _object(told) for name, told in _object(fields.get("summaries", {})).items()},
        state=_text_map(fields["state"]),
        state_used=_text_map(fields["state_used"]),
        metrics=metrics_of(fields["metrics"]),
        series={name: _whole(count) for name, count in _object(fields["series"]).items()},
        checkpoints=tuple(_checkpoint(_object(item)) for item in _items(fields.get("checkpoints", []))),
        parameters={name: decode(value) for name, value in _object(fields.get("parameters", {})).items()},
        data=tuple(_data_file(_object(item)) for item in _items(fields.get("data", []))),
        code={int(cell): sha256 for cell, sha256 in _text_map(fields.get("code", {})).items()},
        user=_text(fields.get("user", "")),
        host=_text(fields.get("host", "")),
        trace=_trace(fields.get("trace")),
        failure=_failure(fields["error"]),
        retries=tuple(failure for item in _items(fields["retries"]) if (failure := _failure(item))),
    )


def _trace(data: object) -> StepTrace | None:
    if data is None:
        return None
    fields = _object(data)
    return StepTrace(
        reads=_maybe_texts(fields["reads"]),
        brought=_text_map(fields.get("brought", {})),  # older records have none
        listed=_text_map(fields["listed"]),
        writes={path: _written(_object(file)) for path, file in _object(fields["writes"]).items()},
        folders=_texts(fields["folders"]),
        variables=_maybe_texts(fields["variables"]),
        packages=_text_map(fields["packages"]),
        libraries=_texts(fields["libraries"]),
        reasons=_texts(fields["reasons"]),
    )


def _written(fields: Json) -> WrittenFile:
    return WrittenFile(sha256=_text(fields["sha256"]), size=_whole(fields["size"]), kept=bool(fields["kept"]))


def _groups(data: object) -> tuple[GroupRecord, ...]:
    groups = (_object(item) for item in _items(data))
    return tuple(GroupRecord(names=_texts(group["names"]), digest=_text(group["digest"])) for group in groups)


def _reason(data: object) -> SkipReason | None:
    return None if data is None else SkipReason(_text(data))


def _failure(data: object) -> Failure | None:
    if data is None:
        return None
    fields = _object(data)
    return Failure(
        step=_maybe_text(fields["step"]),
        cell=_maybe_whole(fields["cell"]),
        line=_maybe_whole(fields["line"]),
        kind=_text(fields["kind"]),
        message=_text(fields["message"]),
        traceback=_text(fields["traceback"]),
        source_line=_maybe_text(fields["source_line"]),
        hint=_maybe_text(fields.get("hint")),
    )


def _note(fields: Json) -> Noted:
    return Noted(
        code=_text(fields["code"]),
        message=_text(fields["message"]),
        time=_moment(fields["time"]),
        step=_maybe_text(fields["step"]),
        hint=_maybe_text(fields["hint"]),
    )


def _git(data: object) -> GitRecord | None:
    if data is None:
        return None
    fields = _object(data)
    return GitRecord(
        commit=_maybe_text(fields["commit"]),
        dirty=bool(fields["dirty"]),
        branch=_maybe_text(fields["branch"]),
        truncated=bool(fields["truncated"]),
        untracked=_texts(fields.get("untracked", [])),  # older records have none
    )


def _machine(fields: Json) -> Machine:
    return Machine(
        host=_text(fields["host"]),
        system=_text(fields["system"]),
        processor=_text(fields["processor"]),
        processors=_whole(fields["processors"]),
        memory=_maybe_whole(fields["memory"]),
        gpu=_maybe_text(fields["gpu"]),
        gpus=_whole(fields["gpus"]),
        driver=_maybe_text(fields["driver"]),
        cuda=_maybe_text(fields["cuda"]),
    )


def _process(data: object) -> ProcessRecord | None:
    if data is None:
        return None
    fields = _object(data)
    return ProcessRecord(host=_text(fields["host"]), pid=_whole(fields["pid"]), birth=_maybe_text(fields["birth"]))


def _checkpoint(fields: Json) -> Checkpoint:
    return Checkpoint(
        path=_text(fields["path"]),
        sha256=_text(fields["sha256"]),
        step=_maybe_whole(fields["step"]),
        epoch=_maybe_whole(fields["epoch"]),
    )


def _data_file(fields: Json) -> DataFile:
    return DataFile(path=_text(fields["path"]), sha256=_text(fields["sha256"]), name=_maybe_text(fields.get("name")))


def _object(data: object) -> Json:
    if not isinstance(data, dict):
        message = f"an object was expected, not {_shown(data)}"
        raise TypeError(message)
    return data


def _items(data: object) -> Sequence[object]:
    if not isinstance(data, list):
        message = f"a list was expected, not {_shown(data)}"
        raise TypeError(message)
    return data


def _text(data: object) -> str:
    if not isinstance(data, str):
        message = f"a text was expected, not {_shown(data)}"
        raise TypeError(message)
    return data


def _texts(data: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in _items(data))


def _text_map(data: object) -> dict[str, str]:
    return {name: _text(item) for name, item in _object(data).items()}


def _maybe_texts(data: object) -> dict[str, str | None]:
    return {name: _maybe_text(item) for name, item in _object(data).items()}


def _maybe_text(data: object) -> str | None:
    return None if data is None else _text(data)


def _whole(data: object) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        message = f"a whole number was expected, not {_shown(data)}"
        raise TypeError(message)
    return data


def _maybe_whole(data: object) -> int | None:
    return None if data is None else _whole(data)


def _number(data: object) -> float:
    if isinstance(data, str):
        return float(data)
    if not isinstance(data, int | float) or isinstance(data, bool):
        message = f"a number was expected, not {_shown(data)}"
        raise TypeError(message)
    return data


def _moment(data: object) -> float:
    """Seconds, since 1970 or of some work, as far as any calendar reckons."""
    seconds = float(_number(data))
    if not 0 <= seconds <= _LATEST:
        message = f"seconds were expected, not {_shown(data)}"
        raise ValueError(message)
    return seconds


def _maybe_moment(data: object) -> float | None:
    return None if data is None else _moment(data)


def _shown(data: object) -> str:
    return repr(data)[:40]
