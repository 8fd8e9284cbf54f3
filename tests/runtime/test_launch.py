"""A step in a process of its own, as the executor `subprocess` starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bundle, Launched


def step(bundle: Bundle, body: str, head: str = "") -> None:
    """Writes the step `data` in function form; the body is its cells."""
    lines = "\n".join(f"    {line}" if line else "" for line in body.strip("\n").split("\n"))
    bundle.write(
        "steps/data.py", f"{head}\n\ndef data(*, size=3):\n    # fmt: off\n{lines}\n    # fmt: on\n    return None\n"
    )


def printed(launched: Launched, stream: str = "stdout") -> dict[str, str]:
    """What was printed in each cell."""
    found: dict[str, str] = {}
    cell = ""
    for part in getattr(launched, stream).decode("utf-8", "replace").split("\x1etoken "):
        mark, _, text = part.partition("\n")
        cell = mark.removeprefix("begin ") if mark.startswith("begin ") else f"after {cell}" if mark else ""
        found[cell] = found.get(cell, "") + text
    return {cell: text for cell, text in found.items() if text}


def failure(launched: Launched) -> dict[str, Any]:
    assert launched.code == 5, launched.stderr
    found: dict[str, Any] = launched.told["errors"][-1]
    return found


def places(error: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(frame["cell"], frame["line"], frame["name"]) for frame in error["frames"]]


def test_values_pass_from_step_to_step_and_metrics_are_taken_at_their_cell(bundle: Bundle) -> None:
    data = bundle.launch("data", outputs="key net rows", parameters={"size": "2"})
    train = bundle.launch("train", data.groups("net rows"), "accuracy net", metrics={"9": ["accuracy"]})
    assert 0.3 < train.told["completed"]["metrics"]["accuracy"] < 1
    report = bundle.launch("report", [*data.groups("key rows"), *train.groups("net")], "lines worst")
    assert [group["names"] for group in report.told["completed"]["outputs"]] == [["lines"]]
    fetch = bundle.launch("outer/fetch", report.groups("lines"), "answer")
    assert printed(fetch)["1"] == "answer 2\n"


def test_what_is_printed_stands_between_the_marks_of_its_cell_on_both_streams(bundle: Bundle) -> None:
    step(
        bundle,
        """
# %% cell 5
import os, subprocess, sys
print("one", end="")
print("warned", file=sys.stderr)
subprocess.run(["sh", "-c", "printf child; printf told >&2"])
# %% cell 6
os.write(1, b"\\xff\\xfe")
print("\\udc80", "ä")
# %% cell 6, line 9
print("same cell")
""",
    )
    launched = bundle.launch("data")
    assert printed(launched) == {"5": "onechild", "6": "\ufffd\ufffd\\udc80 ä\nsame cell\n"}
    assert printed(launched, "stderr") == {"5": "warned\ntold"}


def test_warnings_of_deprecation_are_shown_as_in_a_notebook(bundle: Bundle) -> None:
    step(
        bundle,
        """
# %% cell 5
import warnings
warnings.warn("old", DeprecationWarning)
# %% cell 6
print(__name__, (lambda: 1).__module__)
""",
    )
    launched = bundle.launch("data")
    assert "DeprecationWarning: old" in printed(launched, "stderr")["5"]
    assert printed(launched) == {"6": "__main__ __main__\n"}


def test_what_definitions_print_is_marked_as_theirs(bundle: Bundle) -> None:
    bundle.change("definitions.py", "# %% cell 3", "# %% cell 3\nprint('defined')")
    assert printed(bundle.launch("data"))["3 definitions"] == "defined\n"


def test_an_error_tells_the_cells_and_lines_of_the_author_alone(bundle: Bundle) -> None:
    bundle.change("definitions.py", "    return x * factor", "    return x * factor * missing")
    data = bundle.launch("data", outputs="key net rows")
    found = failure(bundle.launch("train", data.groups("net rows"), "net"))
    assert (found["kind"], found["message"]) == ("NameError", "name 'missing' is not defined")
    assert places(found) == [(8, 2, "<module>"), (3, 2, "scaled")]
    assert found["frames"][1]["module"] == "digits_pipeline/definitions.py"


def test_an_error_in_a_nested_notebook_is_placed_in_that_one(bundle: Bundle) -> None:
    bundle.change("steps/outer/fetch.py", "answer = await", "assert lines == 1\n    answer = await")
    found = failure(bundle.launch("outer/fetch"))
    assert places(found) == [(1, 1, "<module>")]


def test_the_errors_that_led_to_an_error_are_told_first(bundle: Bundle) -> None:
    step(
        bundle,
        """
