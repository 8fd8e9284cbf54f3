"""The Python interface, with real runs of small notebooks."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import nb2pipe
from nb2pipe import api
from nb2pipe.errors import NotebookError, RecordsError, UsageError
from nb2pipe.execution.options import RunOptions
from nb2pipe.records.events import Failure, MetricLogged, RunStarted, RunStatus, StepStatus
from nb2pipe.records.files import RunRecord, StepRecord, read_run, write_run
from nb2pipe.records.index import list_runs
from nb2pipe.records.recorder import Recorder

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
FIRST = [
    new_markdown_cell("# A small notebook"),
    new_code_cell("import math", metadata={"tags": ["imports"]}),
    new_code_cell("lr = 0.5\nhf_token = 'none'", metadata={"tags": ["parameters"]}),
    new_code_cell("class Net:\n    def __init__(self, w):\n        self.w = w", metadata={"tags": ["functions"]}),
    new_code_cell("net = Net(math.floor(lr * 10))\nprint('w is', net.w)", metadata={"tags": ["step:make"]}),
    new_code_cell("net.w += 1\nname = hf_token[:1]\nnet.w", metadata={"tags": ["step:train"]}),
    new_code_cell("accuracy = net.w / 10", metadata={"tags": ["pipeline-metrics"]}),
]


def write(path: Path, cells: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(new_notebook(cells=cells, metadata=KERNEL)))
    return path


def code(source: str, *tags: str) -> Any:
    return new_code_cell(source, metadata={"tags": list(tags)})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a notebook that ran twice: with `lr` 0.5 and 0.9."""
    folder = tmp_path_factory.mktemp("project")
    path = write(folder / "first.ipynb", FIRST)
    assert nb2pipe.run(path, home=folder / ".nb2pipe", name="base").status == "succeeded"
    again = nb2pipe.run(nb2pipe.load(path), lr=0.9, parameters={"hf_token": "hunter2"}, home=folder / ".nb2pipe")
    assert again.status == "succeeded"
    return folder


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    return project


def test_a_run_tells_what_came_of_it(here: Path) -> None:
    result = nb2pipe.open_run("latest")
    assert (result.status, result.metrics, result.error) == (RunStatus.SUCCEEDED, {"accuracy": 1.0}, None)
    assert [(step.name, step.status) for step in result.steps] == [
        ("make", StepStatus.RAN),
        ("train", StepStatus.RAN),
    ]
    assert result.parameters["lr"] == 0.9
    assert result.notebook == here / ".nb2pipe" / "runs" / result.run / "notebook.ipynb"


def test_the_executed_notebook_has_the_outputs_of_the_run(here: Path) -> None:
    assert here.is_dir()
    node = nbformat.read(nb2pipe.open_run("latest").notebook, as_version=4)
    nbformat.validate(node)
    outputs = [
        "".join(str(each.get("text") or each.data["text/plain"]) for each in cell.get("outputs", []))
        for cell in node.cells
    ]
    assert outputs == ["", "", "", "", "", "w is 9\n", "10", ""]
    assert [cell.get("execution_count") for cell in node.cells] == [None, 1, 2, 3, 4, 5, 6, 7]
    assert node.cells[3].source == "# Parameters\nlr = 0.9\nhf_token = '********'"


def test_in_a_terminal_a_pipeline_and_a_run_are_one_short_line(here: Path) -> None:
    assert here.is_dir()
    run = nb2pipe.open_run("latest")
    assert repr(run) == f"<Run {run.run} of {run.record.pipeline!r}: succeeded>"
    pipeline = nb2pipe.load(run.record.notebook)
    names = ", ".join(step.name for step in pipeline.steps)
    assert repr(pipeline) == f"<Pipeline {pipeline.name!r}, steps: {names}>"


def test_a_secret_is_not_in_the_record(here: Path) -> None:
    run = nb2pipe.open_run("latest")
    assert run.parameters["hf_token"] == "********"
    assert "hunter2" not in (run.folder / "run.json").read_text()
    assert b"hunter2" not in (here / ".nb2pipe" / "records.db").read_bytes()


def test_a_value_is_the_last_version_with_its_class(here: Path) -> None:
    assert here.is_dir()
    run = nb2pipe.open_run("latest")
    net = run.value("net")
    assert (type(net).__name__, net.w) == ("Net", 10)
    assert run.value("net", step="make").w == 9
    assert run.value("net") is not net


def test_a_value_that_no_step_left_is_an_error_with_a_suggestion(here: Path) -> None:
    assert here.is_dir()
    with pytest.raises(UsageError, match="no variable `nett`") as caught:
        nb2pipe.open_run("latest").value("nett")
    assert caught.value.hint == "did you mean `net`?"


def test_runs_are_a_table_newest_first(here: Path) -> None:
    assert here.is_dir()
    frame = nb2pipe.runs()
    assert list(frame.columns[:5]) == ["run", "name", "status", "start", "seconds"]
    assert frame["parameters.lr"].tolist() == [0.9, 0.5]
    assert frame["metrics.accuracy"].tolist() == [1.0, 0.6]
    assert frame["name"].tolist()[1] == "base"
    assert frame["start"].is_monotonic_decreasing


