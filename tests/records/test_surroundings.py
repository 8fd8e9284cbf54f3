"""What lies around a run: the machine's GPUs, git and its difference, packages."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from nb2pipe.records import surroundings

if TYPE_CHECKING:
    from pathlib import Path

SMI = """<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
    <driver_version>550.54.15</driver_version>
    <cuda_version>12.4</cuda_version>
    <gpu id="00000000:00:04.0"><product_name>NVIDIA H100 80GB HBM3</product_name></gpu>
    <gpu id="00000000:00:05.0"><product_name>NVIDIA H100 80GB HBM3</product_name></gpu>
</nvidia_smi_log>
"""


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "code.py").write_text("a = 1\n")
    git(folder, "init", "-q", "-b", "work")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_the_gpus_are_those_that_the_driver_tells_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "answer").write_text(SMI)
    program(tmp_path, "nvidia-smi", f"[ \"$*\" = '-q -x' ] && cat '{tmp_path}/answer'")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    machine = surroundings.machine()
    assert (machine.gpu, machine.gpus) == ("NVIDIA H100 80GB HBM3", 2)
    assert (machine.driver, machine.cuda) == ("550.54.15", "12.4")


@pytest.mark.parametrize("text", ["exit 9", "echo '<broken'", "echo", "sleep 5"])
def test_a_driver_that_does_not_answer_is_no_gpu(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_GPU_SECONDS", 0.5)
    program(tmp_path, "nvidia-smi", text)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    began = time.monotonic()
    machine = surroundings.machine()
    assert (machine.gpu, machine.gpus, machine.driver, machine.cuda) == (None, 0, None, None)
    assert time.monotonic() - began < 4


def test_a_long_difference_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "DIFFERENCE_LIMIT", 100)
    folder = repository(tmp_path / "project")
    (folder / "code.py").write_text("b = 2\n" * 1000)
    state = surroundings.git_state(folder)
    assert state is not None
    assert (len(state.difference), state.record.truncated, state.record.dirty) == (100, True, True)


def test_reading_the_difference_runs_no_program_that_the_repository_names(tmp_path: Path) -> None:
    folder = repository(tmp_path / "project")
    trap = tmp_path / "trap"
    program(tmp_path, "evil", f"touch '{trap}'; cat \"$1\" 2>/dev/null")
    for key in ("core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command", "core.pager"):
        git(folder, "config", key, str(tmp_path / "evil"))
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "attributes").write_text("*.py diff=x\n")
    (folder / "code.py").write_text("b = 2\n")
    state = surroundings.git_state(folder)
    assert state is not None
    assert b"+b = 2" in state.difference
    assert not trap.exists()


def test_a_repository_without_a_commit_is_dirty(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    state = surroundings.git_state(tmp_path / "new")
    assert state is not None
    assert (state.record.commit, state.record.dirty) == (None, True)


def test_variables_of_git_do_not_lead_to_another_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = repository(tmp_path / "one"), repository(tmp_path / "two")
    (one / "code.py").write_text("changed\n")
    monkeypatch.setenv("GIT_DIR", str(one / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(one))
    state = surroundings.git_state(two)
    assert state is not None
    assert not state.record.dirty


def test_a_folder_that_is_gone_has_no_git(tmp_path: Path) -> None:
    assert surroundings.git_state(tmp_path / "gone") is None


def test_a_user_without_a_name_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert surroundings.user_name() == ""
