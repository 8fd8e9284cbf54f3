"""Files that steps leave, handed on where each step has a disk of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.runtime.files import keep_files, lay_out
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """
# %% tags=["imports"]
import os
import pathlib
import subprocess

# %% tags=["step:make"]
pathlib.Path("out").mkdir()
pathlib.Path("empty").mkdir()
pathlib.Path("out/a.txt").write_text("one\\n")
pathlib.Path("b.txt").write_text("two")
pathlib.Path("say").write_text("#!/bin/sh\\necho said\\n")
os.chmod("say", 0o755)

# %% tags=["step:change"]
pathlib.Path("out/a.txt").write_text(pathlib.Path("out/a.txt").read_text() + "more")
os.remove("b.txt")

# %% tags=["step:last"]
print(sorted(os.listdir()), pathlib.Path("out/a.txt").read_text().split())
print(subprocess.run(["./say"], capture_output=True, text=True).stdout)
"""
STEPS = ("make", "change", "last")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "n.py").write_text(dedent(NOTEBOOK))
    write(nb2pipe.emit(nb2pipe.load(folder / "n.py")), folder / "bundle")
    return folder / "bundle"


def run_step(bundle: Path, step: str, disk: Path, inputs: list[Path], outputs: Path) -> str:
    disk.mkdir()
    folders = [word for folder in inputs for word in ("--inputs", str(folder))]
    done = subprocess.run(
        [sys.executable, "-m", f"n_pipeline.steps.{step}", *folders, "--outputs", str(outputs), "--files"],
        cwd=disk,
        env={**os.environ, "PYTHONPATH": str(bundle)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_step_finds_the_files_of_earlier_ones_on_a_disk_of_its_own(bundle: Path, tmp_path: Path) -> None:
    left: list[Path] = []
    for step in STEPS:
        outputs = tmp_path / f"left-{step}"
        printed = run_step(bundle, step, tmp_path / f"disk-{step}", left, outputs)
        left.append(outputs)
    assert printed == "['empty', 'out', 'say'] ['one', 'more']\nsaid\n\n"
    assert (tmp_path / "disk-make" / "out" / "a.txt").read_text() == "one\n"  # what was handed on is a copy


@pytest.mark.parametrize("path", ["../a", "/etc/a", "link/a", "b/../../a", "", 3])
def test_a_path_that_leads_out_of_the_working_directory_is_refused(path: object, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "link").symlink_to(tmp_path)
    store = LocalStore(tmp_path / "store")
    digest = str(store.put(b"hostile"))
    with pytest.raises(StoreError, match=r"is no file of the working directory"):
        lay_out([{"files": {path: digest}}], disk, store)
    assert not (tmp_path / "a").exists()


def test_a_file_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    digest = str(store.put(b"same"))
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"other")
    assert lay_out([{"files": {"a": digest, "b": digest}}], tmp_path, store) == ("b",)
    assert (tmp_path / "b").read_bytes() == b"same"


def test_a_file_that_is_in_no_store_is_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    with pytest.raises(StoreError):
        lay_out([{"files": {"a": str(Digest.of_bytes(b"lost"))}}], tmp_path, store)


def test_what_lies_outside_of_the_working_directory_is_told_and_stays(tmp_path: Path) -> None:
    disk, store = tmp_path / "disk", LocalStore(tmp_path / "store")
    disk.mkdir()
    (disk / "in").write_text("in")
    (tmp_path / "out").write_text("out")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "own").write_text("own")
    writes = [str(disk / "in"), str(tmp_path / "out"), str(disk / "gone"), str(tmp_path / "ours" / "own")]
    left = keep_files({"writes": writes, "folders": [], "removed": []}, disk, store, [tmp_path / "ours"])
    assert left.files == {"in": str(Digest.of_bytes(b"in"))}
    assert left.elsewhere == (str(tmp_path / "out"),)