# %% cell 5
try:
    1 / 0
except ZeroDivisionError as error:
    raise KeyError("k") from error
""",
    )
    told = bundle.launch("data").told["errors"]
    assert [(part["kind"], part["link"], part["frames"][0]["line"]) for part in told] == [
        ("ZeroDivisionError", "cause", 2),
        ("KeyError", None, 4),
    ]


def test_a_variable_that_is_not_bound_yet_is_an_unknown_name_as_in_the_notebook(bundle: Bundle) -> None:
    step(bundle, "# %% cell 5\nprint(late)\nlate = 1")
    found = failure(bundle.launch("data"))
    assert (found["kind"], found["message"]) == ("NameError", "name 'late' is not defined")


def test_an_input_that_nobody_bound_is_missing_only_where_it_is_used(bundle: Bundle) -> None:
    bundle.change("steps/train.py", "# %% cell 8\n", "# %% cell 8\n    print('here')\n")
    launched = bundle.launch("train", outputs="net")
    assert printed(launched)["8"] == "here\n"
    assert failure(launched)["message"] == "name 'rows' is not defined"


def test_the_error_of_a_cell_that_may_raise_stands_in_its_output_and_the_step_goes_on(bundle: Bundle) -> None:
    data = bundle.launch("data", outputs="key net rows")
    report = bundle.launch("report", data.groups("key net rows"), "lines")
    line = next(line for line in report.stdout.decode().split("\n") if line.startswith("\x1etoken error "))
    told = json.loads(line.partition(" error ")[2])
    assert (told["ename"], told["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert told["traceback"] == ["cell 12, line 2", "ZeroDivisionError: division by zero"]
    assert printed(report)["13"] == "True False\n"


OWN_CLASS = """
# %% cell 4 (definitions)
class Net:
    weights = ()

    def total(self):
        return 1

"""


def test_what_a_step_is_given_is_of_the_classes_that_its_own_definitions_make(bundle: Bundle) -> None:
    bundle.change("definitions.py", "@dataclass\nclass Net:", "@dataclass\nclass Other:")
    report = (bundle.folder / "digits_pipeline" / "steps" / "report.py").read_text()
    bundle.write(
        "steps/data.py",
        report.replace("report.py", "data.py")
        .replace("key: Any, net: Any, rows: Any, *", "*")
        .replace('given = {"key": key, "net": net, "rows": rows, "title": title}', "given = {}")
        .replace('"lines"', '"net"')
        .replace("lines", "net"),
    )
    bundle.write("cells/data.py", OWN_CLASS + "# %% cell 5\nnet = Net()\n")
    bundle.change(
        "cells/report.py",
        "# %% cell 11\n",
        OWN_CLASS + "# %% cell 11\nprint(isinstance(net, Net))\nrows, key = [], None\n",
    )
    data = bundle.launch("data", outputs="net")
    assert printed(bundle.launch("report", data.groups("net"), "lines"))["11"].startswith("True\n")


def test_a_step_runs_within_an_event_loop_as_a_cell_does(bundle: Bundle) -> None:
    step(bundle, "# %% cell 5\nimport asyncio\nprint(asyncio.get_running_loop().is_running())", "import asyncio")
    assert printed(bundle.launch("data"))["5"] == "True\n"


def test_figures_are_closed_at_the_end_of_their_cell_and_showing_them_prints_nothing(bundle: Bundle) -> None:
    step(
        bundle,
        """
