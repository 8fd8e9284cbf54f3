"""Ctrl-C, at whatever moment: it ends within two seconds, nothing is left, and the run can be gone on with."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from crashes import NOTEBOOKS, Trial, prepare

from nb2pipe.records.events import RunStatus

SECONDS = 2.0
BUSY = 1.5
"""What tests beside this one may add."""


class Interrupted(Trial):
    """A run that is interrupted once it has said a word so many times."""

    def interrupt(self, word: str, *, times: int = 1, later: float = 0.0, presses: int = 1) -> float:
        """The seconds that it took to end."""
        process = self.start(self.command(None))
        said = self.folder / "said.txt"
        while said.read_text().count(word) < times and process.poll() is None:
            time.sleep(0.01)
        time.sleep(later)
        began = time.monotonic()
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        process.wait(timeout=60)
        seconds = time.monotonic() - began
        self.finish(process, expect=(130,))
        self.check_whole()
        return seconds


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
@pytest.mark.parametrize(
    ("notebook", "word", "times", "presses"),
    [
        ("stubborn", "| here", 2, 1),
        ("stubborn", "| here", 1, 2),
        ("storing", "| here", 1, 1),
        ("small", "started", 1, 1),
    ],
    ids=["stubborn", "twice", "storing", "starting"],
)
def test_ctrl_c_ends_a_run_within_two_seconds(  # a table
    tmp_path: Path, executor: str, notebook: str, word: str, times: int, presses: int
) -> None:
    run = Interrupted(number=0, notebook=notebook, executor=executor, folder=tmp_path / "run")
    prepare(run.folder, notebook)
    assert (NOTEBOOKS / f"{notebook}.py").exists()
    assert run.interrupt(word, times=times, presses=presses, later=0.1) < SECONDS + BUSY
    record = run.record()
    assert record is not None
    assert record.status is RunStatus.INTERRUPTED
    if notebook == "small":
        run.finish(run.start(run.command(record)), expect=(0,))
