from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from nb2pipe.api import emit, load, open_run, run
from nb2pipe.bundles.types import types_of_run
from nb2pipe.cli.app import cli
from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a run of the notebook."""
    monkeypatch.setenv("ACCOUNT_KEY", "x")
    monkeypatch.chdir(notebook.parent)
    folder = notebook.parent / ".nb2pipe"
    assert run(notebook, home=folder).error is None
    return folder


def test_functions_have_the_types_that_a_run_saw_and_check_keeps_them(notebook: Path, home: Path) -> None:
    plain = emit(notebook, folder="made")
    typed = emit(notebook, folder="made", types_from="latest")
    assert "box: Any" in plain.text("boxes_pipeline/steps/count.py")
    assert "box: Box" in typed.text("boxes_pipeline/steps/count.py")
    assert json.loads(typed.text("bundle.json"))["types"]["load.box"] == "definitions.Box"
    words = ["convert", str(notebook), "-o", "made", "--types-from", "latest", "--include", "data/*"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    for path in sorted(home.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert CliRunner().invoke(cli, ["convert", "--check", "made"]).output == "made is up to date\n"


def test_a_run_of_something_else_has_no_types_for_it(notebook: Path, home: Path) -> None:
    pipeline = load(notebook)
    record = open_run(home=home).record
    with pytest.raises(UsageError, match="not of `other`"):
        types_of_run(record, replace(pipeline, name="other"))
    untyped = replace(record, steps=tuple(replace(step, types={}) for step in record.steps))
    with pytest.raises(UsageError, match="kept no types"):
        types_of_run(untyped, pipeline)
