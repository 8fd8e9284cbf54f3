"""The index answers for a SHA-256: what used and made some content, without reading the runs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.files import write_run, write_step
from nb2pipe.records.index import FILE, add, links, list_runs
from nb2pipe.records.model import Checkpoint, DataFile, GroupRecord, RunRecord, StepRecord, StepTrace, WrittenFile
from nb2pipe.records.process import this_process

if TYPE_CHECKING:
    from pathlib import Path

DATA, NET, TABLE, FIRST = "d" * 64, "e" * 64, "a" * 64, "f" * 64

LOAD = StepRecord(
    name="load",
    status=StepStatus.RAN,
    outputs=(GroupRecord(names=("table",), digest=TABLE),),
    data=(DataFile(path="/data.csv", sha256=DATA, name="train"),),
    trace=StepTrace(reads={"/data.csv": DATA, "/gone": None, "/own.py": "c" * 64}),
)
TRAIN = StepRecord(
    name="train",
    status=StepStatus.RAN,
    inputs=(GroupRecord(names=("table",), digest=TABLE),),
    state={"torch": "9" * 64},
    trace=StepTrace(writes={"/net.pt": WrittenFile(sha256=NET, size=3, kept=True)}),
)


def make(home: Path, run: str, *steps: StepRecord, **changes: object) -> RunRecord:
    fields: dict[str, object] = {
        "run": run,
        "status": RunStatus.SUCCEEDED,
        "pipeline": "p",
        "notebook": "/n.ipynb",
        "notebook_digest": "",
        "started": float(run.partition("-")[0]),
        "steps": steps or (LOAD, TRAIN),
    }
    record = RunRecord(**{**fields, **changes})  # type: ignore[arg-type]  # the fields are named above
    for step in record.steps:
        write_step(home / "runs" / run, step, durable=False)
    write_run(home / "runs" / run, record)
    return record


def test_who_made_and_who_used_some_content_is_found(tmp_path: Path) -> None:
    make(tmp_path, "1-a")
    with links(tmp_path) as index:
        made = index.maker(NET)
        assert made is not None
        assert (made.run, made.step, made.kind, made.name) == ("1-a", "train", "file", "/net.pt")
        assert [(link.step, link.kind, link.name) for link in index.used(DATA)] == [("load", "data", "/data.csv")]
        assert [(link.step, link.kind) for link in index.used("c" * 64)] == [("load", "module")]
        assert index.maker(DATA) is None
        assert index.beginning_with("eee") == [NET]
        assert [link.sha256 for link in index.at("/net.pt")] == [NET]


def test_the_step_that_ran_counts_before_those_that_reused_it(tmp_path: Path) -> None:
    reused = replace(TRAIN, status=StepStatus.REUSED, source="1-a")
    make(tmp_path, "1-a")
    make(tmp_path, "2-b", LOAD, reused)
    make(tmp_path, "3-c", LOAD, TRAIN)
    with links(tmp_path) as index:
        assert [link.run for link in index.made(NET)] == ["3-c", "2-b", "1-a"]
        newest, before = index.maker(NET), index.maker(NET, before=2.5)
        assert (newest and newest.run, before and before.run) == ("3-c", "1-a")
        assert [link.run for link in index.used(DATA, since=2.0)] == ["2-b", "3-c"]


def test_checkpoints_are_known_as_such(tmp_path: Path) -> None:
    saved = tuple(Checkpoint(path="/net.pt", sha256=sha256, epoch=epoch) for epoch, sha256 in ((1, FIRST), (2, NET)))
    make(tmp_path, "1-a", LOAD, replace(TRAIN, checkpoints=saved))
    make(tmp_path, "2-b", LOAD, replace(TRAIN, status=StepStatus.FAILED, checkpoints=saved[:1], trace=None))
    with links(tmp_path) as index:
        assert [(link.run, link.kind) for link in index.made(NET)] == [("1-a", "checkpoint")]
        assert [(link.run, link.kind) for link in index.made(FIRST)] == [("2-b", "checkpoint"), ("1-a", "checkpoint")]


def test_steps_that_hold_others_are_these(tmp_path: Path) -> None:
    inner = replace(TRAIN, name="train/fit")
    make(tmp_path, "1-a", LOAD, inner, TRAIN)
    with links(tmp_path) as index:
        assert [link.step for link in index.made(NET)] == ["train/fit"]


def test_runs_that_came_changed_or_went_are_seen(tmp_path: Path) -> None:
    record = make(tmp_path, "1-a")
    with links(tmp_path) as index:
        assert index.maker(FIRST) is None
    changed = replace(TRAIN, outputs=(GroupRecord(names=("net",), digest=FIRST),))
    make(tmp_path, "1-a", LOAD, changed, name="other")
    add(tmp_path, replace(record, run="gone"))
    with links(tmp_path) as index:
        assert [link.name for link in index.made(FIRST)] == ["net"]
    (tmp_path / "runs" / "1-a" / "run.json").unlink()
    with links(tmp_path) as index:
        assert index.made(FIRST) == []


def test_a_run_that_goes_on_is_looked_at_again(tmp_path: Path) -> None:
    make(tmp_path, "1-a", LOAD, status=RunStatus.RUNNING, process=this_process())
    list_runs(tmp_path)
    write_step(tmp_path / "runs" / "1-a", replace(LOAD, outputs=(GroupRecord(names=("x",), digest=FIRST),)))
    with links(tmp_path) as index:
        assert [link.name for link in index.made(FIRST)] == ["x"]


def test_without_an_index_that_works_the_runs_are_read(tmp_path: Path) -> None:
    make(tmp_path, "1-a")
    (tmp_path / FILE).mkdir()
    told: list[str] = []
    with links(tmp_path, tell=told.append) as index:
        assert [link.step for link in index.made(NET)] == ["train"]
    assert len(told) == 1


def test_an_answer_takes_no_longer_with_hundreds_of_runs(tmp_path: Path) -> None:
    for number in range(1, 401):
        digest = f"{number:064x}"
        make(tmp_path, f"{number}-x", LOAD, replace(TRAIN, outputs=(GroupRecord(names=("net",), digest=digest),)))
    list_runs(tmp_path)
    for run in (tmp_path / "runs").iterdir():  # an answer that came from the files would fail now
        (run / "steps" / "train.json").write_text("damaged")
    began = time.perf_counter()
    with links(tmp_path) as index:
        made = index.maker(f"{50:064x}")
    assert made is not None
    assert made.run == "50-x"
    assert time.perf_counter() - began < 2.0
