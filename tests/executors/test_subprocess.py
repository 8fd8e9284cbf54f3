"""Steps as modules in processes of their own: the same record as from kernels, and nothing left behind."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import nbformat
import psutil
import pytest

import nb2pipe
from nb2pipe.errors import NotebookError, StoreError, UsageError
from nb2pipe.execution.options import RunOptions
from nb2pipe.executors.subprocess import SubprocessExecutor
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.records.events import CellFinished, CellStarted, OutputWritten, RunStatus, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.api import RunResult

Make = Any


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Writes a notebook: each cell is `tags` and source."""

    def write(*cells: tuple[str, str], name: str = "n") -> Path:
        made = [
            nbformat.v4.new_code_cell(source, id=f"c{number}", metadata={"tags": tags.split()})
            for number, (tags, source) in enumerate(cells, 1)
        ]
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    return write


def run(path: Path, **more: Any) -> RunResult:
    more.setdefault("executor", "subprocess")
    return nb2pipe.run(path, seed=3, home=path.parent / f".nb2pipe-{more['executor']}", **more)


def printed(result: RunResult) -> list[list[str]]:
    """What the cells of the executed notebook show, each output as one text."""
    notebook = nbformat.read(result.notebook, 4)
    nbformat.validate(notebook)
    return [[each.get("text") or f"{each.ename}: {each.evalue}" for each in cell.outputs] for cell in notebook.cells]


WHOLE = (
    ("imports", "import math\nimport random"),
    ("parameters", "scale = 2.0\nname = 'a'"),
    ("functions", "def area(r):\n    return round(math.pi * r * scale, 3)"),
    ("step:load", "data = [random.random() for _ in range(3)]\nprint(data)"),
    ("", "class Box:\n    def __init__(self, n):\n        self.n = n"),
    ("", "box = Box(len(data))\nprint('box of', box.n)"),
    ("step:fit", "result = area(box.n)\nprint(name, result)\n# nothing else"),
    ("pipeline-metrics", "score = result / 10\nprint(score)"),
    ("step:end raises-exception", "print('before')\n1 / 0"),
    ("step:end", "print(random.random(), [box.n, result])"),
)


def test_a_run_leaves_the_same_as_with_kernels(make: Make) -> None:
    path = make(*WHOLE)
    kernels, modules = (run(path, executor=name, parameters={"scale": 3}) for name in ("papermill", "subprocess"))
    assert modules.status is kernels.status is RunStatus.SUCCEEDED
    assert printed(modules) == printed(kernels)
    notebooks = [nbformat.read(each.notebook, 4).cells for each in (kernels, modules)]
    shown = [[(cell.id, cell.execution_count, cell.source) for cell in cells] for cells in notebooks]
    assert shown[0] == shown[1]
    assert dict(modules.metrics) == dict(kernels.metrics) == {"score": pytest.approx(2.8274)}
    assert modules.value("box").n == kernels.value("box").n == 3
    for one, two in zip(kernels.steps, modules.steps, strict=True):
        assert (one.name, one.status, one.cells, one.metrics) == (two.name, two.status, two.cells, two.metrics)
        assert [group.names for group in one.outputs] == [group.names for group in two.outputs]
        assert sorted(one.state) == sorted(two.state)
    digests = [
        {group.names: group.digest for step in each.steps for group in step.outputs} for each in (kernels, modules)
    ]
    assert digests[0][("result",)] == digests[1][("result",)]
    assert modules.record.step("fit").types["result"] == "float"
    assert (modules.folder / "package" / "n_pipeline" / "steps" / "load.py").is_file()


def test_events_tell_of_cells_as_with_kernels(make: Make) -> None:
    path = make(*WHOLE)
    told: dict[str, list[tuple[str, str, int]]] = {}
    for name in ("papermill", "subprocess"):
        events: list[Any] = []
        run(path, executor=name, jobs=1, listeners=[events.append])
        kinds = (CellStarted, CellFinished)
        told[name] = [(type(event).__name__, event.step, event.cell) for event in events if isinstance(event, kinds)]
        texts = [event.text for event in events if isinstance(event, OutputWritten) and event.stream == "stdout"]
        assert "".join(texts).splitlines()[1] == "box of 3"
    assert told["subprocess"] == told["papermill"]


