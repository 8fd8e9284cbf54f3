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


def test_all_that_a_bundle_does_not_keep_or_that_is_made_of_it_is_asked_for(
    elsewhere: Any, tmp_path: Path, write_notebook: Callable[..., Path]
) -> None:
    parameters = "lr = 0.1\ndb = {'host': 'h', 'password': 'planted'}\nkey = 'k'\nold_token = 'planted'\n"
    cells = [(["parameters"], parameters + "head = f'Bearer {old_token}'"), (["step:only"], "x = [db, key, head, lr]")]
    notebook = write_notebook(tmp_path / "small.ipynb", cells)
    bundle = tmp_path / "bundle"
    write(emit(load(notebook), Wishes(folder=bundle)), bundle)

    done = elsewhere.run("-m", "small_pipeline", "--old_token", "new", bundle=bundle, cwd=bundle)
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("it has to be given: --db, --head")

    begin = "from nb2pipe.runtime import notebooks\nnotebooks.begin('only', '.', {'db': {}, 'key': 'k', 'head': ...})"
    done = elsewhere.run("-c", f"import small_pipeline\n{begin}", bundle=bundle, cwd=bundle)
    assert "UsageError: the secret value of `db`, `head` is not kept here\nhint: give it: -p db VALUE" in done.stderr

    tests = ("-m", "unittest", "discover", "-v", bundle / "tests")
    reason = 'set PIPELINE_PARAMETERS to {"db": "...", "head": "..."}'
    assert reason in elsewhere.run(*tests, bundle=bundle, cwd=bundle).stderr
