from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nb2pipe.cli.conduct import conduct
from nb2pipe.cli.session import Session
from nb2pipe.errors import StepError, UsageError
from nb2pipe.execution.model import RunEnd, StepEnd
from nb2pipe.records.events import (
    Failure,
    RunFinished,
    RunStarted,
    RunStatus,
    SkipReason,
    StepFinished,
    StepSkipped,
    StepStarted,
    StepStatus,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from nb2pipe.records.events import Event

RUN = "20261122-103000-ab12"
FAILURE = Failure(
    step="train", cell=3, line=2, kind="ValueError", message="bad", traceback="cell 3, line 2", source_line="  b()"
)


class _Run:
    """A run that is told rather than made."""

    def __init__(self, folder: Path, status: RunStatus, failure: Failure | None = None) -> None:
        self.folder = folder
        self.status = status
        self.failure = failure

    def __call__(self, listeners: Sequence[Callable[[Event], None]], cancel: threading.Event) -> RunEnd:
        assert not cancel.is_set()
        for event in (
            RunStarted(
                run=RUN,
                pipeline="p",
                notebook=str(self.folder / "p.ipynb"),
                notebook_digest="",
                steps=("load", "train"),
                time=1.0,
            ),
            StepStarted(step="load", time=1.0, cells=(2,)),
            StepFinished(step="load", time=2.0, seconds=1.0),
            StepSkipped(step="train", time=2.0, reason=SkipReason.GATE),
            RunFinished(run=RUN, status=self.status, time=2.0, seconds=1.0, failure=self.failure),
        ):
            for listener in listeners:
                listener(event)
        steps = (
            StepEnd(name="load", status=StepStatus.RAN, seconds=1.0),
            StepEnd(name="train", status=StepStatus.SKIPPED, reason=SkipReason.GATE),
        )
        folder = self.folder / ".nb2pipe" / "runs" / RUN
        folder.mkdir(parents=True)
        notebook = folder / "notebook.ipynb"
        notebook.write_text("{}", "utf-8")
        return RunEnd(
            run=RUN,
            folder=folder,
            status=self.status,
            failure=self.failure,
            steps=steps,
            metrics={"accuracy": 0.97, "odd": float("nan")},
            notebook=notebook,
        )


def test_a_run_ends_with_its_status_metrics_and_notebook(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conduct(Session(), _Run(folder, RunStatus.SUCCEEDED)) == 0
    words = capsys.readouterr()
    assert words.err == ""
    assert words.out.splitlines()[-7:] == [
        f"run {RUN} succeeded in 1.0 s",
        "a gate did not hold, so these steps did not run: train",
        "metrics:",
        "  accuracy  0.97",
        "  odd       nan",
        f"notebook: .nb2pipe/runs/{RUN}/notebook.ipynb",
        "look at it: nb2pipe runs open",
    ]


def test_the_notebook_that_was_asked_for_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.ipynb").write_text("{}")
    assert conduct(Session(), _Run(folder, RunStatus.SUCCEEDED), output=Path("out.ipynb")) == 0
    assert "notebook: out.ipynb" in capsys.readouterr().out.splitlines()


def test_for_machines_stdout_holds_one_line_of_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conduct(Session(json=True), _Run(folder, RunStatus.SUCCEEDED)) == 0
    words = capsys.readouterr()
    assert "load   ran in 1.0 s" in words.err
    assert words.out.count("\n") == 1
    found = json.loads(words.out)
    assert found == {
        "run": RUN,
        "status": "succeeded",
        "notebook": f".nb2pipe/runs/{RUN}/notebook.ipynb",
        "error": None,
        "steps": [
            {"name": "load", "status": "ran", "seconds": 1.0},
            {"name": "train", "status": "skipped", "seconds": None, "reason": "gate"},
        ],
        "metrics": found["metrics"],
    }
    assert found["metrics"]["accuracy"] == 0.97


def test_quiet_says_nothing_of_a_run_that_succeeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conduct(Session(quiet=True), _Run(folder, RunStatus.SUCCEEDED)) == 0
    words = capsys.readouterr()
    assert (words.out, words.err) == ("", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_a_failure_says_where_and_how_to_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str], *, quiet: bool
) -> None:
    with pytest.raises(StepError) as caught:
        conduct(Session(quiet=quiet), _Run(folder, RunStatus.FAILED, FAILURE))
    words = capsys.readouterr().err
    assert "ValueError: bad\n  --> p.ipynb, cell 3 (step `train`), line 2\n" in words
    assert " > 2 |   b()" in words
    assert caught.value.message == "step `train` failed"
    assert caught.value.hint == f"mend the notebook, then go on with: nb2pipe resume {RUN}"


def test_the_command_that_goes_on_names_the_home_where_it_is_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = folder / "else where"
    (elsewhere / ".nb2pipe").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    assert conduct(Session(quiet=True), _Run(folder, RunStatus.INTERRUPTED)) == 130
    assert capsys.readouterr().err == f"interrupted; go on with: nb2pipe resume {RUN} --home ../.nb2pipe\n"


def test_an_interrupted_run_is_130_and_says_how_to_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conduct(Session(quiet=True), _Run(folder, RunStatus.INTERRUPTED)) == 130
    assert capsys.readouterr().err == f"interrupted; go on with: nb2pipe resume {RUN}\n"


def test_an_error_before_the_run_passes_through(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(listeners: Sequence[Callable[[Event], None]], cancel: threading.Event) -> RunEnd:
        assert listeners
        assert not cancel.is_set()
        raise UsageError("no")

    with pytest.raises(UsageError):
        conduct(Session(json=True), refuse)
    assert capsys.readouterr().out == ""


_STUBBORN = """
    import subprocess, sys, time
    from nb2pipe.cli.interrupt import interruptible

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    print(child.pid, flush=True)
    with interruptible(lambda text: print(text, flush=True), lambda: print("set right", flush=True)) as cancel:
        while True:
            time.sleep(0.05)
            if cancel.is_set() and len(sys.argv) > 1:
                break
    child.kill()
    child.wait()
    print("ended by itself", flush=True)
"""


def _started(*words: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_STUBBORN), *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    time.sleep(0.3)
    return process, child


def _lives(process: int) -> bool:
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout
    return bool(found.strip()) and not found.startswith("Z")


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interruption_asks_the_run_to_stop(which: signal.Signals) -> None:
    process, _ = _started("polite")
    process.send_signal(which)
    words, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert words.splitlines() == [
        "interrupted: the steps are being stopped; Ctrl-C again kills them",
        "ended by itself",
    ]


def test_the_second_interruption_kills_the_steps_and_sets_the_terminal_right() -> None:
    process, child = _started()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert _lives(child)
    process.send_signal(signal.SIGINT)
    words, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert words.splitlines()[-1] == "set right"
    assert not _lives(child)