# %% cell 5
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
plt.plot([1, 2])
plt.savefig("figure.png")
print(plt.get_fignums())
# %% cell 6
print(plt.get_fignums())
""",
    )
    launched = bundle.launch("data")
    assert printed(launched) == {"5": "[1]\n", "6": "[]\n"}
    assert printed(launched, "stderr") == {}
    assert (bundle.folder / "figure.png").stat().st_size > 1000


@pytest.mark.parametrize("leave", ["sys.exit(3)", "exit()", "raise SystemExit('done')"])
def test_ending_python_in_a_cell_is_an_error_of_that_cell(bundle: Bundle, leave: str) -> None:
    step(bundle, f"# %% cell 5\nimport sys\n{leave}")
    found = failure(bundle.launch("data"))
    assert (found["kind"], found["frames"][0]["line"]) == ("SystemExit", 2)


@pytest.mark.parametrize(("end", "code"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -9)])
def test_a_process_that_ends_at_once_told_nothing(bundle: Bundle, end: str, code: int) -> None:
    step(bundle, f"# %% cell 5\nimport os\nprint('before')\n{end}")
    launched = bundle.launch("data")
    assert (launched.code, launched.told) == (code, {})
    assert printed(launched)["5"] == "before\n"


def test_code_that_does_not_compile_is_an_error_at_its_place(bundle: Bundle) -> None:
    bundle.change("cells/report.py", "# %% cell 13\n", "# %% cell 13\nprint('first')\neval('1 +')\n")
    found = failure(bundle.launch("report", bundle.launch("data", outputs="key net rows").groups("key net rows")))
    assert (found["kind"], places(found)[0]) == ("SyntaxError", (13, 2, "<module>"))


def test_what_threads_and_atexit_functions_print_after_the_last_cell_is_in_no_cell(bundle: Bundle) -> None:
    step(
        bundle,
        """
# %% cell 5
import atexit, threading, time
atexit.register(print, "at exit")
threading.Thread(target=lambda: (time.sleep(0.5), print("late"))).start()
""",
    )
    assert printed(bundle.launch("data")) == {"after 5": "late\nat exit\n"}


def test_files_that_take_the_place_of_closed_streams_hold_what_the_author_wrote(bundle: Bundle) -> None:
    step(
        bundle,
        """
# %% cell 5
import os, sys
sys.stdout.close()
os.close(2)
first = os.open("first", os.O_WRONLY | os.O_CREAT)
os.write(first, b"mine")
# %% cell 6
os.write(first, b"!")
""",
    )
    launched = bundle.launch("data", outputs="")
    assert "completed" in launched.told, launched.stderr
    assert (bundle.folder / "first").read_bytes() == b"mine!"


@pytest.mark.parametrize(
    "wait", ["time.sleep(60)", "threading.Thread(target=time.sleep, args=(60,)).start(); time.sleep(60)"]
)
def test_an_interrupt_ends_the_process_within_two_seconds(bundle: Bundle, wait: str) -> None:
    step(bundle, f"# %% cell 5\nimport threading, time\nprint('waits')\n{wait}")
    with interrupt(bundle, "waits") as process:
        assert process.wait(timeout=2) == 130


def interrupt(bundle: Bundle, word: str) -> subprocess.Popen[bytes]:
    """Sends SIGINT to the step `data` once it has printed a word."""
    from nb2pipe.runtime.spec import BOOTSTRAP

    spec = bundle.spec("data", bundle.folder / "result.json")
    file = bundle.folder / "spec.json"
    file.write_text(json.dumps(spec), encoding="utf-8")
    command = [sys.executable, str(BOOTSTRAP.with_name("launch.py")), str(file)]
    process = subprocess.Popen(command, cwd=bundle.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    while word.encode() not in process.stdout.readline():
        pass
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    return process


def test_a_bundle_that_cannot_be_written_runs_without_a_home(bundle: Bundle) -> None:
    step(bundle, "# %% cell 5\nimport os\nprint(os.environ.get('HOME'), os.listdir('digits_pipeline'))")
    for folder, _, files in os.walk(bundle.folder / "digits_pipeline"):
        for name in files:
            (Path(folder) / name).chmod(0o444)
        Path(folder).chmod(0o555)
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    launched = bundle.launch("data", environment=environment)
    assert printed(launched)["5"].startswith("None [")
    assert not list((bundle.folder / "digits_pipeline" / "steps").glob("__pycache__/data.*"))


def test_inputs_that_are_not_in_the_store_are_told_as_such(bundle: Bundle) -> None:
    group = {"names": ["net"], "digest": "0" * 64, "take": ["net"]}
    launched = bundle.launch("train", [group])
    assert launched.told["broken"]["store"] is True
    assert launched.code != 0


def test_the_folder_of_the_step_comes_first_on_the_path_and_our_modules_are_not_on_it(bundle: Bundle) -> None:
    (bundle.folder / "numbers.py").write_text("mine = True\n")
    (bundle.folder / "helpers.py").write_text("answer = 42\n")
    step(bundle, "# %% cell 5\nimport sys, helpers\nprint(helpers.answer, repr(sys.path[0]), sys.argv)")
    assert printed(bundle.launch("data"))["5"] == "42 '' ['']\n"
