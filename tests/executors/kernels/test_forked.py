"""Kernels that are forked: as cold ones in all that a step can see, and none of them outlives its run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import nb2pipe
from nb2pipe.executors.kernels.pool import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


LIBRARIES = "import matplotlib.pyplot as plt\nimport numpy as np\nimport torch\nimport sklearn.linear_model\n"
SURROUNDINGS = """
import json, logging, os, random, signal, sys, warnings
shell = get_ipython()
settings = sorted({*shell.config} - {"HistoryManager"})
handler = logging.StreamHandler()
environment = {name: text for name, text in os.environ.items() if name not in ("JPY_PARENT_PID", "NB2PIPE_KERNELS")}
print(json.dumps({
    "argv": sys.argv[:2],  # a cold one is told besides to keep no history
    "path": sys.path,
    "folder": os.getcwd(),
    "environment": environment,
    "filters": [str(each) for each in warnings.filters],
    "streams": [type(sys.stdout).__name__, type(sys.stderr).__module__, handler.stream is sys.stderr, sys.stdin.read()],
    "is a terminal": [sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name],
    "shell": [type(shell).__name__, shell.kernel is not None, shell.parent is shell.kernel, settings],
    "names": sorted(globals()),
    "main": [__name__, sys.modules["__main__"].__dict__ is globals(), type(sys.modules["__main__"]).__name__],
    "loggers": [logging.getLogger().level, len(logging.getLogger().handlers)],
    "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)],
    "hash": hash("a"),
    "group": os.getpgid(0) == os.getpid() == os.getsid(0),
    "backend": plt.get_backend(),
    "drawn": [random.random(), float(np.random.rand()), float(torch.rand(1))],
    "torch": [torch.get_num_threads(), torch.get_num_interop_threads(), str(torch.get_default_dtype())],
    "hooks": [str(sys.excepthook)[:20], str(sys.displayhook)[:20]],
}))
"""


def test_a_forked_kernel_is_as_a_cold_one_in_all_that_a_step_can_see(
    bench: Any,
) -> None:
    seen: dict[str, Any] = {}
    for kernels in ("forked", "cold"):
        bench.kernels = kernels
        ran = bench.run(LIBRARIES, SURROUNDINGS, cells=(2,), repeated=(1,))
        assert kernels in ran.kernels[0]
        seen[kernels] = json.loads(ran.printed)
        # What a library set up, and what reads standard output below Python, reaches the notebook.
        assert bench.run("import os\nos.system('echo from below')").printed == "from below\n"
    assert seen["forked"] == seen["cold"]


def test_a_logger_that_an_import_sets_up_writes_into_the_notebook(bench: Any, package: Callable[..., None]) -> None:
    package(
        "speaks", "import logging, sys\nlog = logging.Logger('s')\nlog.addHandler(logging.StreamHandler(sys.stdout))"
    )
    ran = bench.run("import speaks", "speaks.log.error('to be seen')")
    assert "imported speaks" in ran.kernels[0]
    assert ran.printed == "to be seen\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a module as pip would, for the kernels of a test."""
    folder = tmp_path / "installed" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def install(name: str, text: str) -> None:
        (folder / f"{name}.py").write_text(text + "\n")

    return install


MORE_THAN_IMPORTS = {
    "prints": ("print('hello')", "it prints or warns"),
    "prints_below": ("import os\nos.write(1, b'hello')", "it prints or warns"),
    "warns": ("import warnings\nwarnings.warn('old')", "it prints or warns"),
    "starts": ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()", "a thread"),
    "sets": ("import os\nos.environ['HOME'] = '/elsewhere'", "environment variables"),
    "moves": ("import os\nos.chdir('/')", "the working directory"),
    "extends": ("import sys\nsys.path.append('/elsewhere')", "sys.path"),
    "formats": ("import numpy\nnumpy.set_printoptions(precision=1)", "numpy.printoptions"),
    "handles": ("import signal\nsignal.signal(signal.SIGUSR1, print)", "it handles a signal"),
    "fails": ("raise ValueError('not today')", "it fails with ValueError"),
    "reaches": ("import beside_the_notebook", "a module beside the notebook"),
}


