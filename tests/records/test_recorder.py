"""The recorder: events in, files out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nb2pipe.errors import RecordsError
from nb2pipe.records.codec import run_json
from nb2pipe.records.events import (
    ArtifactKind,
    ArtifactMade,
    ArtifactUsed,
    Event,
    Failure,
    MetricLogged,
    Noted,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunStatus,
    SkipReason,
    StepFailed,
    StepFinished,
    StepRetried,
    StepReused,
    StepSkipped,
    StepStarted,
    StepStatus,
)
from nb2pipe.records.files import GroupRecord, read_run, read_series, safe_name, step_path
from nb2pipe.records.model import StepRecord
from nb2pipe.records.recorder import Recorder

RUN = "20261122-103000-ab12"
DIGEST = "a" * 64
FAILURE = Failure(step="train", cell=7, line=2, kind="ValueError", message="bad", traceback="line 2", source_line="f()")


def started(folder: Path, **changes: object) -> RunStarted:
    fields: dict[str, object] = {
        "run": RUN,
        "pipeline": "digits",
        "notebook": str(folder / "digits.ipynb"),
        "notebook_digest": DIGEST,
        "steps": ("data", "train"),
        "time": 100.0,
        "parameters": {"lr": 0.1, "api_key": "hunter2"},
        "given": ("lr",),
        "seed": 7,
        "surroundings": {"hash_seed": "0", "threads": 2},
    }
    return RunStarted(**{**fields, **changes})  # type: ignore[arg-type]  # the fields are named above


def events(folder: Path) -> list[Event]:
    return [
        started(folder, name="first", tags=("a", "b"), note="why"),
        StepStarted(step="data", time=101.0, cells=(5,), key="k1"),
        ArtifactMade(step="data", names=("net", "opt"), digest=DIGEST, time=102.0),
        ArtifactMade(step="data", names=("torch",), digest="b" * 64, time=102.0, kind=ArtifactKind.STATE),
        StepFinished(step="data", time=102.0, seconds=1.0),
        StepStarted(step="train", time=103.0, cells=(7, 8), key="k2"),
        ArtifactUsed(step="train", names=("net", "opt"), digest=DIGEST, time=103.0),
        MetricLogged(step="train", name="loss", value=2.0, time=104.0, index=0),
        MetricLogged(step="train", name="loss", value=float("nan"), time=104.0, index=1),
        MetricLogged(step="train", name="accuracy", value=0.97, time=105.0),
        StepFinished(step="train", time=106.0, seconds=3.0),
        Noted(code="NB501", message="as it was", time=106.0, step="train"),
        RunFinished(run=RUN, status=RunStatus.SUCCEEDED, time=107.0, seconds=7.0, metrics={"accuracy": 0.97}),
    ]


def record(folder: Path, *fed: Event) -> Path:
    recorder = Recorder(folder / RUN)
    for event in fed:
        recorder.handle(event)
    recorder.close()
    return folder / RUN


def test_a_run_is_read_back_as_its_events_told_it(tmp_path: Path) -> None:
    run = read_run(record(tmp_path, *events(tmp_path)))
    assert (run.run, run.status, run.name, run.tags, run.note) == (RUN, RunStatus.SUCCEEDED, "first", ("a", "b"), "why")
    assert (run.started, run.finished, run.seconds) == (100.0, 107.0, 7.0)
    assert (run.seed, run.given, run.surroundings) == (7, ("lr",), {"hash_seed": "0", "threads": 2})
    assert run.metrics == {"accuracy": 0.97}
    assert run.series == {"loss": 2}
    assert [(step.name, step.status, step.seconds) for step in run.steps] == [
        ("data", StepStatus.RAN, 1.0),
        ("train", StepStatus.RAN, 3.0),
    ]
    data, train = run.steps
    assert data.outputs == (GroupRecord(names=("net", "opt"), digest=DIGEST),)
    assert data.state == {"torch": "b" * 64}
    assert train.inputs == data.outputs
    assert (train.key, train.cells, train.attempt, train.metrics) == ("k2", (7, 8), 1, {"accuracy": 0.97})
    assert [note.code for note in run.notes] == ["NB501"]


def test_what_the_user_is_shown_has_every_field_of_the_contract(tmp_path: Path) -> None:
    shown = run_json(read_run(record(tmp_path, *events(tmp_path))))
    names = "run status name tags user parameters metrics steps series checkpoints data git packages machine"
    assert set(names.split()) <= set(shown)
    assert shown["series"] == {"loss": 2}
    assert shown["steps"] == [
        {"name": "data", "status": "ran", "seconds": 1.0},
        {"name": "train", "status": "ran", "seconds": 3.0},
    ]
    assert isinstance(json.dumps(shown, allow_nan=False), str)


def test_packages_and_the_machine_stand_in_the_record(tmp_path: Path) -> None:
    run = read_run(record(tmp_path, *events(tmp_path)))
    assert run.packages["pytest"] == pytest.__version__
    assert run.machine.processor
    assert run.machine.memory is not None
    assert run.machine.memory > 1 << 20


def test_a_secret_parameter_is_in_no_file_of_the_record(tmp_path: Path) -> None:
    folder = record(tmp_path, *events(tmp_path))
    for path in folder.rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
    assert read_run(folder).masked == ("api_key",)
    assert read_run(folder).parameters["lr"] == 0.1


def test_the_points_of_a_series_come_back_in_order(tmp_path: Path) -> None:
    series = read_series(record(tmp_path, *events(tmp_path)))
    assert [index for index, _ in series["loss"]] == [0, 1]
    assert series["loss"][0] == (0, 2.0)
    assert str(series["loss"][1][1]) == "nan"


def test_the_points_of_a_failed_attempt_do_not_count(tmp_path: Path) -> None:
    folder = record(
        tmp_path,
        started(tmp_path),
        StepStarted(step="train", time=1.0, cells=(7,)),
        MetricLogged(step="train", name="loss", value=9.0, time=1.0, index=0),
        StepRetried(step="train", time=2.0, attempt=1, failure=FAILURE),
        StepStarted(step="train", time=3.0, cells=(7,), attempt=2),
        MetricLogged(step="train", name="loss", value=1.0, time=3.0, index=0),
        StepFinished(step="train", time=4.0, seconds=1.0),
        RunFinished(run=RUN, status=RunStatus.SUCCEEDED, time=5.0, seconds=5.0),
    )
    assert read_series(folder) == {"loss": [(0, 1.0)]}
    train = read_run(folder).step("train")
    assert (train.attempt, train.retries, train.series) == (2, (FAILURE,), {"loss": 1})


def test_a_failure_and_what_was_skipped_are_told(tmp_path: Path) -> None:
    folder = record(
        tmp_path,
        started(tmp_path, steps=("train", "test", "old")),
        StepReused(step="old", time=100.0, source="earlier", record=StepRecord(name="old")),
        StepStarted(step="train", time=101.0, cells=(7,)),
        StepFailed(step="train", time=102.0, seconds=1.0, failure=FAILURE),
        StepSkipped(step="test", time=102.0, reason=SkipReason.UPSTREAM_FAILED, message="`train` failed"),
        RunFinished(run=RUN, status=RunStatus.FAILED, time=103.0, seconds=3.0, failure=FAILURE),
    )
    run = read_run(folder)
    assert (run.status, run.failure) == (RunStatus.FAILED, FAILURE)
    assert (run.step("train").status, run.step("train").failure) == (StepStatus.FAILED, FAILURE)
    assert (run.step("test").status, run.step("test").reason) == (StepStatus.SKIPPED, SkipReason.UPSTREAM_FAILED)
    assert (run.step("old").status, run.step("old").source) == (StepStatus.REUSED, "earlier")
    shown = run_json(run)["error"]
    assert isinstance(shown, dict)
    assert {name: shown[name] for name in ("step", "cell", "line", "kind", "message")} == {
        "step": "train",
        "cell": 7,
        "line": 2,
        "kind": "ValueError",
        "message": "bad",
    }


def test_an_interrupted_run_says_so_and_so_do_its_running_steps(tmp_path: Path) -> None:
    folder = record(
        tmp_path, started(tmp_path), StepStarted(step="data", time=1.0, cells=(5,)), RunInterrupted(run=RUN, time=2.0)
    )
    run = read_run(folder)
    assert run.status is RunStatus.INTERRUPTED
    assert [step.status for step in run.steps] == [StepStatus.INTERRUPTED, StepStatus.PENDING]


def test_a_resumed_run_keeps_what_was_there_and_sums_the_time(tmp_path: Path) -> None:
    record(
        tmp_path,
        started(tmp_path),
        StepStarted(step="data", time=101.0, cells=(5,), key="k1"),
        StepFinished(step="data", time=102.0, seconds=1.0),
        StepStarted(step="train", time=103.0, cells=(7,)),
        MetricLogged(step="train", name="loss", value=9.0, time=103.0, index=0),
        StepFailed(step="train", time=104.0, seconds=1.0, failure=FAILURE),
        RunFinished(run=RUN, status=RunStatus.FAILED, time=105.0, seconds=5.0, failure=FAILURE),
    )
    folder = record(
        tmp_path,
        started(tmp_path, time=200.0, resumed=True),
        StepReused(step="data", time=200.0, source=RUN, record=StepRecord(name="data", key="k1", seconds=1.0)),
        StepStarted(step="train", time=201.0, cells=(7,)),
        MetricLogged(step="train", name="loss", value=1.0, time=202.0, index=0),
        StepFinished(step="train", time=203.0, seconds=2.0),
        RunFinished(run=RUN, status=RunStatus.SUCCEEDED, time=204.0, seconds=4.0),
    )
    run = read_run(folder)
    assert (run.status, run.started, run.seconds, run.resumed, run.failure) == (
        RunStatus.SUCCEEDED,
        100.0,
        9.0,
        1,
        None,
    )
    assert (run.step("data").status, run.step("data").key) == (StepStatus.REUSED, "k1")
    assert run.step("train").failure is None
    assert read_series(folder) == {"loss": [(0, 1.0)]}


def test_a_run_killed_midway_reads_as_interrupted_with_all_that_was_done(tmp_path: Path) -> None:
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_recorder import events
from nb2pipe.records.recorder import Recorder
folder = Path({str(tmp_path)!r})
recorder = Recorder(folder / {RUN!r})
for event in events(folder)[:9]:
    recorder.handle(event)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    folder = tmp_path / RUN
    with (folder / "metrics.jsonl").open("ab") as stream:
        stream.write(b'{"step": "train", "name": "lo')
    run = read_run(folder)
    assert run.status is RunStatus.INTERRUPTED
    assert [step.status for step in run.steps] == [StepStatus.RAN, StepStatus.INTERRUPTED]
    assert len(read_series(folder)["loss"]) == 2


def test_a_run_that_goes_on_reads_as_running(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / RUN)
    for event in events(tmp_path)[:7]:
        recorder.handle(event)
    run = read_run(tmp_path / RUN)
    recorder.close()
    assert run.status is RunStatus.RUNNING
    assert [step.status for step in run.steps] == [StepStatus.RAN, StepStatus.RUNNING]


def test_the_cost_of_a_point_does_not_grow(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / RUN)
    recorder.handle(started(tmp_path))
    recorder.handle(StepStarted(step="train", time=1.0, cells=(7,)))

    def log(count: int) -> float:
        begin = time.process_time()
        for index in range(count):
            recorder.handle(MetricLogged(step="train", name="loss", value=0.5, time=1.0, index=index))
        return time.process_time() - begin

    time.sleep(1.0)  # the thread that looks around has ended
    log(500)
    first = log(3000)
    log(20000)
    assert log(3000) < 3 * first + 0.1
    recorder.close()
    assert read_run(tmp_path / RUN).series == {"loss": 26500}


def test_a_damaged_record_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    folder = record(tmp_path, *events(tmp_path))
    (folder / "run.json").write_text('{"schema": 1, "run": ')
    with pytest.raises(RecordsError, match=r"run\.json is damaged"):
        read_run(folder)


def test_a_record_of_other_content_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    folder = record(tmp_path, *events(tmp_path))
    path = step_path(folder, "train")
    path.write_text(json.dumps({**json.loads(path.read_text()), "cells": "seven"}))
    with pytest.raises(RecordsError, match=r"train\.json cannot be read: it does not say a step"):
        read_run(folder)


def test_a_record_of_a_newer_version_is_an_error_with_a_hint(tmp_path: Path) -> None:
    folder = record(tmp_path, *events(tmp_path))
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 99}))
    with pytest.raises(RecordsError, match="a newer nb2pipe wrote it") as caught:
        read_run(folder)
    assert caught.value.hint == "pip install --upgrade nb2pipe"


def test_a_folder_without_a_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="there is no record"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/../b", "", ".", "a b", "ü", "x" * 400, "a/b/c", "con\0", "a.b"]
)
def test_the_files_of_any_step_lie_in_the_folder_of_the_steps(name: str, tmp_path: Path) -> None:
    path = step_path(tmp_path, name)
    assert path.resolve().is_relative_to(tmp_path / "steps")
    path.parent.mkdir(parents=True)
    path.write_text("")
    assert safe_name(name) != safe_name(name + "x")


def test_a_step_of_a_nested_pipeline_has_a_file_of_its_own(tmp_path: Path) -> None:
    folder = record(
        tmp_path,
        started(tmp_path, steps=("outer/inner", "outer")),
        StepStarted(step="outer/inner", time=1.0, cells=(2,)),
        StepFinished(step="outer/inner", time=2.0, seconds=1.0),
        RunFinished(run=RUN, status=RunStatus.SUCCEEDED, time=3.0, seconds=3.0),
    )
    assert (folder / "steps" / "outer" / "inner.json").exists()
    assert [(step.name, step.status) for step in read_run(folder).steps] == [
        ("outer/inner", StepStatus.RAN),
        ("outer", StepStatus.PENDING),
    ]


def git(folder: Path, *arguments: str) -> None:
    settings = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.c",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.autocrlf=false",
    )
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def test_the_commit_and_the_difference_to_it_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    (folder / "code.py").write_text("a = 1\n")
    (folder / "deep" / "digits.ipynb").write_text("{}")
    git(folder, "init", "-q", "-b", "work")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    clean = read_run(record(tmp_path, *events(folder / "deep"))).git
    assert clean is not None
    assert (clean.dirty, clean.branch, len(clean.commit or "")) == (False, "work", 40)

    (folder / "code.py").write_text("a = 2\n")
    shutil.rmtree(tmp_path / RUN)
    kept = record(tmp_path, *events(folder / "deep"))
    dirty = read_run(kept).git
    assert dirty is not None
    assert dirty.dirty
    git(folder, "checkout", "-q", "code.py")
    git(folder, "apply", str(kept / "difference.patch"))
    assert (folder / "code.py").read_text() == "a = 2\n"


def test_a_folder_outside_a_repository_has_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_run(record(tmp_path, *events(tmp_path))).git is None


def test_without_git_the_run_is_recorded_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = read_run(record(tmp_path, *events(tmp_path)))
    assert (run.status, run.git) == (RunStatus.SUCCEEDED, None)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_records(tmp_path: Path) -> None:
    (tmp_path / RUN).write_text("a file where the folder has to be")
    with pytest.raises(RecordsError, match="cannot write"):
        Recorder(tmp_path / RUN).handle(started(tmp_path))


def test_an_event_before_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="has to start"):
        Recorder(tmp_path / RUN).handle(StepStarted(step="data", time=1.0, cells=(1,)))
