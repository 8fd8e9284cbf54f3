"""Step notebooks of a bundle: plain papermill runs them from folder to folder, with and without nb2pipe installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

import nb2pipe
from nb2pipe.codegen.metric_names import metric_names
from nb2pipe.codegen.model import DefinitionsPlan, PackagePlan
from nb2pipe.codegen.modules.vendor import vendored_files
from nb2pipe.codegen.notebooks.bundle_notebook import notebook_files
from nb2pipe.diagnostics import Report
from nb2pipe.pipeline.schema import StepModule, to_text
from nb2pipe.pipeline.work import make_work

PLAN = PackagePlan(
    name="words_pipeline", title="words", notebook="words.ipynb", definitions=DefinitionsPlan(), report=Report()
)
CELLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("import math\nimport local_words", ("imports",)),
    ("rate = 0.5\nscaled = rate * 10\nsizes = [1, 2]\nword = 'a\\u00e9'\nwhen = math.floor(2.5)", ("parameters",)),
    ("def twice(x):\n    return x * factor", ("functions",)),
    ("import random\nfactor = 2\nrows = [rate, scaled, random.random()]\nalias = rows", ("step:data",)),
    ("1 / 0", ("raises-exception",)),
    ("score = 1\nprint(score)", ("pipeline-metrics",)),
    ("score = 5", ()),
    (
        "%time alias.append(twice(rate))\nkinds = [type(rate).__name__, word, when, sizes, rows is alias]",
        ("step:train", "prev:data"),
    ),
    ("print(local_words.WORD, rows, kinds)", ("step:show",)),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as `convert` writes it, without modules: notebooks do not use them."""
    source = tmp_path_factory.mktemp("source")
    made = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for text, tags in CELLS:
        made.cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": list(tags)}))
    nbformat.write(made, source / "words.ipynb")
    (source / "local_words.py").write_text("WORD = 'local'\n")
    pipeline = nb2pipe.load(str(source / "words.ipynb"))
    folder = tmp_path_factory.mktemp("work") / "bundle"
    modules = {}
    for unit in make_work(pipeline, Path()).units:
        metrics = {one: metric_names(unit.pipeline.notebook.cell(one).python) for one in unit.step.metrics}
        modules[unit.name] = StepModule(module=unit.name, function=unit.name, form="function", metrics=metrics)
    files = {f"words_pipeline/_vendor/{file.path}": file.text for file in vendored_files()}
    files |= {file.path: file.text for file in notebook_files(pipeline, PLAN)}
    files["pipeline.json"] = to_text(pipeline, "words_pipeline", modules)
    files |= {"words_pipeline/__main__.py": "", "local_words.py": "WORD = 'local'\n"}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A Python with all that is installed here, but without nb2pipe."""
    folder = tmp_path_factory.mktemp("site")
    for path in Path(nbformat.__file__).parents[1].iterdir():
        if not path.name.startswith(("nb2pipe", "_nb2pipe", "__editable__", "_editable", "_virtualenv")):
            (folder / path.name).symlink_to(path)
    python = Path(getattr(sys, "_base_executable", sys.executable))
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return python, {**variables, "PYTHONPATH": str(folder)}


def papermill(
    python: tuple[Path, dict[str, str]], folder: Path, notebook: str, *given: str
) -> subprocess.CompletedProcess[str]:
    command = [str(python[0]), "-m", "papermill", "--no-progress-bar", notebook, "out.ipynb", *given]
    return subprocess.run(command, cwd=folder, env=python[1], capture_output=True, text=True, check=False)


def printed(folder: Path) -> str:
    cells = nbformat.read(folder / "out.ipynb", as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", ()))


def step(bundle: Path, name: str) -> Any:
    return nbformat.read(bundle / "notebooks" / f"{name}.ipynb", as_version=4)


def test_a_step_notebook_is_valid_and_the_same_each_time(bundle: Path) -> None:
    for name in ("data", "train", "show"):
        nbformat.validate(step(bundle, name))
        assert [cell.id for cell in step(bundle, name).cells][:2] == ["cell-1", "cell-2"]
    again = nb2pipe.load(str(next(bundle.parents[1].glob("source*/words.ipynb"))))
    texts = {(bundle / file.path).read_text(encoding="utf-8") == file.text for file in notebook_files(again, PLAN)}
    assert texts == {True}


def test_one_cell_is_tagged_parameters_and_has_every_default(bundle: Path) -> None:
    cells = step(bundle, "train").cells
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", ())]
    names: dict[str, Any] = {}
    exec(tagged[0].source, names)
    del names["__builtins__"]
    own = {"nb2pipe_inputs": "", "nb2pipe_outputs": "", "nb2pipe_seed": None, "nb2pipe_bundle": ""}
    assert len(tagged) == 1
    assert names == {**own, "rate": 0.5, "sizes": [1, 2], "word": "aé", "when": ...}
    assert "# unless given: math.floor(2.5)" in tagged[0].source


def test_the_authors_cells_stand_as_they_are(bundle: Path) -> None:
    sources = [cell.source for cell in step(bundle, "train").cells if "cell" in cell.metadata.get("nb2pipe", {})]
    assert sources[-1] == CELLS[7][0]
    assert any(source.startswith("rate = 0.5\n") for source in sources)


def test_plain_papermill_runs_the_steps_where_nb2pipe_is_not_installed(
    bundle: Path, alone: tuple[Path, dict[str, str]]
) -> None:
    python, variables = alone
    without = subprocess.run(
        [python, "-c", "import nb2pipe"], env=variables, check=False, capture_output=True, cwd=bundle
    )
    assert b"No module named 'nb2pipe'" in without.stderr
    folders = ("-p", "nb2pipe_inputs", "../kept", "-p", "nb2pipe_outputs", "../kept", "-p", "nb2pipe_seed", "3")
    first = papermill(alone, bundle, "notebooks/data.ipynb", *folders, "-p", "rate", "2")
    assert first.returncode == 0, first.stderr[-2000:]
    assert "ZeroDivisionError: division by zero" in printed(bundle)
    kept = json.loads((bundle.parent / "kept" / "data.json").read_text())
    assert kept["metrics"] == {"score": 1.0}
    (bundle.parent / "elsewhere").mkdir()
    second = papermill(
        alone,
        bundle.parent / "elsewhere",
        "../bundle/notebooks/train.ipynb",
        "-p",
        "nb2pipe_bundle",
        "../bundle",
        *folders,
        "-p",
        "rate",
        "1",
        "-r",
        "word",
        "3",
        "-p",
        "when",
        "9",
        "-y",
        "{sizes: [7]}",
    )
    assert second.returncode == 0, second.stderr[-2000:]
    third = papermill(alone, bundle.parent, "bundle/notebooks/show.ipynb", "-p", "nb2pipe_inputs", "kept")
    assert third.returncode == 0, third.stderr[-2000:]
    assert printed(bundle.parent) == ("local [2.0, 5.0, 0.23796462709189137, 2.0] ['float', '3', 9, [7], True]\n")


def test_what_is_wrong_is_said_before_the_authors_code_runs(bundle: Path) -> None:
    here = (Path(sys.executable), dict(os.environ))
    for given, message in (
        (("-p", "nb2pipe_inputs", "nowhere"), "there is no folder"),
        (("-p", "word", "3"), "the parameter `word` is of type str, and 3 is not"),
        (("-p", "nb2pipe_bundle", ".."), "the bundle is not here"),
        ((), "the step `train` takes `alias` from the step `data`"),
    ):
        done = papermill(here, bundle, "notebooks/train.ipynb", *given)
        assert done.returncode != 0
        assert message in done.stderr
        assert "rate * 10" not in done.stderr
