"""Records as JSON: whatever stands in a file, it is read or refused, and what was written is read back."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2pipe.errors import RecordsError
from nb2pipe.records.codec import metrics_json, metrics_of, run_file, run_json, run_of, step_file, step_of, step_summary
from nb2pipe.records.events import Failure, Noted, RunStatus, SkipReason, StepStatus
from nb2pipe.records.files import read_run
from nb2pipe.records.index import list_runs
from nb2pipe.records.model import (
    Checkpoint,
    DataFile,
    GitRecord,
    GroupRecord,
    Machine,
    ProcessRecord,
    RunRecord,
    StepRecord,
)

if TYPE_CHECKING:
    from pathlib import Path

FAILURE = Failure(step="a", cell=1, line=2, kind="K", message="m", traceback="t", source_line="s", hint="h")
STEP = StepRecord(
    name="a",
    status=StepStatus.SKIPPED,
    reason=SkipReason.GATE,
    message="why",
    cells=(1, 2),
    key="k",
    attempt=2,
    started=1.5,
    seconds=2.5,
    source="before",
    description="text",
    inputs=(GroupRecord(names=("x", "y"), digest="d"),),
    outputs=(GroupRecord(names=("z",), digest="e"),),
    summaries={"z": {"type": "numpy.ndarray", "shape": [2], "mean": 0.5}},
    state={"torch": "f"},
    state_used={"numpy": "g"},
    metrics={"loss": float("inf"), "n": 3},
    series={"loss": 7},
    data=(DataFile(path="f", sha256="s", name="train"),),
    code={3: "c"},
    user="u",
    host="h",
    failure=FAILURE,
    retries=(FAILURE,),
)
RUN = RunRecord(
    run="r",
    status=RunStatus.FAILED,
    pipeline="p",
    notebook="/n.ipynb",
    notebook_digest="d",
    name="own",
    tags=("t",),
    note="note",
    user="u",
    parameters={"lr": 0.1, "shape": (1, 2), "x": None},
    given=("lr",),
    masked=("token",),
    metrics={"loss": float("-inf")},
    steps=(STEP,),
    checkpoints=(Checkpoint(path="c", sha256="s", step=1, epoch=None),),
    data=(DataFile(path="f", sha256="s"),),
    started=1.0,
    finished=2.0,
    seconds=1.0,
    seed=7,
    executor="papermill",
    kernel="python3",
    python="3.11",
    version="0.1",
    surroundings={"hash_seed": "0", "threads": 2},
    git=GitRecord(commit="c", dirty=True, branch="b", truncated=True),
    packages={"a": "1"},
    machine=Machine(host="h", system="s", processor="p", processors=2, memory=3, gpu="g", gpus=1, driver="d", cuda="c"),
    process=ProcessRecord(host="h", pid=1, birth="b"),
    resumed=1,
    failure=FAILURE,
    notes=(Noted(code="NB501", message="m", time=1.0, step="a", hint="h"),),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("$python"), inner),
    max_leaves=5,
)


def test_every_field_of_a_step_comes_back() -> None:
    assert step_of(json.loads(json.dumps(step_file(STEP), allow_nan=False))) == STEP


def test_every_field_of_a_run_comes_back() -> None:
    assert run_of(json.loads(json.dumps(run_file(RUN), allow_nan=False)), {"a": STEP}) == RUN


def test_a_step_that_had_not_begun_when_its_run_ended_is_interrupted_for_machines() -> None:
    waiting = StepRecord(name="b", status=StepStatus.PENDING)
    ended = replace(RUN, status=RunStatus.INTERRUPTED, steps=(STEP, waiting))
    ongoing = replace(ended, status=RunStatus.RUNNING)
    assert run_json(ended)["steps"] == [step_summary(STEP), {"name": "b", "status": "interrupted", "seconds": None}]
    assert run_json(ongoing)["steps"] == [step_summary(STEP), {"name": "b", "status": "pending", "seconds": None}]


def test_numbers_that_json_does_not_know_come_back() -> None:
    metrics: dict[str, float] = {"a": float("inf"), "b": 10**400, "c": 0.1}
    assert metrics_of(json.loads(json.dumps(metrics_json(metrics), allow_nan=False))) == metrics


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(run_file(RUN))), value=JSON)
def test_a_run_with_any_value_in_any_field_is_read_or_refused(key: str, value: object, tmp_path: Path) -> None:
    data: dict[str, Any] = {**copy.deepcopy(run_file(RUN)), key: value}
    folder = tmp_path / "runs" / "r"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(data))
    (row,) = list_runs(tmp_path)
    assert row.run == "r"
    if row.problem is None:
        assert run_of(json.loads(json.dumps(run_file(read_run(folder)), allow_nan=False)), {}).pipeline == row.pipeline
    else:
        with pytest.raises(RecordsError, match=r"run\.json"):
            read_run(folder)


@settings(max_examples=150)
@given(key=st.sampled_from(sorted(step_file(STEP))), value=JSON)
def test_a_step_with_any_value_in_any_field_is_read_or_refused(key: str, value: object) -> None:
    try:
        assert step_of({**step_file(STEP), key: value}) is not None
    except RecordsError:
        return


@given(JSON)
def test_any_json_is_refused_or_read(value: object) -> None:
    for parse in (step_of, lambda data: run_of(data, {})):
        try:
            parse(value)
        except RecordsError:
            continue
