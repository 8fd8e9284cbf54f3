from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from nb2pipe.cli.app import cli

if TYPE_CHECKING:
    from pathlib import Path


def invoke(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_run_is_shared_listed_and_told_where_it_could_not_be_pushed(notebook: Path, folder: Path) -> None:
    place = folder / "place"
    place.mkdir()
    words = ("run", notebook, "--executor", "subprocess", "--json", "--store", place)
    first = json.loads(invoke(*words).stdout)
    again = invoke(*words, "--home", folder / "other")
    assert [step["status"] for step in json.loads(again.stdout)["steps"]] == ["reused", "reused"]
    listed = invoke("runs", "list", "--store", place, "--json")
    assert {row["run"] for row in json.loads(listed.stdout)} == {first["run"], json.loads(again.stdout)["run"]}

    (place / "runs").rename(place / "gone")
    (place / "runs").write_text("no folder")
    failed = invoke(*words)
    assert failed.exit_code == 7
    assert json.loads(failed.stdout)["status"] == "succeeded", "the run itself is whole"
    assert "NB521" in failed.stderr
    assert "error: not all that the run made was pushed" in failed.stderr

    refused = invoke("run", notebook, "--store", "nope://x")
    assert refused.exit_code == 2
    assert "`nope://x` is no store" in refused.stderr
    assert invoke("runs", "list", "--store", folder / "empty").exit_code == 7
