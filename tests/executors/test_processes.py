"""What processes leave behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MAKE = """
import os, sys
from nb2pipe.executors.processes import socket_folder
folder = socket_folder()
print(folder.name, flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
input()
"""


def test_folders_of_processes_that_were_killed_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tempfile.gettempdir() != str(tmp_path)  # of this process; those below take the variable
    killed = subprocess.run([sys.executable, "-c", MAKE, "killed"], stdout=subprocess.PIPE, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert left.is_dir()
    with _living() as first:
        one = Path(first.stdout.readline().strip())  # type: ignore[union-attr]  # it is a pipe
        assert not left.exists()
        with _living() as second:
            two = Path(second.stdout.readline().strip())  # type: ignore[union-attr]  # as above
            assert one.is_dir()
            assert two.is_dir()
            second.communicate("\n")
        assert not two.exists()
        first.communicate("\n")


def _living() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MAKE, "living"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
