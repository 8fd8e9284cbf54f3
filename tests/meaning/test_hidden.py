"""Hidden state: what one step sets beside its variables is what a later step finds, in all three ways to run it.

Each case runs straight, by papermill, by subprocess, and as a converted package, all steps in one process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nb2pipe
from nb2pipe.bundles.write import write

sys.path.insert(0, str(Path(__file__).parent))
from oracle import Observed, differences, pipeline, printed, scrub, straight

CASES = sorted((Path(__file__).parent.parent / "cases" / "hidden").glob("*/notebook.py"))
SEED = 11


def copied(path: Path, place: Path) -> Path:
    """The notebook with all that lies beside it, in a folder of its own."""
    shutil.copytree(path.parent, place)
    return place / path.name


def package(path: Path) -> str:
    """What a converted package prints, all steps in one process."""
    folder = path.parent / "converted"
    bundle = nb2pipe.emit(path, folder=folder)
    write(bundle, folder)
    (name,) = (found.parent.name for found in folder.glob("*/__main__.py"))
    given = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-m", name, "--seed", str(SEED)],
        cwd=path.parent,
        env=given,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return str(scrub(done.stdout.decode()))


def text(observed: Observed) -> str:
    """All that was printed to the standard output."""
    found = (each for _, outputs in sorted(observed.outputs.items()) for each in outputs)
    return "".join(each["text"] for each in found if each.get("name") == "stdout")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_hidden_state_is_handed_on(path: Path, tmp_path: Path) -> None:
    one = straight(copied(path, tmp_path / "straight"), tmp_path / "straight", {}, seed=SEED)
    found: dict[str, object] = {}
    for executor, seen in (("papermill", lambda observed: observed), ("subprocess", printed)):
        notebook = copied(path, tmp_path / executor)
        two = pipeline(notebook, tmp_path / f".nb2pipe-{executor}", {}, seed=SEED, executor=executor)
        found[executor] = differences(seen(one), seen(two))
    assert not any(found.values()), found
    assert package(copied(path, tmp_path / "package")) == text(one)
