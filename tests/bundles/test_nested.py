"""Parameters of a nested notebook that the notebook around it has too: whichever way the steps of the bundle run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.api import load
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import write

if TYPE_CHECKING:
    from pathlib import Path

INNER = [(["parameters"], "k = 1\nm = 5"), (["step:one"], "product = k * m")]
OUTER = {
    "parameter": [(["parameters"], "k = 2"), (["step:start"], "base = 1")],
    "computed": [(["parameters"], "q = 3\nk = q * 10"), (["step:start"], "base = 1")],
    "variable": [(["step:start"], "base = 1\nk = base + 1")],
}


@pytest.fixture(params=["parameter", "variable"])
def bundle(request: pytest.FixtureRequest, tmp_path: Path, write_notebook: Any) -> Path:
    write_notebook(tmp_path / "inner.ipynb", INNER)
    path = write_notebook(
        tmp_path / "outer.ipynb", [*OUTER[request.param], (["notebook:inner"], ""), (["step:end"], "print(product)")]
    )
    content = json.loads(path.read_text("utf-8"))
    content["cells"][-2]["metadata"]["notebook_path"] = "inner.ipynb"
    path.write_text(json.dumps(content), "utf-8")
    made = tmp_path / "made"
    write(emit(load(path), Wishes(folder=made)), made)
    return made


def run(bundle: Path, module: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=bundle,
        env={**os.environ, "PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def papermill(bundle: Path, step: str) -> None:
    words = ["-p", "nb2pipe_inputs", "left", "-p", "nb2pipe_outputs", "left", "--no-progress-bar"]
    run(bundle, "papermill", f"notebooks/{step}.ipynb", "out.ipynb", *words)


def test_steps_take_from_folders_what_one_process_hands_them(bundle: Path) -> None:
    assert run(bundle, "outer_pipeline") == "10\n"
    (bundle / "left").mkdir()
    for step in ("start", "inner.one", "end"):
        printed = run(bundle, f"outer_pipeline.steps.{step}", "--inputs", "left", "--outputs", "left")
    assert printed == "10\n"


def test_a_value_that_is_given_wins(bundle: Path) -> None:
    run(bundle, "outer_pipeline.steps.start", "--outputs", "left")
    run(bundle, "outer_pipeline.steps.inner.one", "--inputs", "left", "--outputs", "left", "--k", "3")
    assert run(bundle, "outer_pipeline.steps.end", "--inputs", "left") == "15\n"


def test_the_notebook_of_the_step_takes_it_too(bundle: Path) -> None:
    run(bundle, "outer_pipeline.steps.start", "--outputs", "left")
    papermill(bundle, "inner.one")
    assert run(bundle, "outer_pipeline.steps.end", "--inputs", "left") == "10\n"


@pytest.mark.parametrize("bundle", ["computed"], indirect=True)
def test_a_value_that_only_a_step_can_compute_has_to_be_given(bundle: Path) -> None:
    words = [sys.executable, "-m", "outer_pipeline"]
    done = subprocess.run(words, cwd=bundle, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the parameter `k` of the nested notebook cannot be given" in done.stderr
    assert run(bundle, "outer_pipeline", "--k", "4") == "20\n"