def test_a_past_run_is_found_by_age_and_by_name(here: Path) -> None:
    assert here.is_dir()
    assert nb2pipe.open_run("latest~1").run == nb2pipe.open_run("base").run
    assert nb2pipe.open_run("latest~1").parameters["lr"] == 0.5
    with pytest.raises(RecordsError):
        nb2pipe.open_run("nope")


def test_without_runs_the_table_is_empty(tmp_path: Path) -> None:
    frame = nb2pipe.runs(home=tmp_path)
    assert len(frame) == 0
    assert list(frame.columns) == ["run", "name", "status", "start", "seconds"]


def test_the_points_of_a_series_are_a_column_of_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "1"
    recorder = Recorder(folder)
    recorder.handle(
        RunStarted(
            run="1", pipeline="p", notebook=str(tmp_path / "p.ipynb"), notebook_digest="", steps=("a",), time=1.0
        )
    )
    for index, value in enumerate((0.5, float("inf"))):
        recorder.handle(MetricLogged(step="a", name="loss", value=value, time=2.0, index=index))
    recorder.close()
    series = nb2pipe.open_run("1", home=tmp_path).series("loss")
    assert series.to_dict() == {0: 0.5, 1: float("inf")}
    with pytest.raises(UsageError, match="no series `los`"):
        nb2pipe.open_run("1", home=tmp_path).series("los")


def test_all_diagnostics_stand_in_the_error(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bad.ipynb", [code("x = 1", "step:a", "prev:nowhere"), code("y = x", "step:b", "prev:gone")]
    )
    with pytest.raises(NotebookError, match="2 errors") as caught:
        nb2pipe.load(path)
    assert "nowhere" in str(caught.value)
    assert "gone" in str(caught.value)
    assert caught.value.report is not None
    assert len(caught.value.report.errors) == 2


def test_a_traceback_in_a_script_shows_the_hint(tmp_path: Path) -> None:
    pipeline = nb2pipe.load(write(tmp_path / "own.ipynb", [code("rate = 1", "parameters"), code("print(rate)")]))
    with pytest.raises(UsageError) as caught:
        nb2pipe.run(pipeline, rat=2)
    assert traceback.format_exception(caught.value)[-1] == "hint: did you mean `rate`?\n"


def test_a_missing_notebook_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        nb2pipe.load(tmp_path / "none.ipynb")


def test_a_step_that_fails_is_a_result_and_resume_goes_on(tmp_path: Path) -> None:
    cells = [code("flag = 1", "step:a"), code("ok = flag\n1 / 0", "step:b")]
    path = write(tmp_path / "own.ipynb", cells)
    home = tmp_path / "home"
    result = nb2pipe.run(path, home=home)
    assert result.status == "failed"
    assert result.error is not None
    assert (result.error.step, result.error.cell, result.error.line, result.error.kind) == (
        "b",
        2,
        2,
        "ZeroDivisionError",
    )
    node = nbformat.read(result.notebook, as_version=4)
    assert [output.output_type for output in node.cells[1].outputs] == ["error"]

    write(path, [cells[0], code("ok = flag\n1 / 1", "step:b")])
    end = api.resume("latest", RunOptions(home=home))
    assert (end.run, end.status) == (result.run, RunStatus.SUCCEEDED)
    run = nb2pipe.open_run("latest", home=home)
    assert (run.record.resumed, run.error, run.value("ok")) == (1, None, 1)
    assert [row.status for row in list_runs(home)] == [RunStatus.SUCCEEDED]


def test_resume_with_parameters_is_a_new_run_with_all_else_as_it_was(tmp_path: Path) -> None:
    path = write(
        tmp_path / "own.ipynb", [code("a = 1\nb = 2\napi_key = ''", "parameters"), code("c = a, b, api_key", "step:s")]
    )
    home = tmp_path / "home"
    first = nb2pipe.run(path, a=10, api_key="k", home=home, seed=7)
    with pytest.raises(UsageError, match="does not keep the value of `api_key`"):
        api.resume("latest", RunOptions(home=home, parameters={"b": 20}))
    end = api.resume("latest", RunOptions(home=home, parameters={"b": 20, "api_key": "k"}))
    assert end.run != first.run
    second = nb2pipe.open_run("latest", home=home)
    assert (second.run, second.value("c"), second.record.seed) == (end.run, (10, 20, "k"), 7)


def test_a_parameter_with_the_name_of_an_option_is_given_through_parameters(tmp_path: Path) -> None:
    path = write(tmp_path / "own.ipynb", [code("seed = 1", "parameters"), code("x = seed", "step:s")])
    with pytest.raises(UsageError, match="an option of `run`, and a parameter"):
        nb2pipe.run(path, seed=3, home=tmp_path / "home")
    result = nb2pipe.run(path, parameters={"seed": 3}, seed=5, home=tmp_path / "home")
    assert (result.value("x"), result.record.seed) == (3, 5)


