from __future__ import annotations

import errno
import io
import os
import pty
import select
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nb2pipe.cli.live import counts, status_words, visible
from nb2pipe.cli.plain import PlainDisplay, silent
from nb2pipe.cli.progress import Progress, Row
from nb2pipe.records.events import (
    CellFinished,
    CellStarted,
    Event,
    Failure,
    MetricLogged,
    Noted,
    OutputWritten,
    RunFinished,
    RunStarted,
    RunStatus,
    SkipReason,
    StepFailed,
    StepFinished,
    StepRetried,
    StepReused,
    StepSkipped,
    StepStarted,
    StepStatus,
)
from nb2pipe.records.model import StepRecord

if TYPE_CHECKING:
    from pathlib import Path

FAILURE = Failure(step="train", cell=5, line=2, kind="ValueError", message="bad\x1b[2J value", source_line="f()")
EVENTS: list[Event] = [
    RunStarted(
        run="20261122-103000-ab12",
        pipeline="digits",
        notebook="/x/digits.ipynb",
        notebook_digest="",
        steps=("load", "train", "report", "old"),
        time=100.0,
        parameters={"lr": 0.1, "epochs": 3},
        given=("lr",),
    ),
    StepStarted(step="load", time=100.0, cells=(3,)),
    CellStarted(step="load", cell=3, time=100.0),
    OutputWritten(step="load", cell=3, stream="stdout", text="rows: 1"),
    OutputWritten(step="load", cell=3, stream="stdout", text="0\nand more"),
    CellFinished(step="load", cell=3, time=101.0),
    MetricLogged(step="load", name="rows", value=10, time=101.0),
    MetricLogged(step="load", name="loss", value=0.5, time=101.0, index=1),
    StepFinished(step="load", time=101.0, seconds=1.04),
    StepReused(step="old", time=101.0, source="20261121-103000-ab12", record=StepRecord(name="old")),
    StepStarted(step="train", time=101.0, cells=(4, 5), description="trains the net"),
    Noted(code="NB514", message="odd\x1b[2J", time=102.0, step="train", hint="look"),
    StepRetried(step="train", time=102.0, attempt=1, failure=FAILURE),
    StepFailed(step="train", time=103.0, seconds=62.0, failure=FAILURE),
    StepSkipped(step="report", time=103.0, reason=SkipReason.UPSTREAM_FAILED),
    RunFinished(run="20261122-103000-ab12", status=RunStatus.FAILED, time=103.0, seconds=3.0, failure=FAILURE),
]


def _told(events: list[Event], *, color: bool = False, verbose: bool = False) -> list[str]:
    stream = io.StringIO()
    display = PlainDisplay(stream, color=color, verbose=verbose)
    for event in events:
        display.handle(event)
    return stream.getvalue().splitlines()


def test_plain_lines_tell_a_run_from_its_events() -> None:
    assert _told(EVENTS) == [
        "run 20261122-103000-ab12 of digits started with lr=0.1",
        "load    started",
        "load   | rows: 10",
        "load   | and more",
        "load    rows = 10",
        "load    ran in 1.0 s",
        "old     reused from 20261121-103000-ab12",
        "train   started: trains the net",
        "train   NB514: odd\\x1b[2J (hint: look)",
        "train   attempt 1 failed in cell 5, is tried again: ValueError: bad\\x1b[2J value",
        "train   failed in cell 5 after 1 min 02 s: ValueError: bad\\x1b[2J value",
        "report  skipped (upstream failed)",
    ]


def test_the_first_line_tells_no_secret() -> None:
    begun = EVENTS[0]
    assert isinstance(begun, RunStarted)
    begun = replace(begun, parameters={"lr": 0.1, "hf_token": "hunter2"}, given=("lr", "hf_token"))
    assert _told([begun]) == ["run 20261122-103000-ab12 of digits started with lr=0.1, hf_token='********'"]


def test_verbose_lines_tell_cells_and_points_too() -> None:
    told = _told(EVENTS, verbose=True)
    assert "load    cell 3" in told
    assert "load    loss = 0.5 at 1" in told


def test_colors_stand_only_where_they_are_asked_for() -> None:
    assert not any("\x1b" in line for line in _told(EVENTS))
    assert any("\x1b[31m" in line for line in _told(EVENTS, color=True))


