"""Output of a process gets into the cells of the step's notebook, by the marks in it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from nb2pipe.executors.outcome import step_spec
from nb2pipe.executors.sheet import Sheet
from nb2pipe.pipeline.model import Block, BlockRole
from nb2pipe.records.events import CellFinished, CellStarted, Failure, OutputWritten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.records.events import Event


class Played:
    """A sheet that is fed by hand: `out` and `err` write to the streams, and `both` writes a mark to both."""

    def __init__(self, call: Any, path: Path) -> None:
        self.events: list[Event] = []
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.sheet = Sheet(call, step_spec(call, path), token="t", path=path, emit=self.events.append)

    def out(self, text: str) -> None:
        self.sheet.feed("stdout", text.encode())

    def err(self, text: str) -> None:
        self.sheet.feed("stderr", text.encode())

    def both(self, mark: str) -> None:
        self.out(f"\x1et {mark}\n")
        self.err(f"\x1et {mark}\n")

    def cells(self) -> list[Any]:
        notebook = nbformat.read(self.path, 4)
        nbformat.validate(notebook)
        return list(notebook.cells)

    def texts(self) -> list[dict[str, str]]:
        return [{each.name: each.text for each in cell.outputs if "name" in each} for cell in self.cells()]

    def told(self) -> list[tuple[str, int]]:
        kinds = {CellStarted: "begin", CellFinished: "end", OutputWritten: "text"}
        return [(kinds[type(event)], event.cell) for event in self.events]  # type: ignore[union-attr,index] # only these


Play = Any


@pytest.fixture
def play(bench: Any, tmp_path: Path) -> Callable[..., Played]:
    def make(*cells: Any, **more: Any) -> Played:
        return Played(bench.call(bench.notebook(*cells), **more), tmp_path / "steps" / "fit.ipynb")

    return make


def test_what_is_printed_gets_into_its_cell(play: Play) -> None:
    it = play("print('a')", "print('b')")
    it.both("begin 1")
    it.out("one\n")
    it.err("wrong\n")
    it.out("two\n")
    it.both("end 1")
    it.both("begin 2")
    it.out("three")
    it.both("end 2")
    it.sheet.complete()
    assert [output.text for output in it.cells()[0].outputs] == ["one\n", "wrong\n", "two\n"]
    assert it.texts()[1] == {"stdout": "three"}
    assert [cell.execution_count for cell in it.cells()] == [1, 2]
    text = ("text", 1)
    assert it.told() == [("begin", 1), text, text, text, ("end", 1), ("begin", 2), ("text", 2), ("end", 2)]


def test_neither_stream_runs_ahead_of_the_other(play: Play) -> None:
    it = play("a", "b")
    it.both("begin 1")
    it.out("\x1et end 1\n\x1et begin 2\nof two\n")
    it.err("of one\n\x1et end 1\n\x1et begin 2\nalso of two\n")
    it.sheet.complete()
    assert it.texts() == [{"stderr": "of one\n"}, {"stdout": "of two\n", "stderr": "also of two\n"}]
    assert it.told()[:4] == [("begin", 1), ("text", 1), ("end", 1), ("begin", 2)]


def test_a_stream_that_the_author_leads_elsewhere_keeps_nobody_waiting(play: Play) -> None:
    it = play("a", "b", "c")
    it.both("begin 1")
    for place in (2, 3):
        it.out(f"\x1et begin {place}\nof {place}\n")
    time.sleep(0.25)
    it.sheet.tick()
    it.err("back again\n")
    it.err("\x1et begin 3\nlast\n")
    it.sheet.complete()
    assert it.texts() == [{}, {"stdout": "of 2\n"}, {"stdout": "of 3\n", "stderr": "back again\nlast\n"}]
    it = play("a", "b")
    it.sheet.feed("stderr", b"", last=True)
    it.out("\x1et begin 1\nx\n\x1et begin 2\ny\n")
    assert it.told() == [("begin", 1), ("text", 1), ("end", 1), ("begin", 2), ("text", 2)]


def test_what_a_thread_prints_between_cells_is_of_the_cell_above_and_what_we_print_is_nobodys(play: Play) -> None:
    it = play("a", "b")
    it.out("as values are loaded\n")
    it.both("begin 1")
    it.both("end 1")
    it.out("late\n")
    it.both("begin 2")
    it.both("end 2")
    it.err("as values are stored\n")
    it.sheet.complete()
    assert it.texts() == [{"stdout": "late\n"}, {}]


def test_definitions_print_into_their_cell_and_cells_of_nothing_else_are_told_of_too(play: Play) -> None:
    it = play("import x", "def f(): pass", "f()", "class A: pass", cells=(2, 3, 4), repeated=(1,))
    it.both("begin 1 definitions")
    it.out("imported\n")
    it.both("begin 2 definitions")
    it.out("defined\n")
    it.both("begin 3")
    it.both("end 3")
    it.sheet.complete()
    assert it.texts() == [{"stdout": "imported\n"}, {"stdout": "defined\n"}, {}, {}]
    pairs = [(kind, cell) for cell in (2, 3, 4) for kind in ("begin", "end")]
    assert [each for each in it.told() if each[0] != "text"] == pairs
    assert [cell.execution_count for cell in it.cells()] == [1, 2, 3, 4]


def test_output_of_cells_that_the_step_does_not_hold_is_left_out(play: Play) -> None:
    it = play("import x", "f()", cells=(2,))
    it.both("begin 1 definitions")
    it.out("imported\n")
    it.both("begin 2")
    it.sheet.complete()
    assert it.texts() == [{}]
    assert it.told() == [("begin", 2), ("end", 2)]


def test_an_error_stands_in_its_cell_and_the_cells_below_did_not_run(play: Play) -> None:
    it = play("a", "b", "c")
    it.both("begin 1")
    error = {"ename": "ValueError", "evalue": "x", "traceback": ["\x1b[31mcell 1, line 1\x1b[0m", "ValueError: x"]}
    it.out(f"\x1et error {json.dumps(error)}\n")
    it.both("end 1")
    it.both("begin 2")
    failure = Failure(step="fit", cell=2, line=1, kind="KeyError", message="'k'", traceback="cell 2, line 1\nKeyError")
    it.sheet.fail(failure)
    errors = [[(each.ename, each.traceback) for each in cell.outputs] for cell in it.cells()]
    expected = [("ValueError", ["cell 1, line 1", "ValueError: x"])], [("KeyError", ["cell 2, line 1", "KeyError"])]
    assert errors == [*expected, []]
    assert [cell.execution_count for cell in it.cells()] == [1, 2, None]


def test_no_cell_of_ours_stands_in_it_and_secrets_are_masked(play: Play) -> None:
    blocks = (Block(cell=1, role=BlockRole.PARAMETERS, injects=("token", "lr")), Block(cell=2))
    given = {"token": "hunter2", "lr": 1}
    it = play(("token = ''\nlr = 2", "parameters"), "use(token)", cells=(2,), blocks=blocks, parameters=given)
    it.sheet.complete()
    assert [cell.metadata.nb2pipe.role for cell in it.cells()] == ["parameters", "injected", "code"]
    assert it.cells()[1].source == "# Parameters\ntoken = '********'\nlr = 1"
    assert [cell.execution_count for cell in it.cells()] == [1, None, 2]
