"""The code of a run that git does not follow."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nb2pipe.records import untracked
from nb2pipe.records.surroundings import GitState, git_state
from nb2pipe.records.untracked import with_code

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("plain.py", "with space.py", 'qu"ote\\.py', "größe.py", "deep/in/empty.py", "no end.py")


def git(folder: Path, *words: str) -> bytes:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a notebook and a module."""
    place = tmp_path / "project"
    place.mkdir()
    git(place, "init", "-q")
    (place / "known.py").write_text("a = 1\n")
    (place / "known.ipynb").write_text("{}")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "one")
    return place


def state_of(folder: Path) -> GitState:
    state = git_state(folder)
    assert state is not None
    return state


def test_code_that_git_follows_changes_nothing(folder: Path) -> None:
    state = state_of(folder)
    (folder / "other.py").write_text("not imported")
    assert with_code(state, [str(folder / "known.py"), "/elsewhere/own.py"], str(folder / "known.ipynb")) is state
    assert not state.record.dirty


def test_the_difference_gives_modules_that_git_does_not_know(folder: Path, tmp_path: Path) -> None:
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if "empty" in name else "x = 'ä'\r\n\ny = 2" + ("" if "end" in name else "\n"), newline="")
    (folder / "known.py").write_text("a = 2\n")
    state = with_code(state_of(folder), [str(folder / name) for name in NAMES], str(folder / "known.ipynb"))
    assert (state.record.dirty, state.record.truncated) == (True, False)
    assert state.record.untracked == tuple(sorted(NAMES))
    git(tmp_path, "clone", "-q", str(folder), "copy")
    (tmp_path / "patch").write_bytes(state.difference)
    git(tmp_path / "copy", "apply", "--whitespace=nowarn", str(tmp_path / "patch"))
    for name in (*NAMES, "known.py"):
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_notebook_that_git_does_not_know_is_named_and_not_copied(folder: Path) -> None:
    (folder / "new.ipynb").write_text('{"cells": []}')
    state = with_code(state_of(folder), [], str(folder / "new.ipynb"))
    assert (state.record.dirty, state.record.untracked, state.difference) == (True, ("new.ipynb",), b"")


def test_what_is_too_large_or_no_text_is_named_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untracked, "_LARGEST", 10)
    (folder / "large.py").write_text("x = 1\n" * 9)
    (folder / "odd.py").write_bytes(b"\0")
    state = with_code(state_of(folder), [str(folder / "large.py"), str(folder / "odd.py")], str(folder / "known.ipynb"))
    assert (state.record.untracked, state.record.truncated, state.difference) == (("large.py", "odd.py"), True, b"")


def test_before_the_first_commit_nothing_is_added(folder: Path) -> None:
    state = state_of(folder)
    none = replace(state, record=replace(state.record, commit=None))
    assert with_code(none, [str(folder / "new.py")], str(folder / "new.ipynb")) is none


def test_the_names_that_a_kernel_gives_cells_are_no_files_wherever_it_keeps_temporary_ones(folder: Path) -> None:
    state = state_of(folder)
    cells = [str(folder / "tmp" / "ipykernel_4711" / "123456.py")]
    assert with_code(state, cells, str(folder / "known.ipynb")) is state
