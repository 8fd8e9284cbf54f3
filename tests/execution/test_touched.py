"""Files that steps touch without an order that the text shows: found in the run, and known to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nb2pipe.execution.touched import crossed, known, learned, spoiled
from nb2pipe.records.events import Noted, RunStatus
from nb2pipe.records.model import StepRecord, StepTrace, WrittenFile

if TYPE_CHECKING:
    from pathlib import Path


def trace(
    reads: dict[str, str | None] | None = None, writes: dict[str, str] | None = None, listed: tuple[str, ...] = ()
) -> StepTrace:
    files = {path: WrittenFile(sha256=digest, size=1, kept=True) for path, digest in (writes or {}).items()}
    return StepTrace(reads=reads or {}, writes=files, listed=dict.fromkeys(listed, "names"))


def same(folder: str) -> str:
    del folder
    return "names"


def other(folder: str) -> str:
    del folder
    return "more names"


def test_a_file_read_before_it_was_written_above_is_crossed() -> None:
    writer = trace(writes={"/w/x": "new"})
    assert crossed(writer, trace(reads={"/w/x": "old"}), same) == ("/w/x",)
    assert crossed(writer, trace(reads={"/w/x": None}), same) == ("/w/x",)
    assert crossed(writer, trace(reads={"/w/x": "new"}), same) == ()
    assert crossed(writer, trace(reads={"/w/y": "old"}), same) == ()


def test_a_file_that_both_left_differently_is_crossed() -> None:
    assert crossed(trace(writes={"/w/x": "1"}), trace(writes={"/w/x": "2"}), same) == ("/w/x",)
    assert crossed(trace(writes={"/w/x": "1"}), trace(writes={"/w/x": "1"}), same) == ()


def test_a_folder_listed_before_a_file_was_put_there_is_crossed() -> None:
    writer = trace(writes={"/w/x": "new"})
    assert crossed(writer, trace(listed=("/w",)), other) == ("/w/x",)
    assert crossed(writer, trace(listed=("/w",)), same) == ()


def test_a_file_read_as_a_step_below_left_it_is_spoiled() -> None:
    assert spoiled(trace(reads={"/w/x": "2"}), trace(writes={"/w/x": "2"})) == ("/w/x",)
    assert spoiled(trace(reads={"/w/x": "1"}), trace(writes={"/w/x": "2"})) == ()


def test_what_earlier_runs_touched_orders_the_next_one() -> None:
    steps = (
        StepRecord(name="a", trace=trace(writes={"/w/x": "1"}), state={"cwd": "there"}),
        StepRecord(name="b", trace=trace(reads={"/w/x": "1"}), state={"random": "1"}),
        StepRecord(name="c", trace=trace(reads={"/w/y": "1"}), state={"random": "2", "cwd": "there"}),
        StepRecord(name="d", trace=trace(writes={"/w/y": "2"})),
        StepRecord(name="e", trace=trace(listed=("/w",))),
        StepRecord(name="f/a", trace=trace(reads={"/w/x": "1"})),
        StepRecord(name="g"),
    )
    waits = {name: sorted(above) for name, above in learned([steps]).items() if above}
    assert waits == {"b": ["a"], "c": ["b"], "d": ["c"], "e": ["a", "d"]}


def test_of_what_was_learned_only_steps_that_still_stand_above_count() -> None:
    assert known({"b": {"a", "gone"}, "a": {"b"}}, ["a", "b", "new"]) == {"a": set(), "b": {"a"}, "new": set()}


class File:
    """A file that the code of steps reads and writes, and what an observer would have seen of that."""

    def __init__(self, trial: Any, path: Path, text: str | None) -> None:
        self.path = path
        self.found: str | None = None
        if text is not None:
            path.write_text(text)
        trial.executor.prepare = {"read": self.read, "write": path.write_text}
        trial.executor.seen = {"reads": {}}

    def read(self) -> str:
        self.found = self.path.read_text()
        return self.found

    def observe(self, _unit: Any, call: Any, _done: Any, _began: float) -> StepTrace:
        code = call.notebook.cell(call.step.cells[0]).python
        reads = {str(self.path): self.found} if "read" in code else {}
        return trace(reads=reads, writes={str(self.path): "new"} if "write" in code else {})


def test_a_step_that_found_a_file_missing_runs_again_after_those_above(
    trial: Any, pipeline: Any, spec: Any, tmp_path: Path
) -> None:
    file = File(trial, tmp_path / "x.txt", None)
    steps = {"a": spec("wait(0.3); write('new')"), "b": spec("text = read()", gives=("text",))}
    end = trial.run(pipeline(steps), observe=file.observe)
    assert end.status is RunStatus.SUCCEEDED
    assert trial.value("text") == "new"
    assert [note.code for note in trial.of(Noted)] == ["NB520"]
    assert "`b` found a file missing before `a`" in trial.of(Noted)[0].message


def test_a_step_that_misses_a_file_for_good_fails(trial: Any, pipeline: Any, spec: Any, tmp_path: Path) -> None:
    File(trial, tmp_path / "nowhere.txt", None)
    end = trial.run(pipeline({"a": spec("wait(0.3)"), "b": spec("read()")}))
    assert end.failure is not None
    assert end.failure.kind == "FileNotFoundError"
    assert trial.executor.ran.count("b") == 2


def test_a_step_that_read_an_older_file_runs_again(trial: Any, pipeline: Any, spec: Any, tmp_path: Path) -> None:
    file = File(trial, tmp_path / "x.txt", "old")
    steps = {"a": spec("hear('b'); write('new')"), "b": spec("text = read(); tell('b')", gives=("text",))}
    end = trial.run(pipeline(steps), observe=file.observe)
    assert end.status is RunStatus.SUCCEEDED
    assert trial.value("text") == "new"
    assert "`b` touched `x.txt` before `a`" in trial.of(Noted)[0].message


def test_a_step_that_read_an_older_file_and_writes_others_ends_the_run(
    trial: Any, pipeline: Any, spec: Any, tmp_path: Path
) -> None:
    file = File(trial, tmp_path / "x.txt", "old")
    steps = {"a": spec("hear('b'); write('new')"), "b": spec("read(); tell('b')", writes=True)}
    end = trial.run(pipeline(steps), observe=file.observe)
    assert end.failure is not None
    assert (end.failure.kind, end.failure.step) == ("UnorderedSteps", "b")
    assert end.failure.hint == "tag a cell of `b` with prev:a"


def test_a_step_that_read_what_one_below_had_written_ends_the_run(
    trial: Any, pipeline: Any, spec: Any, tmp_path: Path
) -> None:
    file = File(trial, tmp_path / "x.txt", "old")
    steps = {"a": spec("hear('b'); read()"), "b": spec("write('new'); tell('b')")}
    end = trial.run(pipeline(steps), observe=file.observe)
    assert end.failure is not None
    assert end.failure.kind == "UnorderedSteps"
    assert "`b` touched `x.txt` before `a`" in end.failure.message
