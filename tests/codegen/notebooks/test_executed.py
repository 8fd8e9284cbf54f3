"""The whole notebook of a run, out of the author's file and the step notebooks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from nb2pipe.codegen.notebooks.executed import assemble
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.notebook.model import Cell, CellKind, InjectedParametersTag, Kernel, Notebook, Settings, SkipTag, Tag
from nb2pipe.notebook.read import read_notebook
from nb2pipe.pipeline.model import Parameter, Pipeline, Step
from nb2pipe.records.events import Failure, RunStatus, StepStatus
from nb2pipe.records.files import RunRecord, StepRecord, write_run, write_step

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = {"a.png": {"image/png": "aGk="}}
TAGS: dict[str, Tag] = {"skip": SkipTag(), "injected-parameters": InjectedParametersTag()}


@dataclass
class Case:
    """A notebook with its steps, as files in a folder."""

    folder: Path
    cells: list[Any]
    steps: dict[str, tuple[int, ...]]
    parameters: tuple[Parameter, ...] = ()
    ran: dict[str, list[Any]] = field(default_factory=dict)
    statuses: dict[str, StepRecord] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    status: RunStatus = RunStatus.RUNNING
    resumed: int = 0

    def pipeline(self) -> Pipeline:
        models = tuple(
            Cell(
                id=cell["id"],
                position=position,
                kind=CellKind(cell["cell_type"]),
                source=cell["source"],
                tags=tuple(TAGS[tag] for tag in cell["metadata"].get("tags", []) if tag in TAGS),
                raw_tags=tuple(cell["metadata"].get("tags", [])),
            )
            for position, cell in enumerate(self.cells, 1)
        )
        notebook = Notebook(
            path=str(self.folder / "own.ipynb"),
            cells=models,
            kernel=Kernel(),
            settings=Settings(),
            digest=Digest.of_bytes(b""),
        )
        steps = tuple(Step(name=name, cells=cells) for name, cells in self.steps.items())
        return Pipeline(
            name="own",
            notebook=notebook,
            settings=Settings(),
            parameters=self.parameters,
            steps=steps,
            report=Report(),
        )

    def write(self) -> None:
        node = new_notebook(cells=self.cells, metadata={"mine": 1, "papermill": {"stale": 1}})
        (self.folder / "own.ipynb").write_text(nbformat.writes(node))
        steps = tuple(self.statuses.get(name, StepRecord(name=name, status=StepStatus.RAN)) for name in self.steps)
        run = self.folder / "run"
        write_run(
            run,
            RunRecord(
                run="run",
                status=self.status,
                pipeline="own",
                notebook=str(self.folder / "own.ipynb"),
                notebook_digest="",
                steps=steps,
                parameters=self.values,
                given=self.given,
                started=1.0,
                finished=3.5,
                resumed=self.resumed,
            ),
        )
        for step in steps:
            write_step(run, step)
        for name, cells in self.ran.items():
            node = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
            (run / "steps" / f"{name}.ipynb").write_text(nbformat.writes(node))

    def assemble(self) -> Any:
        self.write()
        path = assemble(self.folder / "run", self.pipeline())
        assert path == self.folder / "run" / "notebook.ipynb"
        node = nbformat.read(path, as_version=4)
        nbformat.validate(node)
        assert node.nbformat_minor == 5
        return node


def code(source: str, *tags: str, **fields: Any) -> Any:
    cell = new_code_cell(source, **fields)
    if tags:
        cell["metadata"]["tags"] = list(tags)
    return cell


def ran(position: int, count: int | None, *outputs: Any, role: str = "code") -> Any:
    metadata = {"nb2pipe": {"cell": position, "role": role}, "papermill": {"status": "completed", "duration": 0.5}}
    return new_code_cell("as it ran", execution_count=count, outputs=list(outputs), metadata=metadata)


def ours(role: str) -> Any:
    printed = new_output("stream", name="stdout", text="ours")
    return new_code_cell("ours()", execution_count=1, outputs=[printed], metadata={"nb2pipe": {"role": role}})


def printed(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def texts(node: Any) -> list[list[str]]:
    return [
        [
            output.get("text") or output.get("evalue") or output["data"]["text/plain"]
            for output in cell.get("outputs", [])
        ]
        for cell in node.cells
    ]


def plain_case(folder: Path) -> Case:
    stale = [printed("stale")]
    return Case(
        folder,
        [
            new_markdown_cell("# Title ![x](attachment:a.png)", attachments=PICTURE),
            code("import os", "imports", outputs=stale, execution_count=90),
            code("x = 1\nx", "step:a", "mine"),
            new_raw_cell("raw", metadata={"raw_mimetype": "text/x"}),
            code("never()", "skip", outputs=stale, execution_count=91),
            code("   "),
            code("y = x", "step:b"),
        ],
        {"a": (3,), "b": (7,)},
        ran={
            "a": [
                ours("enter"),
                ran(2, 2, printed("import"), role="definitions"),
                ran(3, 3, new_output("execute_result", data={"text/plain": "1"}, execution_count=3)),
                ours("leave"),
            ],
            "b": [ours("enter"), ran(2, 2, printed("import"), role="definitions"), ran(7, 3, printed("b"))],
        },
    )


def test_all_cells_stand_in_order_as_the_author_wrote_them(tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    node = case.assemble()
    assert [(cell.cell_type, cell.source, cell.id) for cell in node.cells] == [
        (cell["cell_type"], cell["source"], cell["id"]) for cell in case.cells
    ]
    assert node.cells[0].attachments == PICTURE
    assert node.cells[3].metadata.raw_mimetype == "text/x"
    assert node.cells[2].metadata.tags == ["step:a", "mine"]
    assert node.metadata.mine == 1


def test_outputs_are_those_of_this_run_and_stale_ones_are_gone(tmp_path: Path) -> None:
    assert texts(plain_case(tmp_path).assemble()) == [[], ["import"], ["1"], [], [], [], ["b"]]


def test_cells_are_numbered_as_in_a_straight_run(tmp_path: Path) -> None:
    node = plain_case(tmp_path).assemble()
    assert [cell.get("execution_count") for cell in node.cells] == [None, 1, 2, None, None, None, 3]
    assert node.cells[2].outputs[0].execution_count == 2


def test_the_metadata_are_what_papermill_writes(tmp_path: Path) -> None:
    node = plain_case(tmp_path).assemble()
    assert node.metadata.papermill.duration == 2.5
    assert node.metadata.papermill.start_time == "1970-01-01T00:00:01+00:00"
    assert node.metadata.papermill.exception is None
    assert "stale" not in node.metadata.papermill
    assert node.cells[6].metadata.papermill.duration == 0.5
    assert "papermill" not in node.cells[4].metadata
    assert node.metadata.kernelspec.name == "python3"


def test_given_values_stand_in_a_cell_after_the_cell_of_their_defaults(tmp_path: Path) -> None:
    case = Case(
        tmp_path,
        [
            code("lr = 0.1", "parameters"),
            code("api_key = ''", "parameters"),
            code("lr = 7", "injected-parameters"),
            code("lr", "step:a"),
        ],
        {"a": (4,)},
        parameters=(
            Parameter(name="lr", type="float", default=0.1, cell=1, line=1),
            Parameter(name="api_key", type="str", default="", cell=2, line=1),
        ),
        values={"lr": float("inf"), "api_key": "********"},
        given=("lr", "api_key"),
        ran={"a": [ran(1, 1, role="parameters"), ran(4, 2, printed("x"))]},
    )
    node = case.assemble()
    assert [(cell.source, cell.execution_count) for cell in node.cells] == [
        ("lr = 0.1", 1),
        ("# Parameters\nlr = float('inf')", 2),
        ("api_key = ''", 3),
        ("# Parameters\napi_key = '********'", 4),
        ("lr", 5),
    ]
    assert node.cells[1].metadata.tags == ["injected-parameters"]
    assert node.metadata.papermill.parameters == {"lr": "inf", "api_key": "********"}


def test_an_injected_cell_stays_where_nothing_is_given(tmp_path: Path) -> None:
    case = Case(
        tmp_path,
        [code("lr = 0.1", "parameters"), code("lr = 7", "injected-parameters"), code("lr", "step:a")],
        {"a": (3,)},
        ran={"a": [ran(3, 1)]},
    )
    assert [(cell.source, cell.execution_count) for cell in case.assemble().cells] == [
        ("lr = 0.1", 1),
        ("lr = 7", 2),
        ("lr", 3),
    ]


def test_a_failed_cell_shows_its_error_with_the_number_of_the_whole(tmp_path: Path) -> None:
    trace = [
        "File \x1b[32mCell \x1b[39m\x1b[32mIn[3]\x1b[39m, line 1",
        "Cell \x1b[32mIn[3]\x1b[39m\x1b[32m, line 1",
        "Cell In[2], line 4",
        "In[3] in the text stays",
    ]
    error = new_output("error", ename="ValueError", evalue="bad", traceback=trace)
    case = Case(
        tmp_path,
        [
            code("def f(): ...", "functions"),
            code("x", "step:a"),
            code("y", "step:b"),
            code("z"),
            code("w", "step:c"),
        ],
        {"a": (2,), "b": (3, 4), "c": (5,)},
        ran={
            "a": [ran(1, 2, role="definitions"), ran(2, 3, printed("fine"))],
            "b": [ran(1, 2, role="definitions"), ran(3, 3, error), ran(4, None)],
            "c": [ran(5, 9, printed("of an earlier attempt"))],
        },
        statuses={
            "b": StepRecord(
                name="b",
                status=StepStatus.FAILED,
                failure=Failure(step="b", cell=3, line=1, kind="ValueError", message="bad"),
            ),
            "c": StepRecord(name="c", status=StepStatus.SKIPPED),
        },
        status=RunStatus.FAILED,
    )
    node = case.assemble()
    assert texts(node) == [[], ["fine"], ["bad"], [], []]
    assert [cell.execution_count for cell in node.cells] == [1, 2, 3, None, None]
    assert node.cells[2].outputs[0].traceback == [
        "File \x1b[32mCell \x1b[39m\x1b[32mIn[3]\x1b[39m, line 1",
        "Cell \x1b[32mIn[3]\x1b[39m\x1b[32m, line 1",
        "Cell In[1], line 4",
        "In[3] in the text stays",
    ]
    assert node.metadata.papermill.exception is True


def test_a_dead_kernel_is_shown_in_the_cell_that_it_hit(tmp_path: Path) -> None:
    failure = Failure(step="a", cell=1, line=None, kind="KernelDied", message="the kernel ended")
    case = Case(
        tmp_path,
        [code("boom", "step:a")],
        {"a": (1,)},
        ran={"a": [ran(1, None)]},
        statuses={"a": StepRecord(name="a", status=StepStatus.FAILED, failure=failure)},
        status=RunStatus.FAILED,
    )
    (output,) = case.assemble().cells[0].outputs
    assert (output.ename, output.evalue) == ("KernelDied", "the kernel ended")


def test_a_cell_that_setup_runs_shows_what_ran_once(tmp_path: Path) -> None:
    case = Case(
        tmp_path,
        [code("import os\nprint('once')", "imports"), code("x", "step:a"), code("y", "step:b")],
        {"setup": (1,), "a": (2,), "b": (3,)},
        ran={
            "setup": [ran(1, 1, printed("once"))],
            "a": [ran(1, 1, printed("repeated"), role="definitions"), ran(2, 2)],
            "b": [ran(1, 1, printed("repeated"), role="definitions"), ran(3, 2)],
        },
    )
    assert texts(case.assemble()) == [["once"], [], []]


def test_a_reused_step_shows_the_outputs_of_the_run_that_it_comes_from(tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    case.ran["b"] = []
    case.statuses["b"] = StepRecord(name="b", status=StepStatus.REUSED, source="before")
    case.write()
    (tmp_path / "run" / "steps" / "b.ipynb").unlink()
    earlier = tmp_path / "before" / "steps" / "b.ipynb"
    earlier.parent.mkdir(parents=True)
    earlier.write_text(nbformat.writes(new_notebook(cells=[ran(7, 3, printed("earlier"))])))
    path = assemble(tmp_path / "run", case.pipeline())
    assert texts(nbformat.read(path, as_version=4))[6] == ["earlier"]


def test_a_file_edited_while_it_ran_does_not_mix_its_cells_with_other_outputs(tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    case.write()
    (tmp_path / "own.ipynb").write_text(nbformat.writes(new_notebook(cells=[code("something else")])))
    node = nbformat.read(assemble(tmp_path / "run", case.pipeline()), as_version=4)
    assert [cell.source for cell in node.cells] == [cell["source"] for cell in case.cells]
    assert texts(node)[6] == ["b"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"cells": [3], "metadata": {}}', "[" * 100_000])
def test_a_damaged_step_notebook_costs_its_outputs_only(content: str, tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    case.write()
    (tmp_path / "run" / "steps" / "b.ipynb").write_text(content)
    node = nbformat.read(assemble(tmp_path / "run", case.pipeline()), as_version=4)
    assert texts(node) == [[], ["import"], ["1"], [], [], [], []]


def test_after_a_resume_a_step_that_has_not_run_again_lends_no_outputs_to_other_cells(tmp_path: Path) -> None:
    before, now = ran(2, 1, printed("of the cell that was here")), ran(3, 1, printed("b"))
    before["source"], now["source"] = "as it was", "\nline two"
    case = Case(
        tmp_path,
        [new_markdown_cell("moved"), code("new", "step:a"), code("x = 1\nline two", "step:b")],
        {"a": (2,), "b": (3,)},
        ran={"a": [before], "b": [now]},
        resumed=1,
    )
    assert texts(case.assemble()) == [[], [], ["b"]]


def test_a_script_of_jupytext_becomes_a_notebook(tmp_path: Path) -> None:
    script = tmp_path / "own.py"
    script.write_text('# %% [markdown]\n# Title\n\n# %% tags=["step:a"] mine=1\nx = 1\n')
    notebook, report = read_notebook(script)
    step = Step(name="a", cells=(2,))
    pipeline = Pipeline(name="own", notebook=notebook, settings=Settings(), steps=(step,), report=report)
    run = tmp_path / "run" / "steps"
    run.mkdir(parents=True)
    (run / "a.ipynb").write_text(nbformat.writes(new_notebook(cells=[ran(2, 3, printed("out"))])))
    node = nbformat.read(assemble(run.parent, pipeline), as_version=4)
    nbformat.validate(node)
    assert texts(node) == [[], ["out"]]
    assert (node.cells[1].metadata.mine, node.cells[1].execution_count) == (1, 1)


def test_an_old_notebook_without_ids_gets_those_of_the_model(tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    case.write()
    data = json.loads((tmp_path / "own.ipynb").read_text())
    data["nbformat_minor"] = 2
    for cell in data["cells"]:
        del cell["id"]
    (tmp_path / "own.ipynb").write_text(json.dumps(data))
    node = nbformat.read(assemble(tmp_path / "run", case.pipeline()), as_version=4)
    nbformat.validate(node)
    assert [cell.id for cell in node.cells] == [cell["id"] for cell in case.cells]


def test_the_states_of_widgets_of_all_steps_are_kept(tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    case.write()
    for step in ("a", "b"):
        path = tmp_path / "run" / "steps" / f"{step}.ipynb"
        data = json.loads(path.read_text())
        state = {f"id-{step}": {"model_name": "HBoxModel"}}
        data["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state}}
        path.write_text(json.dumps(data))
    node = nbformat.read(assemble(tmp_path / "run", case.pipeline()), as_version=4)
    kept = node.metadata.widgets["application/vnd.jupyter.widget-state+json"]
    assert (sorted(kept.state), kept.version_major) == (["id-a", "id-b"], 2)


def test_half_a_character_is_escaped(tmp_path: Path) -> None:
    case = plain_case(tmp_path)
    case.write()
    halved = new_notebook(cells=[ran(7, 3, new_output("stream", name="stdout", text="Ä?"))])
    text = nbformat.writes(halved).replace("?", "\\ud800")
    (tmp_path / "run" / "steps" / "b.ipynb").write_text(text)
    node = nbformat.read(assemble(tmp_path / "run", case.pipeline()), as_version=4)
    assert texts(node)[6] == ["Ä\ud800"]
