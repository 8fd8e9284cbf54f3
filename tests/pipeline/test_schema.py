"""`pipeline.json`: written, read back to an equal pipeline, and refused clearly where it is damaged."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from nb2pipe.diagnostics import Report
from nb2pipe.errors import NotebookError
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.pipeline.schema import StepModule, to_json, to_text
from nb2pipe.pipeline.schema_reader import read_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.model import Pipeline

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted([*(ROOT / "example_notebooks").glob("*.ipynb"), *(ROOT / "tests/cases/meaning").glob("*.py")])


def bare(pipeline: Pipeline) -> Pipeline:
    """The pipeline without what is not kept."""
    steps = tuple(replace(step, nested=bare(step.nested)) if step.nested else step for step in pipeline.steps)
    return replace(pipeline, steps=steps, dataflow=None, report=Report())


def again(pipeline: Pipeline) -> Pipeline:
    text = to_text(pipeline, "p_pipeline", {})
    return read_pipeline(text.encode(), Path("DIR/pipeline.json"), Path(pipeline.notebook.path).parent).pipeline


def write(path: Path, *cells: tuple[str, str] | tuple[str, str, str], **metadata: Any) -> Path:
    """A notebook of cells: tags, source, and where one is nested its path."""
    made = []
    for tags, source, *nested in cells:
        more = {"notebook_path": nested[0]} if nested else {}
        made.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags.split("|") if tags else [], **more}))
    notebook = nbformat.v4.new_notebook(cells=made, metadata=metadata)
    path.parent.mkdir(exist_ok=True, parents=True)
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_pipeline_is_read_back_equal(path: Path) -> None:
    pipeline = compile_notebook(path)
    assert again(pipeline) == bare(pipeline)


@pytest.fixture
def rich(tmp_path: Path) -> Pipeline:
    """A pipeline that uses everything, with notebooks nested two deep."""
    write(
        tmp_path / "in" / "deep.ipynb",
        ("parameters", "k = 1"),
        ("step:z", "w = v + k\nprint(w)"),
    )
    write(
        tmp_path / "in" / "clean.ipynb",
        ("parameters", "lr = 0.5"),
        ("step:a|retry:1", "v = u * lr"),
        ("notebook:deepest", "", "deep.ipynb"),
        ("step:b", "print(v)"),
    )
    defaults = [
        "limit:memory:4Gi",
        "secret:db:password:DB_PASSWORD",
        "timeout:1.5h",
        "cache:disabled",
        "report:enabled",
    ]
    ours = {"name": "Größe \u2028", "description": "a\nb", "owner": "me", "schedule": "0 6 * * 1", "defaults": defaults}
    path = write(
        tmp_path / "n.ipynb",
        ("imports", "import random; import math\nrandom.seed(1)\nLIMIT = 3"),
        ("parameters", "lr = 0.1\nshape = (1, float('nan'))\ntop = 1e999\nnames = {1: {'a'}, 'b': b'x'}\nt = (1, 2)"),
        ("functions", "def f(x):\n    return math.floor(x)\n"),
        ("step:load|label:team:a:b|annotation:x/y:https://h:80/x|image:python:3.12", "u = f(lr) + random.random()"),
        ("notebook:clean|retry:3|timeout:2m", "", "in/clean.ipynb"),
        ("step:fit|prev:clean|gate:acc >= 0.5 and 'my loss' < 1", "acc = w + LIMIT\nlen(names); top; t; shape"),
        ("pipeline-metrics|raises-exception", "print(acc)\nprint(1 / 0)"),
        ("step:publish|papermill_description=Sends it", "print(acc)"),
        nb2pipe=ours,
        kernelspec={"name": "mine", "display_name": "m", "language": "python"},
    )
    pipeline = compile_notebook(path)
    assert not pipeline.report.errors, pipeline.report.errors
    return pipeline


def test_everything_that_a_notebook_can_say_is_read_back(rich: Pipeline) -> None:
    assert again(rich) == bare(rich)


def test_steps_stand_flat_with_their_order_and_modules(rich: Pipeline) -> None:
    modules = {"clean/a": StepModule(module="clean.a", function="a", form="function", metrics={7: ("acc",)})}
    data: Any = to_json(rich, "n_pipeline", modules)
    steps = {step["name"]: step for step in data["steps"]}
    assert list(steps) == ["setup", "load", "clean/a", "clean/deepest/z", "clean/b", "fit", "publish"]
    assert steps["clean/a"]["after"] == ["load"]
    assert set(steps["fit"]["after"]) >= {"clean/a", "clean/deepest/z", "clean/b"}
    assert (steps["clean/a"]["notebook"], steps["load"]["notebook"]) == ("clean.ipynb", None)
    assert (steps["clean/a"]["retry"], steps["clean/b"]["retry"], steps["clean/b"]["own"]["retry"]) == (1, 3, 0)
    assert steps["clean/a"]["module"] == "clean.a"
    assert steps["clean/a"]["metrics"] == {"7": ["acc"]}
    assert data["notebook"]["path"] == "n.ipynb"
    read = read_pipeline(json.dumps(data).encode(), Path("p"), Path())
    assert (read.package, read.modules) == ("n_pipeline", {"clean/a": "clean.a"})
    assert read.pipeline.notebook.nested["in/clean.ipynb"].path == str(Path("in/clean.ipynb"))


def test_the_text_is_the_same_each_time_and_names_no_folder_of_this_machine(rich: Pipeline) -> None:
    text = to_text(rich, "p", {})
    assert text == to_text(again(rich), "p", {})
    assert str(Path(rich.notebook.path).parent) not in text
    assert text.isascii()
    assert json.loads(text) == to_json(rich, "p", {})


def refusal(data: object, folder: Path = Path()) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    with pytest.raises(NotebookError) as caught:
        read_pipeline(raw, Path("DIR/pipeline.json"), folder)
    assert caught.value.hint
    return caught.value.message


def test_a_damaged_file_is_refused_with_the_place(rich: Pipeline) -> None:
    data: Any = to_json(rich, "p", {})
    assert refusal(b"").startswith("DIR/pipeline.json is broken JSON: line 1")
    assert "UTF-8" in refusal(b'{"a": "\xff"}')
    assert "nested too deeply" in refusal(b"[" * 200_000)
    assert refusal([]) == "DIR/pipeline.json is damaged: the whole is no object"
    assert refusal({}) == "DIR/pipeline.json is damaged: the whole has no `schema`"
    newer = refusal({**data, "schema": 99})
    assert newer == "a newer nb2pipe wrote DIR/pipeline.json (schema 99; this one reads up to 1)"
    changes: dict[str, tuple[Any, ...]] = {
        "`steps[1].cells[0]` is not between 1 and 8": ("steps", 1, "cells", [9]),
        "`steps[1].name` is no name of a step": ("steps", 1, "name", "../../x"),
        "`steps[1].inputs[0].name` is no name that Python knows": ("steps", 1, "inputs", [{"name": "a b"}]),
        "`steps[1].gate`": ("steps", 1, "gate", 3),
        "`edges[0].source` names `nobody`": ("edges", 0, "source", "nobody"),
        "`package` is no name that Python knows": ("package", "../x"),
        "`notebook.path` is no name of a file": ("notebook", "path", "../n.ipynb"),
        "`notebook.cells[0].kind` is none of code": ("notebook", "cells", 0, "kind", "shell"),
        "`notebook.digest` is no SHA-256": ("notebook", "digest", "x"),
        "`../in.ipynb` lies outside the notebook's folder": ("notebook", "nested", {"../in.ipynb": {}}),
        "`notebook` does not hold the notebook": ("notebook", "nested", {}),
        "`parameters[0].name` is no name that Python knows": ("parameters", 0, "name", "import"),
        "`pipelines.clean` is no nested notebook": ("pipelines", "clean", "step", "cells", [1]),
    }
    for expected, (*way, key, value) in changes.items():
        changed = copy.deepcopy(data)
        place = changed
        for each in way:
            place = place[each]
        place[key] = value
        assert expected in refusal(changed), expected


def test_a_block_cannot_name_lines_without_end(rich: Pipeline) -> None:
    data: Any = to_json(rich, "p", {})
    (step,) = (step for step in data["steps"] if step["name"] == "fit")
    block = next(block for block in step["blocks"] if "lines" in block)
    block["lines"] = [[1, 10**12]]
    assert "is not between 1 and" in refusal(data)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if way:
        yield way
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*way, key))


WRONG = (None, 3, -1.5, "x\0", [], {}, [[1]], {"$python": "set", "value": [[1]]}, os)
"""Values that a field may hold instead of its own; `os` stands for no field at all."""


def test_whatever_stands_in_a_file_it_is_read_or_refused(rich: Pipeline) -> None:
    data: Any = to_json(rich, "p", {})
    text = json.dumps(data)
    hints = set()
    for number, way in enumerate(places(data)):
        changed = json.loads(text)
        *before, last = way
        place = changed
        for each in before:
            place = place[each]
        value = WRONG[number % len(WRONG)]
        if value is os:
            del place[last]
        else:
            place[last] = value
        try:
            read_pipeline(json.dumps(changed).encode(), Path("p"), Path())
        except NotebookError as error:
            hints.add(error.hint)
    assert hints == {"convert the notebook again: nb2pipe convert NOTEBOOK -o DIR --force"}