@pytest.mark.parametrize(
    ("given", "hint"),
    [({"lrr": 1.0}, "did you mean `lr`?"), ({"executer": "x"}, "did you mean `executor`?")],
)
def test_an_unknown_name_is_an_error_before_anything_runs(given: dict[str, Any], hint: str, tmp_path: Path) -> None:
    path = write(tmp_path / "own.ipynb", FIRST)
    with pytest.raises(UsageError) as caught:
        nb2pipe.run(path, home=tmp_path / "home", **given)
    assert caught.value.hint == hint
    assert not (tmp_path / "home" / "runs").exists()


def test_a_parameter_given_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="given twice"):
        nb2pipe.run(write(tmp_path / "own.ipynb", FIRST), parameters={"lr": 1.0}, lr=2.0)


def test_an_unknown_executor_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no executor named `papermil`"):
        nb2pipe.run(write(tmp_path / "own.ipynb", FIRST), executor="papermil", home=tmp_path / "home")


def test_a_step_that_wants_a_report_has_a_page(tmp_path: Path) -> None:
    path = write(tmp_path / "own.ipynb", [code("print('shown')", "step:a", "report:enabled"), code("1", "step:b")])
    result = nb2pipe.run(path, home=tmp_path / "home")
    page = (result.folder / "steps" / "a.html").read_text()
    assert "shown" in page
    assert "nb2pipe.runtime" not in page
    assert not (result.folder / "steps" / "b.html").exists()


def test_a_value_brings_the_modules_beside_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "beside_the_api_test.py").write_text("class Thing:\n    size = 3\n")
    path = write(tmp_path / "own.ipynb", [code("import beside_the_api_test as m\nthing = m.Thing()", "step:a")])
    result = nb2pipe.run(path, home=tmp_path / "home")
    before = list(sys.path)
    assert result.value("thing").size == 3
    assert sys.path == before


def test_a_run_works_where_an_event_loop_runs(tmp_path: Path) -> None:
    path = write(tmp_path / "own.ipynb", [code("x = 2", "step:a")])

    async def main() -> nb2pipe.RunResult:
        return nb2pipe.run(path, home=tmp_path / "home")

    assert asyncio.run(main()).value("x") == 2


def test_in_a_jupyter_kernel_a_run_works_and_shows_itself(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    write(tmp_path / "own.ipynb", FIRST)
    node = new_notebook(
        cells=[
            new_code_cell("import nb2pipe\npipeline = nb2pipe.load('own.ipynb')\npipeline"),
            new_code_cell("result = nb2pipe.run(pipeline, lr=0.2)\nresult"),
            new_code_cell("print(result.value('net').w, type(result.value('net')).__name__)"),
        ],
        metadata=KERNEL,
    )
    NotebookClient(node, resources={"metadata": {"path": str(tmp_path)}}, timeout=120).execute()
    assert "<svg" in node.cells[0].outputs[0].data["text/html"]
    assert "<td>train</td>" in node.cells[1].outputs[-1].data["text/html"]
    assert node.cells[2].outputs[0].text == "3 Net\n"


def test_the_display_of_a_run_escapes_every_text(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    record = RunRecord(
        run=evil,
        status=RunStatus.FAILED,
        pipeline=evil,
        notebook=evil,
        notebook_digest="",
        name=evil,
        metrics={evil: float("nan")},
        steps=(StepRecord(name=evil, status=StepStatus.FAILED, seconds=1.0),),
        failure=Failure(step=evil, cell=1, line=1, kind=evil, message=evil),
    )
    shown = api.Run(record=record, folder=tmp_path)._repr_html_()
    assert "<img" not in shown
    assert shown.count("&lt;img") == 6


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = "import sys, nb2pipe, json; nb2pipe.run; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(Path(nb2pipe.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=environment)
    heavy = {"pandas", "numpy", "nbformat", "papermill", "nbconvert", "jupytext", "rich", "IPython", "torch", "jinja2"}
    assert not heavy & set(json.loads(done.stdout))


def test_what_fails_beside_the_run_is_told_and_the_run_stands(tmp_path: Path) -> None:
    path = write(tmp_path / "own.ipynb", [code("x = 1", "step:a")])
    home = tmp_path / "home"
    nb2pipe.run(path, home=home)
    (home / "records.db").unlink()
    (home / "records.db").mkdir()
    told: list[Any] = []
    result = nb2pipe.run(path, home=home, listeners=[told.append])
    assert result.status == "succeeded"
    assert [event.code for event in told if hasattr(event, "code")] == ["NB691"]
    assert len(list_runs(home)) == 2


def test_a_run_that_was_killed_is_resumed(tmp_path: Path) -> None:
    path = write(tmp_path / "own.ipynb", [code("x = 1", "step:a"), code("y = x", "step:b")])
    home = tmp_path / "home"
    result = nb2pipe.run(path, home=home)
    folder = result.folder
    record = read_run(folder)
    assert record.process is not None
    gone = replace(record.process, birth="another boot:1")
    write_run(folder, replace(record, status=RunStatus.RUNNING, process=gone))
    (folder / "steps" / "b.json").unlink()
    assert nb2pipe.open_run("latest", home=home).status == "interrupted"
    assert api.resume("latest", RunOptions(home=home)).status is RunStatus.SUCCEEDED