FAILING = {
    "a function": ("step:a", "def deep(n):\n    return n / 0\n\ndeep(\n    3\n)"),
    "a chain": ("step:a", "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('bad') from e"),
    "a name": ("step:a", "x = 1\nif x > 1:\n    y = 2\nprint(y)"),
    "the end of Python": ("step:a", "import sys\nsys.exit(3)"),
    "an import": ("step:a", "x = 1\nimport no_such_module_here"),
    "an assertion": ("step:a", "x = [1]\nassert x == [2], 'not so'"),
}


@pytest.mark.parametrize("cell", FAILING.values(), ids=FAILING)
def test_an_error_is_told_with_its_place_as_with_kernels(make: Make, cell: tuple[str, str]) -> None:
    path = make(cell, ("step:b", "print('never')"))
    kernels, modules = (run(path, executor=name).error for name in ("papermill", "subprocess"))
    assert modules is not None
    assert modules == kernels


def test_a_step_in_namespace_form_fails_with_its_place(make: Make) -> None:
    path = make(
        ("functions", "def count():\n    global total\n    total += 1\n    return total / (total - 2)"),
        ("step:a", "total = 0\n\ncount()\ncount()"),
    )
    error = run(path).error
    assert error is not None
    assert (error.cell, error.line, error.kind, error.source_line) == (2, 4, "ZeroDivisionError", "count()")
    assert "cell 1, line 4, in count" in error.traceback


DEATHS = {
    "os._exit": ("import os\nos._exit(4)", "the process ended with exit code 4", "os._exit"),
    "a signal": ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV", "native libraries"),
    "memory": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "may have run out of memory", "memory"),
}


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_a_process_that_dies_is_told_with_the_cell(make: Make, death: tuple[str, str, str]) -> None:
    code, message, hint = death
    result = run(make(("step:a", "print('well')"), ("", f"print('last words', flush=True)\n{code}"), ("", "x = 1")))
    error = result.error
    assert error is not None
    assert (error.kind, error.cell) == ("ProcessDied", 2)
    assert message in error.message
    assert hint in (error.hint or "")
    assert printed(result)[:2] == [["well\n"], ["last words\n", f"ProcessDied: {error.message}"]]


def test_nobody_can_be_asked(make: Make) -> None:
    error = run(make(("step:a", "name = input('who? ')"))).error
    assert error is not None
    assert "nobody can answer" in error.message


def test_a_step_that_takes_too_long_is_stopped_with_its_place(make: Make) -> None:
    began = time.monotonic()
    error = run(make(("step:a timeout:1s", "import time\nprint('on')\ntime.sleep(60)"))).error
    assert error is not None
    assert (error.kind, error.cell, error.line) == ("Timeout", 1, 3)
    assert time.monotonic() - began < 6


def test_an_interrupted_run_stops_within_two_seconds_and_leaves_no_process(make: Make) -> None:
    path = make(
        ("step:a", "import subprocess, signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"),
        ("", "child = subprocess.Popen(['sleep', '61'], start_new_session=True)\nprint('go', flush=True)"),
        ("", "time.sleep(60)"),
    )
    cancel, stopped, went = threading.Event(), [], threading.Event()

    def hear(event: object) -> None:
        if isinstance(event, OutputWritten):
            went.set()

    def cancel_soon() -> None:
        went.wait(30)
        stopped.append(time.monotonic())
        cancel.set()

    threading.Thread(target=cancel_soon).start()
    options = RunOptions(executor="subprocess", home=path.parent / ".nb2pipe")
    end = nb2pipe.api.start(compile_notebook(path), options, listeners=[hear], cancel=cancel)
    assert time.monotonic() - stopped[0] < 2.5
    assert end.status is RunStatus.INTERRUPTED
    assert [process for process in psutil.Process().children(recursive=True) if "61" in process.cmdline()] == []


