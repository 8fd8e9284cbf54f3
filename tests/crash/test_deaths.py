"""A process of a step that dies is reported as what it was, with its cell and its memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import nb2pipe

if TYPE_CHECKING:
    from pathlib import Path

DEATHS = {
    "os._exit(3)": "ended with exit code 3",
    "ctypes.string_at(0)": "was ended by SIGSEGV",
    "os.kill(os.getpid(), signal.SIGKILL)": "was ended by SIGKILL; the system may have run out of memory",
}
MEMORY = 150


@pytest.mark.parametrize(
    ("death", "executor"), [*((death, "papermill") for death in DEATHS), ("os._exit(3)", "subprocess")]
)
def test_a_death_is_told_with_its_cell_and_its_memory(tmp_path: Path, death: str, executor: str) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        f'# %% tags=["step:a"]\nx = 1\n# %% tags=["step:b"]\nimport ctypes, os, signal\n'
        f"y = b'1' * {MEMORY}_000_000\n{death}\n"
    )
    result = nb2pipe.run(path, home=tmp_path / "home", executor=executor)
    failure = result.error
    assert failure is not None
    assert failure.kind in {"KernelDied", "ProcessDied"}
    assert (failure.step, failure.cell) == ("b", 2)
    assert DEATHS[death] in failure.message
    had = re.search(r"it had up to ([\d,]+) MiB", failure.message)
    assert had is not None
    assert MEMORY < int(had[1].replace(",", "")) < 10 * MEMORY


def test_too_little_memory_is_an_error_of_the_line(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        '# %% tags=["step:a"]\nimport resource\nresource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n'
        "large = bytearray(5 << 30)\n"
    )
    failure = nb2pipe.run(path, home=tmp_path / "home").error
    assert failure is not None
    assert (failure.kind, failure.cell, failure.line) == ("MemoryError", 1, 3)
