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


REFUSED = {
    "an open file": ("open('x.txt', 'w')", "it is an open file", "pass the file's path on"),
    "a generator": ("(i for i in range(3))", "it is a running generator", "pass `list(...)` of it on"),
    "a lock": ("threading.Lock()", "it is a lock", "make the lock in the step that uses it"),
    "a connection": ("sqlite3.connect('a.db')", "it is a database connection", "connect in the step that uses it"),
    "a thread": ("threading.Thread(target=print)", "it is a thread", "start it in the step that uses it"),
    "a graph": ("torch.ones(2, requires_grad=True) * 2", "with a computation graph", "pass `.detach()` of it on"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_ends_with_its_step_is_refused_with_place_and_hint(case: tuple[str, str, str], tmp_path: Path) -> None:
    refused(nb2pipe.run(holding(case[0], tmp_path), executor="subprocess", home=tmp_path / "home"), case)


def test_papermill_and_a_converted_directory_refuse_it_likewise(tmp_path: Path) -> None:
    case = REFUSED["an open file"]
    notebook = holding(case[0], tmp_path)
    refused(nb2pipe.run(notebook, executor="papermill", home=tmp_path / "home"), case)
    write(nb2pipe.emit(notebook, folder=tmp_path / "converted"), tmp_path / "converted")
    refused(nb2pipe.run(tmp_path / "converted", home=tmp_path / "home"), case)


def holding(culprit: str, folder: Path) -> Path:
    """A notebook with a step that passes on what holds something that cannot be passed on."""
    imports = "import sqlite3\nimport threading" + ("\nimport torch" if "torch" in culprit else "")
    make, use = f'rows = 1\nstate = {{"log": [{culprit}]}}', 'print(state["log"])'
    cells = [("imports", imports), ("step:make", make), ("step:use", use)]
    path = folder / "n.py"
    path.write_text("\n\n".join(f'# %% tags=["{tag}"]\n{code}' for tag, code in cells) + "\n")
    return path


def refused(result: nb2pipe.RunResult, case: tuple[str, str, str]) -> None:
    failure = result.error
    assert failure is not None
    assert (failure.step, failure.cell, failure.line) == ("make", 2, 2)
    assert failure.message.startswith('NB500: the variable `state`, because of `state["log"][0]`, cannot be passed')
    assert case[1] in failure.message
    assert failure.hint is not None
    assert case[2] in failure.hint
