from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from nb2pipe.cli.app import cli

if TYPE_CHECKING:
    from pathlib import Path


def invoke(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_old_runs_lose_their_artifacts_and_named_ones_their_steps_still_reuse(notebook: Path, folder: Path) -> None:
    def steps(*words: object) -> list[str]:
        result = invoke("run", notebook, "--executor", "subprocess", "--json", *words)
        assert result.exit_code == 0, result.stderr
        return [step["status"] for step in json.loads(result.stdout)["steps"]]

    assert steps("-p", "lr", "1") == ["ran", "ran"]
    assert steps("-p", "lr", "2", "--name", "best") == ["reused", "ran"]
    assert steps("-p", "lr", "3") == ["reused", "ran"]
    told = invoke("gc", "--keep", "1", "--dry-run")
    assert told.exit_code == 0
    assert "would be deleted" in told.stdout
    found = json.loads(invoke("gc", "--keep", "1", "--dry-run", "--json").stdout)
    assert found["artifacts"] > 0
    assert len(found["runs"]) == 1
    assert json.loads(invoke("gc", "--keep", "1", "--json").stdout) == {**found, "dry_run": False}
    assert steps("-p", "lr", "2") == ["reused", "reused"]
    assert steps("-p", "lr", "1") == ["reused", "ran"]
    assert len(json.loads(invoke("runs", "list", "--json").stdout)) == 5

    assert invoke("runs", "delete", "best").exit_code == 0
    assert len(json.loads(invoke("runs", "list", "--json").stdout)) == 4
    assert "no run" in invoke("runs", "delete", "best").stderr
    assert {path.name for path in folder.iterdir()} == {".nb2pipe", "pyproject.toml", "small.ipynb"}


@pytest.mark.parametrize("age", ["30", "d", "-1d", "30 days", "1e9d"])
def test_an_age_that_is_none_is_refused_with_an_example(folder: Path, age: str) -> None:
    result = invoke("gc", "--older-than", age, "--home", folder / "home")
    assert result.exit_code == 2
    assert "such as 30d" in result.stderr


def test_without_a_home_there_is_nothing_to_do_and_none_is_made(folder: Path) -> None:
    result = invoke("gc")
    assert (result.exit_code, result.stdout) == (0, "there is nothing in .nb2pipe\n")
    assert json.loads(invoke("gc", "--json").stdout)["artifacts"] == 0
    assert not (folder / ".nb2pipe").exists()
