"""The promise: a pipeline run computes what the notebook computes when it is run from top to bottom."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import nb2pipe
from nb2pipe.errors import NotebookError

sys.path.insert(0, str(Path(__file__).parent))
from oracle import differences, pipeline, printed, straight

CASES = sorted((Path(__file__).parent.parent / "cases" / "meaning").glob("*.py"))
GIVEN: dict[str, dict[str, object]] = {
    "parameters_of_every_type": {"lr": 0.25, "name": "other", "flags": [1], "nothing": "something"},
    "dataloader_shuffles": {"epochs": 3},
}


NOT_AS_MODULES = {"a_notebook_without_steps": "NB409"}
"""Cases that modules cannot hold, with the code that says so before anything runs."""


def copied(path: Path, place: Path) -> Path:
    """The notebook in a folder of its own, with those that are nested in it."""
    place.mkdir()
    for each in (path, *path.parent.glob(f"{path.stem}_*{path.suffix}")):
        (place / each.name).write_text(each.read_text())
    return place / path.name


def compare(path: Path, folder: Path, parameters: dict[str, object]) -> None:
    one = straight(copied(path, folder / "straight"), folder / "straight", parameters, seed=11)
    found = {}
    for executor, seen in (("papermill", lambda observed: observed), ("subprocess", printed)):
        if executor == "subprocess" and path.stem in NOT_AS_MODULES:
            with pytest.raises(NotebookError, match="cannot be run by the executor") as refused:
                nb2pipe.run(path, executor=executor, home=folder / ".nb2pipe")
            assert refused.value.report is not None
            assert [each.code for each in refused.value.report.errors] == [NOT_AS_MODULES[path.stem]]
            continue
        notebook = copied(path, folder / executor)
        two = pipeline(notebook, folder / f".nb2pipe-{executor}", parameters, seed=11, executor=executor)
        found[executor] = differences(seen(one), seen(two))
    assert not any(found.values()), found


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
