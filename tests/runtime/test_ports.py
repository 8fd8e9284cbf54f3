from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.runtime.ports import ABOUT

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """
# %% tags=["step:make"]
import random
import pathlib
random.seed(1)
shared = [1, 2]
pair = {"list": shared}
number = 3
pathlib.Path("a.txt").write_text("first")

# %% tags=["step:draw"]
drawn = random.random()
shared.append(drawn)
pathlib.Path("a.txt").write_text("second")

# %% tags=["step:use"]
print(shared, pair["list"] is shared, number, random.random(), pathlib.Path("a.txt").read_text())
"""

PARTS = {"make": ("shared", "pair", "number"), "draw": ("shared", "drawn"), "use": ()}
TAKES = {"make": (), "draw": ("make/shared",), "use": ("draw/shared", "make/pair", "make/number")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "n.py").write_text(dedent(NOTEBOOK))
    write(nb2pipe.emit(nb2pipe.load(tmp_path / "n.py")), tmp_path / "bundle")
    return tmp_path


def run(folder: Path, step: str, *inputs: str) -> str:
    """Runs a step on a disk of its own, as a platform does that passes a folder for each value."""
    work = folder / "work" / step
    work.mkdir(parents=True)
    words = [sys.executable, "-m", f"n_pipeline.steps.{step}", "--nb2pipe-files", "--nb2pipe-carry"]
    words += [f"--nb2pipe-port={name}={folder / 'parts' / step / name}" for name in PARTS[step]]
    words += [f"--nb2pipe-inputs={folder / 'parts' / place}" for place in inputs]
    words += [f"--nb2pipe-outputs={folder / 'parts' / step / 'state'}"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "bundle")}
    done = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in (folder / "store").rglob("*") if file.is_file())


def test_values_travel_one_by_one_and_all_else_with_the_steps_right_before(folder: Path) -> None:
    run(folder, "make")
    run(folder, "draw", *TAKES["draw"], "make/state")
    printed = run(folder, "use", *TAKES["use"], "draw/state")  # not `make/state`: `draw` carries it
    straight = nb2pipe.run(folder / "n.py", home=folder / "home")
    notebook = json.loads((folder / "home" / "runs" / straight.run / "notebook.ipynb").read_text())
    wanted = "".join(notebook["cells"][-1]["outputs"][0]["text"])
    assert wanted.strip() in printed
    assert "True 3" in printed
    assert "second" in printed
    kept = [file.read_bytes() for file in (folder / "parts" / "draw" / "state" / "store").rglob("*") if file.is_file()]
    assert b"second" in kept
    assert b"first" not in kept  # it was written anew, so nobody wants it


def test_the_folder_of_a_value_says_what_it_is_and_holds_what_shares_objects_with_it(folder: Path) -> None:
    run(folder, "make")
    about = json.loads((folder / "parts" / "make" / "shared" / ABOUT).read_text())
    assert about["variable"] == "shared"
    assert about["together_with"] == ["pair"]
    assert about["type"] == "list"
    assert about["length"] == 2
    state = folder / "parts" / "make" / "state"
    record = json.loads((state / "make.json").read_text())
    values = {one["digest"] for one in record["outputs"]}
    assert not [digest for digest in values if (state / "store" / "sha256" / digest[:2] / digest[2:]).exists()]
    assert size(folder / "parts" / "make" / "shared") == size(folder / "parts" / "make" / "pair")


@pytest.mark.parametrize("text", ["net", "=x", "net="])
def test_a_port_without_a_name_or_a_folder_is_refused(text: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "n_pipeline.steps.make", f"--nb2pipe-port={text}"],
        cwd=folder / "bundle",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "NAME=FOLDER" in done.stderr
