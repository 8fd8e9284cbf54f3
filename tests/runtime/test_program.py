"""`python -m PACKAGE`: all steps in one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bundle

PACKAGE = "digits_pipeline"


def test_all_steps_run_in_one_process_with_progress_metrics_and_definitions_made_once(bundle: Bundle) -> None:
    bundle.change("definitions.py", "# %% cell 3", "# %% cell 3\nprint('defined')")
    done = bundle.run(PACKAGE, "--size", "2", "--title=x y", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "defined",
        "made 2 rows",
        "defined once",
        "x y | __main__ | 1: 0.544 | 2: 0.238",
        "True False",
        "answer 2",
    ]
    told = done.stderr.splitlines()
    assert told[0] == "[1/4] data: Making data"
    assert any(line.startswith("[2/4] train: done in ") and ", accuracy 0.6" in line for line in told)


def test_the_error_of_a_cell_that_may_raise_is_shown_with_its_place_and_without_our_frames(bundle: Bundle) -> None:
    done = bundle.run(PACKAGE)
    assert "ZeroDivisionError: division by zero\ndigits.ipynb, cell 12, line 2\n" in done.stderr
    assert "runtime" not in done.stderr


def test_the_seed_sets_the_generators(bundle: Bundle) -> None:
    one, two = (bundle.run(PACKAGE, "--seed", "5").stdout for _ in range(2))
    assert one == two
    assert bundle.run(PACKAGE, "--seed", "6").stdout != one


def test_a_traceback_names_the_module_and_the_notebooks_cells(bundle: Bundle) -> None:
    bundle.change("definitions.py", "    return x * factor", "    return x * factor.missing")
    done = bundle.run(PACKAGE)
    assert done.returncode == 5
    lines = done.stderr.splitlines()
    end = lines.index("AttributeError: 'float' object has no attribute 'missing'")
    assert lines[end:] == [
        "AttributeError: 'float' object has no attribute 'missing'",
        "digits.ipynb, cell 8, line 2",
        "digits.ipynb, cell 3, line 2, in scaled",
        f"error: the step `train` failed in digits.ipynb, cell 8, line 2: {lines[end]}",
    ]
    assert any(line.strip().startswith("File ") and "definitions.py" in line for line in lines[:end])
    assert not any("nb2pipe" in line for line in lines)


def test_each_error_of_a_chain_names_its_own_places(bundle: Bundle) -> None:
    raising = "try:\n        1 / 0\n    except ZeroDivisionError as error:\n        raise ValueError('no') from error"
    bundle.change("steps/data.py", 'print("made", len(rows), "rows")', raising)
    done = bundle.run(PACKAGE)
    assert "division by zero\ndigits.ipynb, cell 5, line 3\n" in done.stderr
    assert "ValueError: no\ndigits.ipynb, cell 5, line 5\n" in done.stderr


def test_deep_recursion_names_each_place_once(bundle: Bundle) -> None:
    bundle.change("definitions.py", "    return x * factor", "    return scaled(x)")
    done = bundle.run(PACKAGE)
    assert done.stderr.count("digits.ipynb, cell 3, line 2, in scaled") == 1
    assert done.returncode == 5


def test_code_that_does_not_compile_names_its_place(bundle: Bundle) -> None:
    bundle.change("cells/report.py", "count = 0", "count = = 0")
    done = bundle.run(PACKAGE)
    assert done.returncode == 5
    assert "the step `report` failed in digits.ipynb, cell 11, line 1: SyntaxError" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "x"], "'x' is no int; for example `--size 10`"),
        (["--size", "1.0"], "'1.0' is no int"),
        (["--factor", "high"], "'high' is no float"),
        (["--sise", "3"], "unrecognized arguments: --sise 3"),
        (["--fact", "3"], "unrecognized arguments: --fact 3"),
        (["--seed", "-1"], "'-1' is no whole number from 0 on"),
    ],
)
def test_a_wrong_command_line_is_2_before_anything_runs(bundle: Bundle, arguments: list[str], said: str) -> None:
    done = bundle.run(PACKAGE, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_help_has_types_defaults_examples_and_exit_codes_and_imports_nothing(bundle: Bundle) -> None:
    bundle.change("definitions.py", "import random", "import random\nraise SystemError")
    done = bundle.run(PACKAGE, "--help")
    assert done.returncode == 0
    for text in ("--factor FLOAT", "default: 2.0", "python -m digits_pipeline --size 10", "130  interrupted"):
        assert text in done.stdout


def test_a_parameter_may_be_called_as_an_option_of_ours(bundle: Bundle) -> None:
    bundle.change("__main__.py", "size: int = 3", "seed: int = 3, help: str = 'a', h_: int = 0")
    bundle.change("__main__.py", "size=size", "size=seed")
    done = bundle.run(PACKAGE, "--seed", "2", "--help", "x", "--h_", "1", "--nb2pipe-seed", "9")
    assert "made 2 rows" in done.stdout, done.stderr
    assert "-h" in bundle.run(PACKAGE, "-h").stdout


def test_a_gate_that_does_not_hold_skips_what_comes_after_it_and_is_no_error(bundle: Bundle) -> None:
    bundle.describe(train={"gate": "accuracy > 2"})
    done = bundle.run(PACKAGE)
    assert done.returncode == 0
    assert "train: the gate `accuracy > 2` does not hold, so what comes after it is skipped" in done.stderr
    assert "report" not in done.stderr


def test_a_gate_without_its_metric_is_an_error_that_names_those_that_are_there(bundle: Bundle) -> None:
    bundle.describe(train={"gate": "acc > 2"})
    done = bundle.run(PACKAGE)
    assert done.returncode == 5
    assert "asks for `acc`" in done.stderr
    assert "the metrics so far: accuracy" in done.stderr


@pytest.mark.parametrize("leave", ["sys.exit(0)", "exit()", "raise SystemExit(2)"])
def test_ending_python_in_a_cell_fails_the_step(bundle: Bundle, leave: str) -> None:
    bundle.change("steps/data.py", 'print("made", len(rows), "rows")', leave)
    done = bundle.run(PACKAGE)
    assert done.returncode == 5
    assert "the step `data` failed in digits.ipynb, cell 5, line 2: the cell ended Python" in done.stderr


def test_an_author_may_leave_at_once(bundle: Bundle) -> None:
    bundle.change("steps/data.py", 'print("made", len(rows), "rows")', "import os; os._exit(9)")
    assert bundle.run(PACKAGE).returncode == 9


def test_an_error_that_cannot_be_printed_is_told_all_the_same(bundle: Bundle) -> None:
    bundle.change(
        "definitions.py",
        "def scaled(x):",
        "class Mute(Exception):\n    def __str__(self): raise self\n\ndef scaled(x):",
    )
    bundle.change("definitions.py", "    return x * factor", "    raise Mute")
    done = bundle.run(PACKAGE)
    assert done.returncode == 5
    assert "failed in digits.ipynb, cell 8, line 2: Mute" in done.stderr


def test_an_interrupt_is_130_within_two_seconds_though_a_thread_goes_on(bundle: Bundle) -> None:
    thread = "threading.Thread(target=time.sleep, args=(60,)).start()"
    wait = f"import threading, time; {thread}; print('w', flush=True); time.sleep(60)"
    bundle.change("steps/data.py", 'print("made", len(rows), "rows")', wait)
    command = [sys.executable, "-m", PACKAGE]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=bundle.folder, **streams) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "w\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=2) == 130
        assert "interrupted in the step `data`, digits.ipynb, cell 5, line 2" in process.stderr.read()


def test_output_that_nobody_reads_makes_no_noise(bundle: Bundle) -> None:
    bundle.change("steps/data.py", 'print("made", len(rows), "rows")', "for _ in range(100000): print('x' * 50)")
    command = f"{sys.executable} -m {PACKAGE} | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=bundle.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1].endswith("nobody reads its output any more")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(bundle: Bundle, streams: str) -> None:
    command = f"{sys.executable} -m {PACKAGE} {streams}"
    assert subprocess.run(["bash", "-c", command], cwd=bundle.folder, capture_output=True, check=False).returncode == 0


def test_text_that_the_terminal_cannot_show_is_no_error(bundle: Bundle) -> None:
    bundle.change("steps/data.py", 'print("made", len(rows), "rows")', 'print("ä\\udc80")')
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = bundle.run(PACKAGE, env=environment)
    assert "\\xe4\\udc80" in done.stdout, done.stderr


def test_a_module_that_is_not_installed_is_named_with_what_to_type(bundle: Bundle) -> None:
    bundle.change("definitions.py", "import random", "import random, not_there")
    done = bundle.run(PACKAGE)
    assert done.returncode == 5
    assert "No module named 'not_there'" in done.stderr
    assert "pip install -r requirements.txt" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"), [("{", "cannot be read"), ('{"schema": 99}', "the schema 99"), ('{"schema": 1}', "damaged")]
)
def test_a_description_that_cannot_be_read_is_2(bundle: Bundle, text: str, said: str) -> None:
    (bundle.folder / "pipeline.json").write_text(text)
    done = bundle.run(PACKAGE)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_package_that_cannot_be_written_runs_without_a_home(bundle: Bundle) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [sys.executable, "-m", PACKAGE]
    (bundle.folder / PACKAGE).chmod(0o555)
    done = subprocess.run(command, cwd=bundle.folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