def test_what_is_told_when_nobody_reads_any_more_does_not_stop_the_run() -> None:
    calls = []

    def gone(event: Event) -> None:
        calls.append(event)
        raise BrokenPipeError

    listener = silent(gone)
    for event in EVENTS[:3]:
        listener(event)
    assert len(calls) == 1


def test_progress_follows_the_events() -> None:
    progress = Progress()
    for event in EVENTS[:3]:
        progress.take(event)
    assert progress.rows["load"] == Row(step="load", status=StepStatus.RUNNING, since=100.0, cell=3, cells=1)
    assert progress.rows["train"].status is StepStatus.PENDING
    for event in EVENTS[3:]:
        progress.take(event)
    found = {row.step: row.status.value for row in progress.rows.values()}
    assert found == {"load": "ran", "train": "failed", "report": "skipped", "old": "reused"}
    assert progress.rows["load"].done == 1
    assert progress.rows["report"].reason == "upstream failed"
    assert progress.status is RunStatus.FAILED


def test_a_step_that_runs_when_the_run_is_interrupted_is_interrupted() -> None:
    progress = Progress()
    for event in EVENTS[:3]:
        progress.take(event)
    progress.take(RunFinished(run="r", status=RunStatus.INTERRUPTED, time=104.0, seconds=4.0))
    assert progress.rows["load"].status is StepStatus.INTERRUPTED
    assert progress.rows["load"].seconds == 4.0


def test_a_table_higher_than_the_terminal_shows_what_runs_and_counts_the_rest() -> None:
    rows = [Row(step=f"s{place}") for place in range(50)]
    rows[40] = Row(step="s40", status=StepStatus.RUNNING)
    rows[45] = Row(step="s45", status=StepStatus.FAILED)
    shown, hidden = visible(rows, 10)
    assert len(shown) == 9
    assert {"s40", "s45"} <= {row.step for row in shown}
    assert counts(hidden) == "41 pending"
    assert visible(rows[:5], 10) == (rows[:5], [])


def test_the_time_of_a_running_step_goes_on() -> None:
    assert status_words(Row(step="a", status=StepStatus.RUNNING, since=10.0), 73.0) == "running 1 min 03 s"
    assert status_words(Row(step="a", status=StepStatus.SKIPPED, reason="gate"), 73.0) == "skipped (gate)"


def in_a_terminal(command: list[str], *, timeout: float = 60, **variables: str) -> tuple[str, int]:
    """What a program writes to a terminal of 100 columns, and its exit code."""
    ours, theirs = pty.openpty()
    surroundings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **variables}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings)
    os.close(theirs)
    written = b""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            written += os.read(ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # the other end was closed
                raise
            break
    os.close(ours)
    return written.decode(), process.wait(timeout=10)


@pytest.fixture
def live_script(tmp_path: Path) -> Path:
    script = tmp_path / "live.py"
    script.write_text(
        textwrap.dedent("""
            import sys, time
            from nb2pipe.cli.live import LiveDisplay
            from nb2pipe.records.events import *

            display = LiveDisplay(sys.stdout)
            now = time.time()
            for event in (
                RunStarted(run="r1", pipeline="p", notebook="n", notebook_digest="", steps=("load", "train"), time=now),
                StepStarted(step="load", time=now, cells=(3, 4)),
                CellStarted(step="load", cell=3, time=now),
                OutputWritten(step="load", cell=3, stream="stdout", text="rows [bold]10[/bold]\\n"),
                OutputWritten(step="load", cell=3, stream="stderr", text="\\r 50%" + "y" * 300),
            ):
                display.handle(event)
            time.sleep(0.5)
            display.handle(StepFinished(step="load", time=now, seconds=2.0))
            time.sleep(0.3)
            display.close()
        """),
        "utf-8",
    )
    return script


def test_the_live_table_shows_steps_cells_and_what_is_printed(live_script: Path) -> None:
    written, code = in_a_terminal([sys.executable, str(live_script)])
    assert code == 0
    assert "load  | rows [bold]10[/bold]" in written  # what looks like markup of rich is the author's text
    assert "cell 3 (1 of 2)" in written
    assert "50%" in written
    assert "pending" in written
    assert "✓" in written
    assert "ran 2.0 s" in written


def test_the_cursor_comes_back_after_the_live_table(live_script: Path) -> None:
    written, _ = in_a_terminal([sys.executable, str(live_script)])
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    assert written.index("\x1b[?25l") < written.index("\x1b[?25h")
