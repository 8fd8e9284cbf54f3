"""A dozen kills at random moments; `make crash` makes hundreds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from crashes import Trial, undisturbed

TRIALS = {
    ("small", "papermill"): (6, 10, 37),
    ("small", "subprocess"): (17,),
    ("torch", "papermill"): (7,),
    ("training-2", "papermill"): (1, 8),
}
"""Trials of two or three kills each: of nb2pipe, a kernel, the parent, its guard, or everything first."""


@pytest.mark.parametrize("kind", TRIALS, ids="-".join)
def test_a_killed_run_is_whole_and_goes_on_to_the_values_of_an_undisturbed_one(
    kind: tuple[str, str], tmp_path: Path
) -> None:
    expected, seconds = undisturbed(tmp_path / "undisturbed", *kind)
    for number in TRIALS[kind]:
        trial = Trial(
            number=number, notebook=kind[0], executor=kind[1], folder=tmp_path / str(number), jobs=number % 3 + 1
        )
        trial.conduct(expected, seconds)


def test_a_killed_training_goes_on_to_the_same_weights() -> None:
    program = Path(__file__).parent / "trainings.py"
    done = subprocess.run(
        [sys.executable, str(program), "12"], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["kills"] >= 12
    assert told["went_on"] >= 2