@pytest.mark.parametrize("name", MORE_THAN_IMPORTS)
def test_what_is_more_than_an_import_is_left_to_the_step(bench: Any, package: Callable[..., None], name: str) -> None:
    text, reason = MORE_THAN_IMPORTS[name]
    package(name, text)
    (bench.root / "beside_the_notebook.py").write_text("")
    may_raise = (f"import {name}\nimport torch", "raises-exception")
    ran = bench.run("import numpy", may_raise, "print('done')")
    assert "imported numpy;" in ran.kernels[0]
    assert f"`import {name}` is left to the steps" in ran.kernels[0]
    assert reason in ran.kernels[0]
    assert ran.printed.endswith("done\n")
    assert ("hello" in ran.printed) == name.startswith("prints")


def test_the_authors_own_module_is_never_run_ahead(bench: Any) -> None:
    (bench.root / "own.py").write_text("import os\nopen('ran.txt', 'a').write(f'{os.getpid()} ')\n")
    ran = bench.run("import numpy\nimport own\nimport pandas", "import os\nprint(os.getpid())")
    assert ran.kernels == ["the steps run in kernels forked from one process that imported numpy"]
    assert (bench.root / "ran.txt").read_text().split() == ran.printed.split()


def test_where_a_fork_would_hang_kernels_are_cold(bench: Any, package: Callable[..., None]) -> None:
    package("works", "import torch\n(torch.ones(900, 900, requires_grad=True) @ torch.ones(900, 900)).sum().backward()")
    work = "w = torch.ones(900, 900, requires_grad=True)\n(w @ w).sum().backward()\nprint(float(w.grad[0, 0]))"
    ran = bench.run("import torch\nimport works", work, timeout=60.0)
    assert ran.printed == "1800.0\n"
    assert ran.kernels == ["the steps run in cold kernels: a forked process hung, or died, as it worked in parallel"]


def test_a_kernel_of_another_python_is_cold_and_the_run_says_so(bench: Any, tmp_path: Path, one_cell: Any) -> None:
    spec = tmp_path / "kernels" / "other"
    spec.mkdir(parents=True)
    argv = ["/usr/bin/env", sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "o", "language": "python"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(tmp_path))
        ran = bench.run_call(bench.on(bench.call(one_cell), kernel="other"))
    assert ran.completed
    assert ran.kernels == ["the steps run in cold kernels: the kernel `other` is not this Python's"]


ENDING = """
import atexit, concurrent.futures, threading, time, tempfile
class Last:
    def __del__(self):
        print("deleted", file=open("deleted.txt", "w"), flush=True)
last = Last()
open_file = open("unflushed.txt", "w")
open_file.write("kept")
own_module.held = open("held.txt", "w")
own_module.held.write("kept")
atexit.register(lambda: open("atexit.txt", "w").write("ran"))
def late():
    time.sleep(0.3)
    open("thread.txt", "w").write("ended")
threading.Thread(target=late).start()
pool = concurrent.futures.ThreadPoolExecutor(1)
pool.submit(print).result()
folder = tempfile.TemporaryDirectory(dir=".", prefix="temporary")
"""


def test_a_kernel_ends_as_a_program_does(either: Any) -> None:
    (either.root / "own_module.py").write_text("")
    began = time.monotonic()
    assert either.run("import json\nimport own_module", ENDING).completed
    assert time.monotonic() - began < 15
    left = {path.name: path.read_text() for path in either.root.glob("*.txt")}
    assert left == {
        "deleted.txt": "deleted\n",
        "unflushed.txt": "kept",
        "held.txt": "kept",
        "atexit.txt": "ran",
        "thread.txt": "ended",
    }
    assert not list(either.root.glob("temporary*"))