def test_a_child_that_stays_keeps_nobody_waiting_and_ends(make: Make) -> None:
    began = time.monotonic()
    path = make(
        ("step:a", "import subprocess\nchild = subprocess.Popen(['sleep', '62'])\nnumber = child.pid\ndel child"),
        ("step:b", "print(number)"),
    )
    result = run(path)
    assert result.status is RunStatus.SUCCEEDED, result.error
    assert time.monotonic() - began < 15
    number = result.value("number")
    assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def test_what_child_processes_and_descriptors_print_gets_into_its_cell(make: Make) -> None:
    path = make(
        ("step:a", "import os, subprocess\nprint('one', end='')\nsubprocess.run(['echo', 'two'])"),
        ("", "os.write(2, b'three\\n')\nos.system('echo four')"),
    )
    one, two = printed(run(path))
    assert (one, sorted(two)) == (["onetwo\n"], ["four\n", "three\n"])


def test_a_secret_reaches_the_step_and_is_kept_nowhere(make: Make) -> None:
    look = (
        "import os, pathlib\nfiles = pathlib.Path('.').rglob('*/runs/**/*')\n"
        "texts = [f.read_bytes() for f in files if f.is_file()]\n"
        "held = any(b'hunter' + b in t for t in texts for b in (b'2', b'3'))\n"
        "print(token[::-1], key[::-1], len(texts) > 3, held, 'hunter' '2' in str(os.environ))"
    )
    path = make(
        ("parameters", "token = ''\nkey = {'password': 'hunter3'}['password']\napi_key = 'hunter3'"),
        ("step:a", f"def own():\n    global key\n    key = api_key\nown()\n{look}"),
        ("step:b", "print(api_key[::-1], key[::-1])"),
    )
    result = run(path, parameters={"token": "hunter2"})
    assert printed(result)[-2:] == [["2retnuh 3retnuh True False False\n"], ["3retnuh 3retnuh\n"]]
    texts = [file.read_bytes() for file in result.folder.rglob("*") if file.is_file()]
    assert [text for text in texts if b"hunter2" in text or b"hunter3" in text] == []


def test_what_modules_cannot_hold_is_told_before_anything_runs(make: Make) -> None:
    path = make(("step:a", "open('ran', 'w').close()"), ("step:b", "x = 1\n%run other.py"))
    with pytest.raises(NotebookError) as caught:
        run(path)
    assert caught.value.report is not None
    (error,) = caught.value.report.errors
    assert (error.code, error.location.position, error.location.line) == ("NB400", 2, 2)
    assert not (path.parent / "ran").exists()
    assert not (path.parent / ".nb2pipe-subprocess").exists()


def test_a_retried_step_and_one_that_leaves_what_cannot_be_stored(make: Make) -> None:
    again = (
        "import os\nif not os.path.exists('once'):\n    open('once', 'w').close()\n    raise OSError('first')\nx = 1"
    )
    result = run(make(("step:a retry:1", again), ("step:b", "print(x)")))
    assert result.status is RunStatus.SUCCEEDED
    assert result.record.step("a").attempt == 2
    unseen = "x = 1\nstream = __import__('logging').FileHandler('f').stream"  # what its text shows, `check` refuses
    error = run(make(("step:a", unseen), ("step:b", "stream.write('x')"))).error
    assert error is not None
    assert (error.kind, error.cell, error.line) == ("UnstorableError", 1, 2)


def test_a_run_is_gone_on_with_and_only_what_changed_runs_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(("step:a", "x = 1\nprint('a')"), ("step:b", "y = x / 0"), ("step:c", "print(y)"))
    failed = run(path)
    assert failed.status is RunStatus.FAILED
    make(("step:a", "x = 1\nprint('a')"), ("step:b", "y = x / 2"), ("step:c", "print(y)"))
    monkeypatch.chdir(path.parent)
    events: list[Any] = []
    end = nb2pipe.api.resume("latest", RunOptions(home=failed.folder.parents[1]), listeners=[events.append])
    assert end.status is RunStatus.SUCCEEDED
    begun = [event.step for event in events if type(event).__name__ == "StepStarted"]
    assert begun == ["b", "c"]
    assert [step.status for step in end.steps] == [StepStatus.RAN] * 3


