from __future__ import annotations

import errno
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, list[tuple[list[str], str]]], Path]

PROGRAM = (sys.executable, "-m", "nb2pipe")


def program(*words: object) -> subprocess.CompletedProcess[str]:
    """The program, as a process of its own."""
    return subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


def in_a_terminal(*words: object, until: str | None = None, signals: int = 0) -> tuple[str, int]:
    """What the program writes to a terminal, and its exit code; Ctrl-C is pressed once a text has appeared."""
    ours, theirs = pty.openpty()
    surroundings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=surroundings,
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            written += os.read(ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # the other end was closed
                raise
            break
        if signals and until and until.encode() in written:
            signals -= 1
            process.send_signal(signal.SIGINT)
    os.close(ours)
    return written.decode(), process.wait(timeout=10)


@pytest.fixture
def slow(write: Write) -> Path:
    return write(
        "slow.ipynb",
        [
            (["step:first"], "x = 1"),
            (["step:second"], "import time\nprint('it', 'sleeps', flush=True)\ntime.sleep(60)\ny = x"),
        ],
    )


def test_a_run_through_a_pipe_is_told_in_plain_lines(notebook: Path) -> None:
    done = program(
        "run", notebook, "out.ipynb", "-p", "lr", "2", "--name", "mine", "--tag", "a", "--note", "n", "-j", "2"
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].endswith("of small started with lr=2.0")
    assert "load  | loading" in lines
    assert "train | epoch 1" in lines
    assert any(line.startswith("train  ran in ") for line in lines)
    assert any(line.startswith("total") or line.strip().startswith("total") for line in lines)
    assert lines[-1] == "look at it: nb2pipe runs open"
    outputs = [cell["outputs"] for cell in json.loads((notebook.parent / "out.ipynb").read_text("utf-8"))["cells"]]
    assert any("12.0" in json.dumps(each) for each in outputs)


def test_what_is_kept_of_a_run_is_listed_shown_and_opened(notebook: Path) -> None:
    last = json.loads(program("run", notebook, "--json", "--name", "mine").stdout.splitlines()[-1])
    assert last["status"] == "succeeded"
    assert [(step["name"], step["status"]) for step in last["steps"]] == [("load", "ran"), ("train", "ran")]
    assert last["metrics"] == {"total": 3.0}
    assert last["notebook"] == f".nb2pipe/runs/{last['run']}/notebook.ipynb"
    assert (notebook.parent / last["notebook"]).is_file()

    listed = json.loads(program("runs", "list", "--json").stdout)
    assert [(row["run"], row["name"], row["metrics"]) for row in listed] == [(last["run"], "mine", {"total": 3.0})]
    assert last["run"] in program("runs", "list").stdout

    shown = json.loads(program("runs", "show", "mine", "--json").stdout)
    assert shown["parameters"] == {"lr": 0.5, "epochs": 2}
    said = program("runs", "show").stdout
    assert "total  3" in said
    assert "load" in said

    words = {"_NB2PIPE_COMPLETE": "zsh_complete", "COMP_WORDS": "nb2pipe runs show ", "COMP_CWORD": "3"}
    completed = subprocess.run(PROGRAM, capture_output=True, text=True, check=True, env={**os.environ, **words})
    assert {"latest", "mine", last["run"]} <= set(completed.stdout.split())

    opened = program("runs", "open", last["run"][:-2], "--no-browser")
    assert opened.returncode == 0, opened.stderr
    page = notebook.parent / opened.stdout.strip()
    assert "epoch" in page.read_text("utf-8")

    (notebook.parent / ".nb2pipe" / "records.db").unlink()
    assert program("runs", "reindex").stdout == "1 run\n"


def test_a_failing_step_shows_its_lines_and_resume_goes_on(write: Write) -> None:
    path = write(
        "broken.ipynb", [(["step:a"], "x = 1"), (["step:b"], "y = x\nz = y / 0\nw = z"), (["step:c"], "v = w")]
    )
    failed = program("run", path, "--json")
    assert failed.returncode == 5
    last = json.loads(failed.stdout)
    assert last["status"] == "failed"
    assert (last["error"]["step"], last["error"]["cell"], last["error"]["line"]) == ("b", 2, 2)
    assert last["error"]["kind"] == "ZeroDivisionError"
    assert last["steps"][2]["status"] == "skipped"
    assert last["steps"][2]["reason"] == "upstream failed"
    assert " > 2 | z = y / 0" in failed.stderr
    assert f"nb2pipe resume {last['run']}" in failed.stderr
    assert "Traceback" not in failed.stderr.split("error: ")[-1]

    write("broken.ipynb", [(["step:a"], "x = 1"), (["step:b"], "y = x\nz = y / 2\nw = z"), (["step:c"], "v = w")])
    resumed = program("resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    again = json.loads(resumed.stdout)
    assert again["run"] == last["run"]
    assert again["status"] == "succeeded"


def test_a_gate_that_stops_is_said_and_no_failure(write: Write) -> None:
    path = write(
        "gate.ipynb",
        [
            (["step:a", "gate:score > 1"], "score = 0.5\nx = 1"),
            (["pipeline-metrics"], "print(score)"),
            (["step:b"], "y = x"),
        ],
    )
    done = program("run", path)
    assert done.returncode == 0, done.stderr
    assert "skipped (gate)" in done.stdout
    assert "a gate did not hold, so these steps did not run: b" in done.stdout


def test_quiet_is_quiet(notebook: Path) -> None:
    done = program("run", notebook, "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_reader_that_goes_away_does_not_stop_the_run(notebook: Path) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen([*PROGRAM, "run", str(notebook)], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    words = process.communicate(timeout=120)[1]
    assert words == ""
    assert json.loads(program("runs", "list", "--json").stdout)[0]["status"] == "succeeded"


def test_a_terminal_sees_a_live_table_what_is_printed_and_a_summary(notebook: Path) -> None:
    written, code = in_a_terminal("run", notebook)
    assert code == 0
    assert "train | epoch 1" in written
    assert written.rindex("✓  train") < written.rindex("succeeded")
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h")


def test_ctrl_c_interrupts_the_run_which_can_be_resumed(slow: Path) -> None:
    written, code = in_a_terminal("run", slow, until="it sleeps", signals=1)
    assert code == 130
    assert "interrupted; go on with: nb2pipe resume " in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h")
    shown = json.loads(program("runs", "show", "latest", "--json").stdout)
    assert shown["status"] == "interrupted"
    assert {step["name"]: step["status"] for step in shown["steps"]} == {"first": "ran", "second": "interrupted"}