TRAINING = """
# %% tags=["imports"]
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

# %% tags=["functions"]
def train(net, epochs):
    data = TensorDataset(torch.rand(64, 50), torch.rand(64, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(epochs):
        for x, y in DataLoader(data, batch_size=16, shuffle=True, num_workers=2):
            optimizer.zero_grad()
            ((net(x) - y) ** 2).mean().backward()
            optimizer.step()
    return float(sum(p.double().abs().sum() for p in net.parameters()))

# %% tags=["step:one"]
torch.manual_seed(1)
one = train(torch.nn.Sequential(torch.nn.Linear(50, 300), torch.nn.ReLU(), torch.nn.Linear(300, 1)), 2)

# %% tags=["step:two"]
torch.manual_seed(2)
two = train(torch.nn.Sequential(torch.nn.Linear(50, 300), torch.nn.Tanh(), torch.nn.Linear(300, 1)), 2)

# %% tags=["step:three"]
big = np.random.default_rng(3).random((300, 300))
three = float(np.linalg.svd(big @ big)[1].sum())

# %% tags=["step:join"]
print(repr((one, two, three)))
"""


def test_training_gives_the_same_bits_forked_and_cold_one_by_one_and_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for kernels in ("forked", "cold"):
        for jobs in (1, 2):
            monkeypatch.setenv(VARIABLE, kernels)
            path = tmp_path / f"{kernels}{jobs}" / "n.py"
            path.parent.mkdir()
            path.write_text(TRAINING)
            result = nb2pipe.run(path, jobs=jobs, seed=5, home=path.parent / ".nb2pipe")
            assert result.status == "succeeded"
            found[kernels, jobs] = tuple(result.value(name) for name in ("one", "two", "three"))
            record = json.loads(next((path.parent / ".nb2pipe" / "runs").glob("*/run.json")).read_text())
            assert [kernels in note["message"] for note in record["notes"] if note["code"] in {"NB518", "NB519"}] == [
                True
            ]
    assert len(set(found.values())) == 1, found


WAITING = """
# %% tags=["imports"]
import subprocess
import time

# %% tags=["step:a"]
a = subprocess.Popen(["sleep", "300"], start_new_session=True).pid
subprocess.Popen(["sleep", "300"])
print("begun", flush=True)
time.sleep(300)

# %% tags=["step:b"]
print("begun", flush=True)
while True:
    pass
"""


@pytest.mark.parametrize("kernels", ["forked", "cold"])
def test_nothing_outlives_a_run_that_is_killed(tmp_path: Path, kernels: str) -> None:
    with _waiting_run(tmp_path, kernels) as (run, family):
        run.kill()
        assert _left(family) == []


def test_no_kernel_outlives_the_run_and_all_that_watches_over_it(tmp_path: Path) -> None:
    with _waiting_run(tmp_path, "forked") as (run, family):
        guard, parent = (next(each for each in family if _is(each, word)) for word in ("guard.py", "parent.py"))
        kernels = parent.children()
        assert len(kernels) == 2
        for each in (run, guard, parent):
            each.kill()
        assert _left(kernels) == []


def test_steps_fail_where_the_process_that_kernels_are_forked_from_is_killed(tmp_path: Path) -> None:
    with _waiting_run(tmp_path, "forked") as (run, family):
        next(each for each in family if _is(each, "parent.py")).kill()
        output, _ = run.communicate(timeout=20)
        assert run.returncode == 5
        assert "the process that kernels are forked from ended" in output
        assert _left(family) == []


def _left(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run after a moment."""
    _, left = psutil.wait_procs(processes, timeout=5)
    return [each for each in left if each.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def _waiting_run(folder: Path, kernels: str) -> Iterator[tuple[psutil.Popen, list[psutil.Process]]]:
    """A run of two steps that wait for ever, with all processes that it started."""
    path = folder / "n.py"
    path.write_text(WAITING)
    command = [sys.executable, "-m", "nb2pipe", "run", str(path), "-j", "2", "--color", "never"]
    environment = {**os.environ, VARIABLE: kernels}
    with psutil.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as run:
        begun = 0
        while begun < 2 and (line := run.stdout.readline()):
            begun += "| begun" in line
        family = run.children(recursive=True)
        try:
            assert begun == 2
            yield run, family
        finally:
            for each in (run, *family):
                with suppress(psutil.NoSuchProcess):
                    each.kill()


def _is(process: psutil.Process, program: str) -> bool:
    """Whether a process runs a file of ours, and not another of ours that starts it."""
    return next((Path(word).name for word in process.cmdline() if word.endswith(".py")), "") == program
