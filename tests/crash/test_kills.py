"""A dozen kills at random moments; `make crash` makes hundreds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from crashes import Trial, undisturbed

TRIALS = {("small", "papermill"): (6, 10, 37), ("small", "subprocess"): (17,), ("torch", "papermill"): (7,)}
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
