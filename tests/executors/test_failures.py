"""Errors of the author's code, and ends of kernels: always the author's place, and nothing of ours."""

from __future__ import annotations

import threading
import time
from typing import Any

import nbformat
import psutil
import pytest

from nb2pipe.execution.model import Cancelled
from nb2pipe.records.events import CellFinished, CellStarted

CASES = {
    "a function of another cell": (
        ("def f(n):\n    return 1 / n", "\n# called\nf(0)"),
        (2, 3, "ZeroDivisionError", "division by zero"),
        "cell 2, line 3\n    f(0)\ncell 1, line 2, in f\n    return 1 / n\nZeroDivisionError: division by zero",
    ),
    "a syntax error": (("x = 1\ny = = 2",), (1, 2, "SyntaxError", "invalid syntax"), None),
    "an error in the body of a magic": (
        ("%%time\nx = 1\n1 / 0",),
        (1, 3, "ZeroDivisionError", "division by zero"),
        None,
    ),
    "an error led to another": (
        ("try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('\x1b[31mred') from e",),
        (1, 4, "ValueError", "red"),
        (
            "cell 1, line 2\n    {}['k']\nKeyError: 'k'\n\n"
            "The above exception was the direct cause of the following exception:\n\n"
            "cell 1, line 4\n    raise ValueError('red') from e\nValueError: red"
        ),
    ),
    "sys.exit": (("import sys\nsys.exit(0)",), (1, 2, "SystemExit", "the cell ended Python: SystemExit(0)"), None),
    "an interruption of the author's": (("raise KeyboardInterrupt",), (1, 1, "KeyboardInterrupt", ""), None),
    "a question": (
        ("name = input('who?')",),
        (1, 1, "StdinNotImplementedError", "the cell asks for input, and in a pipeline run nobody can answer"),
        None,
    ),
    "an error after await": (
        ("import asyncio\nawait asyncio.sleep(0)\nraise ValueError('late')",),
        (1, 3, "ValueError", "late"),
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_the_authors_place_and_words(bench: Any, name: str) -> None:
    cells, expected, trace = CASES[name]
    ran = bench.run(*cells, "never = 1", gives="never")
    failure = ran.failure
    assert (failure.cell, failure.line, failure.kind, failure.message) == expected
    assert failure.source_line == cells[expected[0] - 1].split("\n")[expected[1] - 1].replace("\x1b[31m", "")
    assert trace is None or failure.traceback == trace
    assert "nb2pipe" not in failure.traceback
    assert "ipykernel" not in failure.traceback
    # The step stops at once, and its notebook has what there was.
    assert [event.cell for event in ran.of(CellStarted)] == list(range(1, len(cells) + 1))
    outputs = [cell.outputs for cell in nbformat.read(bench.step_notebook(), 4).cells if cell.outputs][-1]
    assert [output.ename for output in outputs if output.output_type == "error"] == [failure.kind]
    assert ran.of(CellFinished)[-1].outputs == tuple(outputs)


def test_a_module_beside_the_notebook_is_the_authors_code_too(bench: Any) -> None:
    (bench.root / "helper_of_a_test.py").write_text("def f():\n    raise RuntimeError('inside')\n")
    failure = bench.run("import helper_of_a_test\nhelper_of_a_test.f()").failure
    assert (failure.cell, failure.line) == (1, 2)
    assert "helper_of_a_test.py, line 2, in f\n    raise RuntimeError('inside')" in failure.traceback


def test_a_function_from_another_step_is_shown_in_its_own_cell(bench: Any) -> None:
    cells = ("\n\ndef f(n):\n    return 1 / n", "f(0)")
    made = bench.run(*cells, cells=(1,), gives="f").completed
    failure = bench.run(*cells, cells=(2,), takes="f", groups=made.outputs).failure
    assert (failure.cell, failure.line) == (2, 1)
    assert "cell 1, line 4, in f\n    return 1 / n" in failure.traceback


def test_a_cell_that_may_raise_does_not_stop_the_step(bench: Any) -> None:
    ran = bench.run(("x = 2\n1 / 0\nx = 3", "raises-exception"), "y = x", gives="y")
    assert bench.values(ran.completed) == {"y": 2}
    notebook = nbformat.read(bench.step_notebook(), 4)
    assert notebook.cells[1].outputs[0].ename == "ZeroDivisionError"
    assert all("papermill-error-cell-tag" not in cell.metadata.tags for cell in notebook.cells)


def test_exit_ends_the_step_as_a_failure(either: Any) -> None:
    ran = either.run("exit()", "print('after')")
    assert (ran.failure.kind, ran.failure.cell) == ("SystemExit", 1)
    assert ran.printed == ""


@pytest.mark.parametrize(
    ("code", "how"),
    [("os._exit(3)", "exit code 3"), ("os.kill(os.getpid(), 9)", "SIGKILL"), ("os.abort()", "SIGABRT")],
)
def test_a_kernel_that_dies_is_reported_at_once_as_what_it_was(either: Any, code: str, how: str) -> None:
    began = time.monotonic()
    ran = either.run("x = 1", f"import os, time\nprint('last words', flush=True)\ntime.sleep(0.5)\n{code}")
    assert time.monotonic() - began < 10
    assert (ran.failure.kind, ran.failure.cell, ran.failure.line) == ("KernelDied", 2, None)
    assert how in ran.failure.message
    assert ran.printed == "last words\n"


def test_the_time_of_a_step_is_kept(either: Any) -> None:
    failure = either.run("import time\ntime.sleep(60)", timeout=2.0).failure
    assert (failure.kind, failure.cell, failure.line) == ("Timeout", 1, 2)
    assert failure.message == "the step was stopped after its time of 2 s"


@pytest.mark.parametrize(
    "cell",
    [
        "import time\ntime.sleep(60)",
        "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass",
    ],
    ids=["plain", "stubborn"],
)
def test_an_interrupted_step_stops_within_two_seconds(either: Any, cell: str) -> None:
    cancel = threading.Event()
    times: list[float] = []

    def stop() -> None:
        times.append(time.monotonic())
        cancel.set()

    threading.Timer(1.5, stop).start()
    ran = either.run(cell, cancel=cancel)
    assert isinstance(ran.outcome, Cancelled)
    assert time.monotonic() - times[0] < 2


def test_a_step_that_is_interrupted_before_its_kernel_is_ready_stops_too(either: Any) -> None:
    cancel = threading.Event()
    cancel.set()
    began = time.monotonic()
    assert isinstance(either.run("x = 1", cancel=cancel).outcome, Cancelled)
    assert time.monotonic() - began < 2


def test_no_process_outlives_its_step(either: Any) -> None:
    ran = either.run(
        "import os, subprocess\n"
        "one = subprocess.Popen(['sleep', '300'])\n"
        "two = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "print(os.getpid(), one.pid, two.pid)"
    )
    assert ran.completed
    pids = [int(word) for word in ran.printed.split()]
    deadline = time.monotonic() + 2
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_kernel_that_cannot_start_says_why(bench: Any, one_cell: Any, tmp_path: Any) -> None:
    import json
    import sys

    spec = tmp_path / "kernels" / "broken"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-c", "raise SystemExit('no such module here')", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "b", "language": "python"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(tmp_path))
        failure = bench.run_call(bench.on(bench.call(one_cell), kernel="broken")).failure
    assert (failure.kind, failure.cell) == ("KernelNotStarted", None)
    assert "no such module here" in failure.message


def test_the_shell_and_pip_run_as_in_jupyter(either: Any) -> None:
    ran = either.run("!echo $((6 * 7)); false\n%pip --version", "%%bash\necho from bash; exit 3")
    assert ran.printed.startswith("42")
    assert "pip " in ran.printed
    assert ran.printed.endswith("from bash\n")
    assert (ran.failure.cell, ran.failure.line, ran.failure.kind) == (2, 1, "CalledProcessError")
