"""Runs of real notebooks in real kernels."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from nb2pipe.codegen.notebooks.executed import assemble
from nb2pipe.execution.options import RunOptions
from nb2pipe.execution.run import resume, run
from nb2pipe.executors.papermill import PapermillExecutor
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.records.events import CellStarted, Event, RunStatus, StepStatus
from nb2pipe.records.files import read_run

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.execution.model import RunEnd

Cells = "Sequence[tuple[str, str]]"


class Notebook:
    """A notebook file, to be run and changed."""

    def __init__(self, folder: Path, name: str = "trial.ipynb") -> None:
        self.path = folder / name
        self.options = RunOptions(home=folder / ".nb2pipe", seed=3, jobs=2)
        self.events: list[Event] = []

    def write(self, *cells: tuple[str, str]) -> Notebook:
        """Writes cells, each with its tags (separated by blanks, `~` for a blank in a tag) and its code."""
        made = [
            nbformat.v4.new_code_cell(
                code, metadata={"tags": [tag.replace("~", " ") for tag in tags.split()]}, id=f"c{index}"
            )
            for index, (tags, code) in enumerate(cells)
        ]
        nbformat.write(nbformat.v4.new_notebook(cells=made), self.path)
        return self

    def run(self, *, cancel: threading.Event | None = None, **changes: Any) -> RunEnd:
        return run(
            compile_notebook(self.path),
            replace(self.options, **changes),
            executor=PapermillExecutor(),
            assemble=lambda folder, pipeline: void(assemble(folder, pipeline)),
            listeners=(self.events.append,),
            cancel=cancel,
        )

    def resume(self, end: RunEnd) -> RunEnd:
        return resume(
            read_run(end.folder),
            compile_notebook(self.path),
            self.options,
            executor=PapermillExecutor(),
            assemble=lambda folder, pipeline: void(assemble(folder, pipeline)),
            listeners=(self.events.append,),
        )


def void(_: object) -> None:
    """A function that gives something is not what is asked for."""


def printed(end: RunEnd) -> dict[int, str]:
    """What each cell of the executed notebook printed, by position."""
    cells = json.loads(end.notebook.read_text())["cells"]
    outputs = {index: cell.get("outputs", []) for index, cell in enumerate(cells, 1)}
    return {
        index: "".join("".join(output.get("text", "")) for output in found) for index, found in outputs.items() if found
    }


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path)


def test_a_diamond_with_parameters_random_numbers_and_metrics(notebook: Notebook) -> None:
    notebook.write(
        ("imports", "import random"),
        ("parameters", "n = 3"),
        ("step:load", "rows = [random.random() for _ in range(n)]"),
        ("step:left", "low = min(rows)"),
        ("step:right", "high = max(rows)"),
        ("step:join", "print(len(rows), low <= high, random.random())"),
        ("pipeline-metrics", "spread = high - low"),
    )
    end = notebook.run(parameters={"n": 5})
    import random

    random.seed(3)
    rows = [random.random() for _ in range(5)]
    assert end.status is RunStatus.SUCCEEDED, end.failure
    assert end.metrics == {"spread": max(rows) - min(rows)}
    assert f"5 True {random.random()}\n" in printed(end).values()


def test_a_failed_run_is_gone_on_with_after_the_notebook_is_mended(notebook: Notebook) -> None:
    cells = [("step:a", "x = [1]\nprint('a ran')"), ("step:b", "y = x + [2]\ny / 0"), ("step:c", "print('c', x, y)")]
    end = notebook.write(*cells).run()
    assert end.status is RunStatus.FAILED
    assert end.failure is not None
    assert (end.failure.step, end.failure.cell, end.failure.line) == ("b", 2, 2)
    cells[1] = ("step:b", "y = x + [2]\nprint('b mended')")
    cells.insert(0, ("", "# a note"))
    notebook.events.clear()
    again = notebook.write(*cells).resume(end)
    assert again.status is RunStatus.SUCCEEDED, again.failure
    began = {event.step for event in notebook.events if isinstance(event, CellStarted)}
    assert began == {"b", "c"}
    assert printed(again) == {2: "a ran\n", 3: "b mended\n", 4: "c [1] [1, 2]\n"}


def test_an_interrupted_run_leaves_soon_and_goes_on(notebook: Notebook) -> None:
    notebook.write(("step:a", "x = 1"), ("step:b", "import time\ntime.sleep(60)\nz = x"), ("step:c", "z"))
    cancel = threading.Event()
    stopped = []

    def watch(event: Event) -> None:
        if isinstance(event, CellStarted) and event.step == "b":
            stopped.append(time.monotonic())
            cancel.set()

    notebook.events = type("Watching", (list,), {"append": staticmethod(watch)})()
    end = notebook.run(cancel=cancel)
    assert time.monotonic() - stopped[0] < 3
    assert [step.status for step in end.steps] == [StepStatus.RAN, StepStatus.INTERRUPTED, StepStatus.INTERRUPTED]
    notebook.events = []
    notebook.write(("step:a", "x = 1"), ("step:b", "z = x"), ("step:c", "z"))
    assert notebook.resume(end).status is RunStatus.SUCCEEDED


def test_a_gate_holds_back_what_comes_after(notebook: Notebook) -> None:
    notebook.write(
        ("step:train", "accuracy = 0.8"),
        ("step:check gate:accuracy~>=~0.9", "print('checked')"),
        ("pipeline-metrics step:check", "print(accuracy)"),
        ("step:deploy prev:check", "print('deployed')"),
    )
    end = notebook.run()
    assert end.status is RunStatus.SUCCEEDED, end.failure
    assert end.metrics == {"accuracy": 0.8}
    assert end.steps[-1].status is StepStatus.SKIPPED


def test_a_step_that_draws_through_a_module_is_found_and_put_in_order(notebook: Notebook) -> None:
    (notebook.path.parent / "hidden_draws.py").write_text(
        "import random, time\ndef pick(seconds):\n    time.sleep(seconds)\n    return random.random()\n"
    )
    notebook.write(
        ("imports", "import hidden_draws"),
        ("step:a", "x = hidden_draws.pick(1.5)"),
        ("step:b", "y = hidden_draws.pick(0)"),
        ("step:join", "print(x, y)"),
    )
    end = notebook.run()
    import random

    random.seed(3)
    assert end.status is RunStatus.SUCCEEDED, end.failure
    assert printed(end)[4] == f"{random.random()} {random.random()}\n"


def test_a_nested_notebook_runs_in_its_own_folder_with_variables_as_parameters(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / "parts").mkdir()
    inner = Notebook(tmp_path / "parts", "inner.ipynb")
    inner.write(
        ("parameters", "n = 1"),
        ("step:count", "rows = list(range(n))"),
        ("step:say", "import os\nprint(rows, os.getcwd())"),
    )
    notebook.write(("step:size", "n = 3"), ("notebook:report", ""), ("step:end prev:report", "print('end')"))
    content = nbformat.read(notebook.path, as_version=4)
    content.cells[1].metadata["notebook_path"] = "parts/inner.ipynb"
    nbformat.write(content, notebook.path)
    end = notebook.run()
    assert end.status is RunStatus.SUCCEEDED, end.failure
    assert [step.name for step in end.steps] == ["size", "report/count", "report/say", "report", "end"]
    said = (end.folder / "steps" / "report" / "say.ipynb").read_text()
    assert "[0, 1, 2]" in said
    assert str((tmp_path / "parts").resolve()) in said
