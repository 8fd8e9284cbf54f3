"""Which versions of data sets a run took from outside."""

from __future__ import annotations

from nb2pipe.records.data import data_of, is_module
from nb2pipe.records.model import DataFile, StepRecord, StepTrace, WrittenFile


def step(name: str, *, reads: dict[str, str | None], writes: dict[str, str], data: tuple[DataFile, ...]) -> StepRecord:
    left = {path: WrittenFile(sha256=sha256, size=1, kept=True) for path, sha256 in writes.items()}
    return StepRecord(name=name, data=data, trace=StepTrace(reads=reads, writes=left))


def test_what_a_run_reads_and_did_not_make_itself_is_its_data() -> None:
    load = step("load", reads={"/a.csv": "a", "/gone.csv": None, "/own.py": "m"}, writes={"/b.csv": "b"}, data=())
    train = step("train", reads={"/b.csv": "b", "/a.csv": "a"}, writes={}, data=())
    assert data_of((load, train)) == (DataFile(path="/a.csv", sha256="a"),)


def test_a_name_that_code_gave_data_wins_over_the_file_that_was_seen() -> None:
    named = DataFile(path="/a.csv", sha256="a", name="train")
    assert data_of([step("load", reads={"/a.csv": "a"}, writes={}, data=(named,))]) == (named,)


def test_a_file_that_a_step_changes_counts_as_it_was_before() -> None:
    before = step("append", reads={"/log": "old"}, writes={"/log": "new"}, data=())
    after = step("read", reads={"/log": "new"}, writes={}, data=())
    assert data_of((before, after)) == (DataFile(path="/log", sha256="old"),)


def test_data_of_libraries_count_too() -> None:
    trace = StepTrace(brought={"/site-packages/lib/rows.csv.gz": "r"})
    assert data_of([StepRecord(name="load", trace=trace)]) == (
        DataFile(path="/site-packages/lib/rows.csv.gz", sha256="r"),
    )


def test_modules_are_no_data() -> None:
    assert is_module("/project/own.py")
    assert not is_module("/project/py.csv")
