"""Gates where each step is a process of its own: what a step left says whether the ones below it run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import nb2pipe
from nb2pipe.bundles.write import write

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """
# %% tags=["parameters"]
score = 0.5

# %% tags=["step:measure"]
accuracy = score

# %% tags=["pipeline-metrics"]
print(accuracy)

# %% tags=["step:decide", "prev:measure", "gate:accuracy > 0.4"]
decided = accuracy

# %% tags=["step:use"]
used = decided + 1

# %% tags=["step:after", "prev:use"]
print("after", used)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gates")
    (folder / "n.py").write_text(dedent(NOTEBOOK))
    write(nb2pipe.emit(nb2pipe.load(folder / "n.py")), folder / "bundle")
    return folder / "bundle"


def run_step(bundle: Path, values: Path, step: str, *more: str) -> subprocess.CompletedProcess[str]:
    folders = ["--inputs", str(values)] if values.exists() else []
    return subprocess.run(
        [sys.executable, "-m", f"n_pipeline.steps.{step}", *folders, "--outputs", str(values), *more],
        cwd=bundle,
        env={**os.environ, "PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("score", "runs"), [("0.5", True), ("0.1", False)])
def test_a_gate_on_what_another_step_measured_decides(score: str, *, runs: bool, bundle: Path, tmp_path: Path) -> None:
    values = tmp_path / "values"
    assert run_step(bundle, values, "measure", "--score", score).returncode == 0
    assert run_step(bundle, values, "decide").returncode == 0
    assert json.loads((values / "decide.json").read_text())["gate"] is runs
    for step in ("use", "after"):
        done = run_step(bundle, values, step, "--gated")
        assert done.returncode == 0, done.stderr
        assert ("the gate of `decide` does not hold" in done.stderr) is not runs
        assert ("skipped" in json.loads((values / f"{step}.json").read_text())) is not runs
    assert ("after" in done.stdout) is runs


def test_what_says_whether_a_gate_holds_has_to_be_there(bundle: Path, tmp_path: Path) -> None:
    done = run_step(bundle, tmp_path / "values", "use", "--gated")
    assert done.returncode == 2
    assert "the gate of the step `decide` is to hold; what it left is not there" in done.stderr


def test_a_gate_without_its_metric_is_an_error_only_for_who_asks(bundle: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run_step(bundle, first, "measure").returncode == 0
    (first / "measure.json").write_text((first / "measure.json").read_text().replace('"accuracy": 0.5', '"other": 1'))
    done = run_step(bundle, first, "decide", "--outputs", str(second))
    assert done.returncode == 0, done.stderr
    asked = run_step(bundle, second, "use", "--gated")
    assert asked.returncode == 5
    assert "asks for a metric that it did not get" in asked.stderr
