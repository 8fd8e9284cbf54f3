"""A bundle where nb2pipe is not installed, from a copy that nobody may write to."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.api import load
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Flags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SECRET = {"ACCOUNT_KEY": "x"}


@pytest.fixture
def bundle(notebook: Path, tmp_path: Path) -> Iterator[Path]:
    """A bundle, read-only; it is as it was when the test ends."""
    made = tmp_path / "made"
    write(emit(load(notebook), Wishes(folder=made, flags=Flags(include=("data/*",)))), made)
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    shutil.rmtree(made)
    shutil.rmtree(notebook.parent)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    before = state(copy)
    yield copy
    assert state(copy) == before
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def work(bundle: Path, tmp_path: Path) -> Path:
    """A working directory with the data."""
    place = tmp_path / "work"
    (place / "data").mkdir(parents=True)
    shutil.copyfile(bundle / "data/table.csv", place / "data/table.csv")
    return place


def test_nb2pipe_is_not_there(elsewhere: Any, tmp_path: Path) -> None:
    done = elsewhere.run("-c", "import numpy, nb2pipe", bundle=tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "No module named 'nb2pipe'" in done.stderr


def test_the_whole_pipeline_runs(elsewhere: Any, bundle: Path, work: Path) -> None:
    done = elsewhere.run("-m", "boxes_pipeline", "--count", 4, bundle=bundle, cwd=work, variables=SECRET)
    assert done.returncode == 0, done.stderr
    assert "a b 4" in done.stdout
    assert (work / "out.txt").read_text() == "44.0"


def test_steps_run_from_files_to_files(elsewhere: Any, bundle: Path, work: Path) -> None:
    for step, words in (("load", ["--count", "5"]), ("count", ["--inputs", "left"]), ("save", ["--inputs", "left"])):
        done = elsewhere.run(
            "-m", f"boxes_pipeline.steps.{step}", *words, "--outputs", "left", bundle=bundle, cwd=work, variables=SECRET
        )
        assert done.returncode == 0, done.stderr
    assert (work / "out.txt").read_text() == "60.0"
    assert json.loads((work / "left/count.json").read_text())["metrics"] == {"size": 5}


def test_steps_run_through_a_store_as_modules_and_as_notebooks(
    elsewhere: Any, bundle: Path, work: Path, tmp_path: Path
) -> None:
    variables = {**SECRET, "NB2PIPE_STORE": str(tmp_path / "store"), "NB2PIPE_RUN": "one"}
    for step, words in (("load", ["--count", "5"]), ("count", ["--notebook", "count.ipynb"]), ("save", [])):
        command = ["-m", f"boxes_pipeline.steps.{step}", "--through-store", "--files", *words]
        done = elsewhere.run(*command, bundle=bundle, cwd=work, variables=variables)
        assert done.returncode == 0, done.stderr
    assert (work / "out.txt").read_text() == "60.0"
    assert "nb2pipe_step.leave()" in (work / "count.ipynb").read_text()
    record = json.loads((tmp_path / "store" / "runs" / "one" / "values" / "count.json").read_text())
    assert record["metrics"] == {"size": 5}


def test_an_error_names_the_notebooks_cell_and_line(elsewhere: Any, bundle: Path, work: Path) -> None:
    done = elsewhere.run("-m", "boxes_pipeline", bundle=bundle, cwd=work)
    assert done.returncode == 5
    assert "KeyError: 'ACCOUNT_KEY'" in done.stderr
    assert "boxes.ipynb, cell 5, line 4" in done.stderr


def test_help_names_the_parameters_and_exit_codes(elsewhere: Any, bundle: Path, work: Path) -> None:
    for module in ("boxes_pipeline", "boxes_pipeline.steps.load"):
        done = elsewhere.run("-m", module, "--help", bundle=bundle, cwd=work)
        assert done.returncode == 0, done.stderr
        assert "--count" in done.stdout
        assert "exit codes" in done.stdout


@pytest.mark.parametrize("runner", [("unittest", "discover", "-v"), ("pytest", "-q", "-p", "no:cacheprovider")])
def test_its_tests_pass(elsewhere: Any, bundle: Path, work: Path, runner: tuple[str, ...]) -> None:
    given = {**SECRET, "PIPELINE_PARAMETERS": '{"count": 6, "name": "b"}'}
    done = elsewhere.run("-m", *runner, bundle / "tests", bundle=bundle, cwd=work, variables=given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout + done.stderr
    assert not (work / "out.txt").exists()


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "the environment variable ACCOUNT_KEY is not set"),
        ({**SECRET, "PIPELINE_PARAMETERS": '{"count": 0}'}, "the gate of the step `count` does not hold"),
    ],
)
def test_its_tests_skip_what_cannot_run_here(
    elsewhere: Any, bundle: Path, work: Path, variables: dict[str, str], reason: str
) -> None:
    words = ("-m", "unittest", "discover", "-v", bundle / "tests")
    done = elsewhere.run(*words, bundle=bundle, cwd=work, variables=variables)
    assert done.returncode == 0, done.stderr
    assert reason in done.stderr
    assert "test_1_load (test_steps.TestSteps" in done.stderr