def test_an_input_that_is_gone_is_an_error_of_the_store(bench: Any, make: Make) -> None:
    made = run(make(("step:a", "x = [1]"), ("step:b", "print(x)")))
    pipeline = compile_notebook(made.folder.parents[2] / "n.ipynb")
    call = bench.on(
        bench.call(pipeline.notebook, name="b", cells=(2,), takes="x", groups=made.record.step("a").outputs),
        pipeline=pipeline,
    )
    with pytest.raises(StoreError, match="step `b`"):
        SubprocessExecutor().run_step(call, lambda _event: None, threading.Event())


def test_an_unknown_kernel_is_an_error_of_use(bench: Any, make: Make) -> None:
    pipeline = compile_notebook(make(("step:fit", "x = 1")))
    call = bench.on(bench.call(pipeline.notebook), pipeline=pipeline, kernel="no-such-kernel")
    with pytest.raises(UsageError, match="no-such-kernel"):
        SubprocessExecutor().run_step(call, lambda _event: None, threading.Event())


def kernel(folder: Path, name: str, argv: list[str]) -> None:
    spec = folder / "kernels" / name
    spec.mkdir(parents=True)
    env = {"OF_THE_KERNEL": "yes"}
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": name, "language": "python", "env": env})
    )


def test_steps_run_in_the_python_of_the_kernel_which_needs_no_nb2pipe(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", packages)
    kernel(tmp_path, "bare", [sys.executable, "-S", "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    look = (
        "import os, sys\nfrom importlib.machinery import PathFinder\n"
        "print(getattr(PathFinder.find_spec('nb2pipe'), 'loader', None), sys.flags.no_site, end=' ')\n"
        "print(os.environ['OF_THE_KERNEL'])"
    )
    result = run(make(("step:a", look), ("step:b", "x = 1")), kernel="bare")
    assert printed(result)[0] == ["None 1 yes\n"]


def test_a_python_that_does_not_start_is_told_with_its_words(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernel(tmp_path, "odd", [sys.executable, "--no-such-option", "-m", "ipykernel_launcher"])
    error = run(make(("step:a", "x = 1")), kernel="odd").error
    assert error is not None
    assert (error.kind, error.cell) == ("ProcessNotStarted", None)
    assert "-h" in error.message


def test_a_lot_of_output_arrives_whole_and_quickly(make: Make) -> None:
    began = time.monotonic()
    result = run(make(("step:a", "for _ in range(200):\n    print('x' * 100_000)\nprint('a\\rb')")))
    ((text,),) = printed(result)
    assert len(text) == 200 * 100_001 + 4
    assert time.monotonic() - began < 30


def test_steps_run_side_by_side(make: Make) -> None:
    wait = "import time\nbegan = time.time()\ntime.sleep(1.5)\nspan_{0} = (began, time.time())"
    path = make(*((f"step:s{n}", wait.format(n)) for n in range(2)))
    result = run(path, jobs=2)
    spans = [result.value(f"span_{n}") for n in range(2)]
    assert max(span[0] for span in spans) < min(span[1] for span in spans)


def test_what_a_step_is_told_is_for_nobody_else_to_read(make: Make) -> None:
    look = (
        "import os, sys, glob\n"
        "print([oct(os.stat(f).st_mode & 0o777) for f in glob.glob('.nb2pipe*/runs/*/steps/.step-*')])\n"
        "print(glob.glob('.nb2pipe*/runs/*/steps/.step-*/spec.json'))"
    )
    assert printed(run(make(("step:a", look)))) == [["['0o700']\n[]\n"]]
