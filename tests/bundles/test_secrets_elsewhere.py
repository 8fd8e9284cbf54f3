"""A step that fails elsewhere leaves no secret in the record that it leaves in a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nb2pipe.api import load
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELLS = [
    (["parameters"], "api_token = 'planted-as-default'"),
    (
        ["step:first"],
        "from nb2pipe import track\ntrack.params(note=f'with {api_token}')\nx = len(api_token)",
    ),
    (
        ["step:only"],
        (
            "import os\nfrom nb2pipe import track\ntrack.params(note=api_token)\n"
            "raise ValueError(f\"no login with {api_token} or {os.environ['OWN_PASSWORD']}\")"
        ),
    ),
]


def test_what_a_failed_step_says_and_notes_is_masked(
    elsewhere: Any, tmp_path: Path, write_notebook: Callable[..., Path]
) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", CELLS)
    write(emit(load(notebook), Wishes(folder=tmp_path / "bundle")), tmp_path / "bundle")
    notebook.unlink()
    (tmp_path / "work").mkdir()
    words = ("-m", "small_pipeline.steps.only", "--outputs", "left", "--api_token", "planted-and-given")
    variables = {"NB2PIPE_STORE": str(tmp_path / "store"), "OWN_PASSWORD": "planted-too"}
    first = ("-m", "small_pipeline.steps.first", *words[2:])
    done = elsewhere.run(*first, bundle=tmp_path / "bundle", cwd=tmp_path / "work", variables=variables)
    assert done.returncode == 0, done.stderr
    (left,) = (tmp_path / "work/left").glob("first.json")
    assert json.loads(left.read_text())["parameters"] == {"note": "with ********"}
    done = elsewhere.run(*words, bundle=tmp_path / "bundle", cwd=tmp_path / "work", variables=variables)
    assert done.returncode == 5
    (record,) = (tmp_path / "store").rglob("steps/only.json")
    told = json.loads(record.read_text())
    assert told["error"]["message"] == "no login with ******** or ********"
    assert told["parameters"] == {"note": "********"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if b"planted" in path.read_bytes()] == []
