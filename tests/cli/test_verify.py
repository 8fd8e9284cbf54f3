"""`nb2pipe verify`, with real kernels and real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import nb2pipe

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str, list[tuple[list[str], str]]], Path]

PROGRAM = (sys.executable, "-m", "nb2pipe")
CASES = Path(__file__).parent.parent / "cases" / "meaning"


def program(*words: object) -> subprocess.CompletedProcess[str]:
    """The program, as a process of its own."""
    return subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, timeout=200)


def found(*words: object) -> tuple[int, dict[str, Any]]:
    """The exit code, and what the last line of `--json` says."""
    done = program("verify", *words, "--json")
    assert done.stdout, done.stderr
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return done.returncode, last


@pytest.fixture
def three(write: Write) -> Path:
    """A notebook of three steps with a parameter."""
    return write(
        "three.ipynb",
        [
            (["parameters"], "lr = 0.5"),
            (["step:load"], "data = [1, 2, 3]"),
            (["step:fit"], "seen = len(data)\ntotal = sum(data) * lr\nprint('fitted')"),
            (["step:tell"], "print(total, seen)"),
        ],
    )


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
@pytest.mark.parametrize(
    "name", ["views_of_an_array", "registries_caches_and_class_counters", "nested_functions_and_callbacks"]
)
def test_a_pipeline_that_computes_the_same_is_identical(name: str, executor: str, folder: Path) -> None:
    path = folder / f"{name}.py"
    path.write_text((CASES / path.name).read_text())
    verification = nb2pipe.verify(path, executor=executor, seed=3)
    assert (verification.status, verification.first_difference) == ("identical", None)
    assert all(step.values + step.cells for step in verification.steps)


def test_identical_is_certified_in_the_folder_of_the_run(three: Path, folder: Path) -> None:
    code, last = found(three, "-p", "lr", 2, "--seed", 7)
    assert (code, last["status"], last["first_difference"]) == (0, "identical", None)
    assert [step["name"] for step in last["steps"]] == ["load", "fit", "tell"]
    certificate = json.loads((folder / ".nb2pipe" / "runs" / last["run"] / "certificate.json").read_text())
    assert (certificate["status"], certificate["seed"], certificate["parameters"]) == ("identical", 7, {"lr": 2.0})
    assert certificate["executor"] == "papermill"
    assert certificate["notebook"]["digest"] == str(nb2pipe.load(three).notebook.digest)
    assert {"load": ["data"], "fit": ["data", "seen", "total"]}.items() <= {
        step: sorted(values) for step, values in certificate["values"].items()
    }.items()
    assert certificate["environment"]["packages"]["click"]


@pytest.fixture
def converted(three: Path) -> Path:
    """The folder that the notebook was converted to, with a module that somebody edited since."""
    assert program("convert", three).returncode == 0
    module = three.parent / "three_pipeline" / "three_pipeline" / "steps" / "fit.py"
    text = module.read_text()
    assert "total = sum(data) * lr" in text
    module.write_text(text.replace("total = sum(data) * lr", "total = sum(data) * lr + 1"))
    return three.parent / "three_pipeline"


def test_an_edited_module_is_a_difference_with_step_cell_variable_and_both_values(converted: Path, three: Path) -> None:
    for words in ([converted], [three, "--package", converted]):
        code, last = found(*words)
        assert (code, last["status"]) == (9, "different")
        first = last["first_difference"]
        assert (first["step"], first["cell"], first["line"], first["name"]) == ("fit", 3, 2, "total")
        assert (first["straight"], first["pipeline"]) == ("3.0", "4.0")
        assert [step["status"] for step in last["steps"]] == ["identical", "different", "different"]
    told = program("verify", converted)
    assert told.returncode == 9
    assert "first difference: step `fit`, cell 3, line 2, variable `total`" in told.stdout
    assert "straight: 3.0\n  pipeline: 4.0" in told.stdout
    assert not list(three.parent.glob(".nb2pipe/runs/*/certificate.json"))


def test_a_difference_within_a_large_value_is_told_with_its_place(write: Write) -> None:
    notebook = write(
        "net.ipynb",
        [
            (["step:make"], "import torch\nnet = torch.nn.Linear(3, 2)\nstate = {'a': [1, net]}"),
            (["step:set"], "net.weight.data[0, 2] = 0.5\nprint('one')"),
            (["step:use"], "print(len(state), net.bias.shape)"),
        ],
    )
    assert program("convert", notebook).returncode == 0
    module = notebook.parent / "net_pipeline" / "net_pipeline" / "steps" / "set.py"
    module.write_text(module.read_text().replace("= 0.5", "= 0.25"))
    told = program("verify", notebook.parent / "net_pipeline")
    assert told.returncode == 9
    assert "step `set`, cell 2, line 1, variable `net`, at net.weight[0, 2]" in told.stdout
    assert "straight: 0.5\n  pipeline: 0.25" in told.stdout


def test_objects_whose_class_is_defined_again_since_are_no_difference(write: Write) -> None:
    path = write(
        "again.ipynb",
        [
            (["step:a"], "class Net:\n    def run(self): return 1\nold, f = Net(), lambda: 3"),
            (["step:b"], "class Net:\n    def run(self): return 2\nnew = Net()\ndef g(): return 1\nh = g"),
            (["step:c"], "def g(): return 2\nk = g()"),
            (["step:d"], "print(old.run(), new.run(), type(old) is type(new), f(), g(), h())"),
        ],
    )
    code, last = found(path, "--executor", "subprocess")
    assert (code, last["status"]) == (0, "identical")


def test_a_step_that_only_the_modules_fail_in_is_a_difference(converted: Path) -> None:
    module = converted / "three_pipeline" / "steps" / "fit.py"
    module.write_text(module.read_text().replace("* lr + 1", "/ 0"))
    code, last = found(converted)
    assert (code, last["status"], last["first_difference"]["step"]) == (9, "different", "fit")
    assert last["first_difference"]["straight"] == "no error"
    assert last["first_difference"]["pipeline"] == "ZeroDivisionError: division by zero"


def test_what_differs_between_two_straight_runs_is_undetermined(write: Write) -> None:
    path = write("clock.ipynb", [(["step:a"], "import time\nnow = time.time()"), (["step:b"], "print(now)")])
    code, last = found(path)
    assert (code, last["status"]) == (0, "undetermined")
    assert (last["first_difference"]["step"], last["first_difference"]["name"]) == ("a", "now")


def test_what_a_notebook_can_make_only_once_is_undetermined(write: Write) -> None:
    path = write("once.ipynb", [(["step:a"], "import os\nos.mkdir('made')"), (["step:b"], "print(1)")])
    code, last = found(path)
    assert (code, last["status"]) == (0, "undetermined")


def test_a_difference_is_found_behind_one_that_is_undetermined(three: Path, converted: Path) -> None:
    module = converted / "three_pipeline" / "steps" / "load.py"
    module.write_text(module.read_text().replace("data = [1, 2, 3]", "print('new')\n    data = [1, 2, 3]"))
    code, last = found(three, "--package", converted)
    assert (code, last["first_difference"]["step"], last["first_difference"]["what"]) == (9, "load", "output")
    assert (last["first_difference"]["straight"], last["first_difference"]["pipeline"]) == ("(nothing)", "new")


def test_a_step_that_fails_on_both_sides_ends_with_five(write: Write) -> None:
    path = write("bad.ipynb", [(["step:a"], "x = 1"), (["step:b"], "y = 2\nx / 0"), (["step:c"], "print(y)")])
    done = program("verify", path, "--json")
    assert done.returncode == 5
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "step `b` fails, straight and as a pipeline" in done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["status"], last["first_difference"]) == ("failed", None)
    assert [(step["name"], step["status"]) for step in last["steps"]] == [("a", "identical"), ("b", "failed")]


def test_gates_are_not_applied(write: Write) -> None:
    path = write(
        "gate.ipynb",
        [
            (["step:a"], "accuracy = 0.1"),
            (["pipeline-metrics", "gate:accuracy > 0.9"], "print(accuracy)"),
            (["step:b"], "more = accuracy + 1\nprint(more)"),
        ],
    )
    code, last = found(path)
    assert (code, last["status"]) == (0, "identical")
    assert last["steps"][1] == {"name": "b", "status": "identical", "values": 2, "cells": 1, "not_compared": {}}


def test_nested_notebooks_stand_in_the_place_of_the_cell_that_names_them(write: Write, folder: Path) -> None:
    write("inner.ipynb", [(["parameters"], "rate = 1"), (["step:clean"], "rows = [rate * n for n in base]")])
    path = write(
        "outer.ipynb",
        [(["parameters"], "rate = 3"), (["step:begin"], "base = [1, 2]"), ([], ""), (["step:end"], "print(rows)")],
    )
    content = json.loads(path.read_text())
    content["cells"][2]["metadata"] = {"tags": ["notebook:inside"], "notebook_path": "inner.ipynb"}
    path.write_text(json.dumps(content))
    code, last = found(path, "-p", "rate", 5)
    assert (code, last["status"]) == (0, "identical"), last
    assert [step["name"] for step in last["steps"]] == ["begin", "inside/clean", "end"]
    (certificate,) = folder.glob(".nb2pipe/runs/*/certificate.json")
    assert "rows" in json.loads(certificate.read_text())["values"]["inside/clean"]


def test_what_no_later_step_takes_is_said_not_to_be_compared(write: Write) -> None:
    path = write("gen.ipynb", [(["step:a"], "x = 1\ng = (n for n in range(3))"), (["step:b"], "print(x)")])
    _, last = found(path)
    assert last["status"] == "identical"
    assert list(last["steps"][0]["not_compared"]) == ["g"]


def test_secrets_are_not_told(write: Write) -> None:
    path = write(
        "secret.ipynb", [(["step:a"], "import time\napi_token = str(time.time_ns())"), (["step:b"], "len(api_token)")]
    )
    _, last = found(path)
    assert (last["first_difference"]["straight"], last["first_difference"]["pipeline"]) == ("********", "********")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["three.ipynb", "--executor", "airflow"], "`verify` knows no executor `airflow`"),
        (["three.ipynb", "-p", "rate", "1"], "lr"),
        (["three.ipynb", "--package", "nowhere"], "nowhere is no folder"),
        (["missing.ipynb"], "there is no notebook missing.ipynb"),
        (["three.ipynb", "--package", "three_pipeline"], "was made from another state of three.ipynb"),
        (["three_pipeline", "--package", "three_pipeline"], "is a folder already"),
        (["three_pipeline", "--executor", "papermill"], "runs notebooks, not the modules"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(words: list[str], said: str, three: Path, folder: Path) -> None:
    if "three_pipeline" in words:
        assert program("convert", three).returncode == 0
        if words[0] == "three.ipynb":
            three.write_text(three.read_text().replace("fitted", "changed"))
    done = program("verify", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (folder / ".nb2pipe" / "runs").is_dir()
