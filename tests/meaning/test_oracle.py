"""The promise: a pipeline run computes what the notebook computes when it is run from top to bottom."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from oracle import differences, pipeline, straight

CASES = sorted((Path(__file__).parent.parent / "cases" / "meaning").glob("*.py"))
GIVEN: dict[str, dict[str, object]] = {
    "parameters_of_every_type": {"lr": 0.25, "name": "other", "flags": [1], "nothing": "something"},
    "dataloader_shuffles": {"epochs": 3},
}


def compare(path: Path, folder: Path, parameters: dict[str, object]) -> None:
    sides = {}
    for side in ("straight", "pipeline"):
        place = folder / side
        place.mkdir()
        for each in (path, *path.parent.glob(f"{path.stem}_*{path.suffix}")):  # with the notebooks nested in it
            (place / each.name).write_text(each.read_text())
        sides[side] = place / path.name
    one = straight(sides["straight"], sides["straight"].parent, parameters, seed=11)
    two = pipeline(sides["pipeline"], folder / ".nb2pipe", parameters, seed=11)
    assert differences(one, two) == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_pipeline_run_computes_what_the_notebook_computes(path: Path, tmp_path: Path) -> None:
    compare(path, tmp_path, {})


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_parameters_mean_the_same_on_both_sides(name: str, tmp_path: Path) -> None:
    path = next(path for path in CASES if path.stem == name)
    compare(path, tmp_path, GIVEN[name])


EXAMPLES = sorted((Path(__file__).parent.parent.parent / "example_notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_computes_the_same_as_a_pipeline(path: Path, tmp_path: Path) -> None:
    compare(path, tmp_path, {})
