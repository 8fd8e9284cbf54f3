"""A step in a kernel: what it takes, gives, tells and leaves on disk."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from nb2pipe.errors import StoreError, UsageError
from nb2pipe.execution.model import Completed
from nb2pipe.notebook.model import Notebook
from nb2pipe.pipeline.model import Block, BlockRole
from nb2pipe.records.events import CellFinished, CellStarted, Noted, OutputWritten

if TYPE_CHECKING:
    from pathlib import Path


def test_a_step_tells_of_its_cells_and_leaves_values_and_its_notebook(bench: Any) -> None:
    ran = bench.run("x = [1, 2]\nprint('to be seen')\nx", "y = x", "z = 3", cells=(1, 2), gives="x y z")
    assert [type(event) for event in ran.events] == [
        CellStarted,
        OutputWritten,
        CellFinished,
        CellStarted,
        CellFinished,
    ]
    assert [event.cell for event in ran.events] == [1, 1, 1, 2, 2]
    assert ran.printed == "to be seen\n"
    first = ran.of(CellFinished)[0].outputs
    assert [output["output_type"] for output in first] == ["stream", "execute_result"]
    assert first[1]["data"]["text/plain"] == "[1, 2]"

    # An output that the step did not bind is absent, and two names of one list are still that.
    (group,) = ran.completed.outputs
    values = bench.values(ran.completed)
    assert group.names == ("x", "y")
    assert values == {"x": [1, 2], "y": [1, 2]}
    assert values["x"] is values["y"]

    notebook = nbformat.read(bench.step_notebook(), 4)
    nbformat.validate(notebook)
    roles = [(cell.metadata.nb2pipe.get("cell"), cell.metadata.nb2pipe.role) for cell in notebook.cells]
    assert roles == [(None, "enter"), (1, "code"), (2, "code"), (None, "leave")]
    assert [cell.execution_count for cell in notebook.cells] == [None, 1, 2, None]
    assert [path.name for path in bench.step_notebook().parent.iterdir()] == ["fit.ipynb"]


def test_the_next_step_takes_what_it_needs_and_passes_on_what_shares_its_objects(bench: Any) -> None:
    made = bench.run("x = [1]\npair = {'of': x}\nother = [0]", gives="x pair other").completed
    ran = bench.run(
        "x.append(2)\nprint(sorted(n for n in globals() if not n.startswith('_')))",
        takes="x",
        gives="x",
        groups=made.outputs,
    )
    hidden = {"In", "Out", "exit", "quit", "open", "get_ipython"}
    assert set(json.loads(ran.printed.replace("'", '"'))) - hidden == {"x"}
    values = bench.values(ran.completed)
    assert values == {"x": [1, 2], "pair": {"of": [1, 2]}}
    assert values["pair"]["of"] is values["x"]


def test_a_change_that_nobody_foresaw_is_passed_on_and_what_was_only_read_is_not(bench: Any) -> None:
    made = bench.run("x = [1]\nread = [2]\nfar = [3]", gives="x read far").completed
    ran = bench.run("globals()['x'].append(9)\nm = {'data': far}", takes="x read far", gives="m", groups=made.outputs)
    assert sorted(group.names for group in ran.completed.outputs) == [("far", "m"), ("x",)]
    assert ran.completed.unchanged == {"far"}


def test_where_two_groups_hold_a_name_the_later_one_counts(bench: Any) -> None:
    one = bench.run("x = [1]\ny = [x]", gives="x y").completed
    two = bench.run("x = [2]", gives="x").completed
    ran = bench.run("print(x, y)", takes="x y", groups=(*one.outputs, *two.outputs))
    assert ran.printed == "[2] [[1]]\n"
    assert ran.completed.outputs == ()


def test_inputs_are_loaded_after_the_definitions_that_they_need(bench: Any) -> None:
    cells = (
        "import math\nclass Box:\n    def __init__(self, n):\n        self.n = n",
        "base = 10\nbox = Box(1)",
        "def grow(by=base):\n    box.n += by",
        "grow()\nprint(box.n, isinstance(box, Box))",
    )
    made = bench.run(*cells, cells=(2,), repeated=(1,), gives="base box").completed
    ran = bench.run(*cells, cells=(4,), repeated=(1, 3), takes="base box", gives="box", groups=made.outputs)
    assert ran.printed == "11 True\n"
    roles = [cell.metadata.nb2pipe.role for cell in nbformat.read(bench.step_notebook(), 4).cells]
    assert roles == ["enter", "definitions", "enter", "definitions", "enter", "code", "leave"]


def test_given_parameters_follow_the_cell_of_their_default(bench: Any) -> None:
    given = {"lr": 0.5, "name": 'it\'s "so"\\n{x}', "sizes": {1: [None, True]}, "top": float("inf")}
    blocks = (Block(cell=1, role=BlockRole.PARAMETERS, injects=("lr", "name", "sizes", "top")), Block(cell=2))
    ran = bench.run(
        ("lr = 0.1\nname = ''\nsizes = {}\ntop = 1.0\nscaled = lr * 10", "parameters"),
        "print([lr, name, sizes, top, scaled])",
        cells=(2,),
        blocks=blocks,
        parameters=given,
    )
    assert ran.printed == f"{[*given.values(), 1.0]!r}\n"
    cell = nbformat.read(bench.step_notebook(), 4).cells[2]
    assert (cell.metadata.tags, cell.metadata.nb2pipe.role) == (["injected-parameters"], "injected")


def test_a_secret_reaches_the_kernel_and_stays_out_of_the_notebook_that_is_kept(bench: Any) -> None:
    given = {"db": {"password": "hunter2", "port": 1}, "token": "hunter2", "lr": 0.5}
    notebook = bench.step_notebook()
    ran = bench.run(
        "import pathlib\nkept = pathlib.Path('.').rglob('*.ipynb')\n"
        "print([db['password'][::-1], token[::-1]], ['hunter' '2' in path.read_text() for path in kept])",
        parameters=given,
    )
    assert ran.printed == "['2retnuh', '2retnuh'] [False]\n"
    assert "hunter2" not in notebook.read_text()
    (cell,) = (cell for cell in nbformat.read(notebook, 4).cells if cell.metadata.nb2pipe.role == "injected")
    assert cell.source.splitlines() == [
        "# Parameters",
        "db = {'password': '********', 'port': 1}",
        "token = '********'",
        "lr = 0.5",
    ]


def test_metrics_are_taken_when_their_cell_has_run(bench: Any) -> None:
    ran = bench.run(
        "loss = 0.25\nworst = float('nan')\nprint(scores)\nok = True\ntext = 'a'\nfor i in range(3):\n    pass",
        "loss = 99",
        name="score",
        metrics=(1,),
        takes="scores",
        groups=bench.run("scores = {'f1': 0.5, 'n/a': 2}", gives="scores").completed.outputs,
    )
    metrics = dict(ran.completed.metrics)
    assert str(metrics.pop("worst")) == "nan"
    assert metrics == {"loss": 0.25, "f1": 0.5, "n/a": 2.0, "ok": 1.0}


def test_random_generators_begin_with_the_seed_and_are_handed_on(bench: Any) -> None:
    import random

    import numpy as np
    import torch

    own, of_torch, of_numpy = random.Random(7), torch.Generator().manual_seed(7), np.random.RandomState(7)
    drawn = [[own.random(), float(of_numpy.rand()), float(torch.rand(1, generator=of_torch))] for _ in range(3)]
    draw = (
        "import random\nimport numpy as np, torch\n"
        "print([random.random(), float(np.random.rand()), float(torch.rand(1))])"
    )
    one = bench.run(draw)
    two = bench.run(draw, state=one.completed.state)
    three = bench.run("import random, numpy\nx = 1", draw, cells=(2,), repeated=(1,), state=two.completed.state)
    idle = bench.run("import random, numpy.random, torch\nx = 1", state=two.completed.state)
    assert [json.loads(ran.printed) for ran in (one, two, three)] == drawn
    assert set(one.completed.state) >= {"random", "numpy", "torch"}
    assert not {"random", "numpy", "torch"} & set(idle.completed.state)


def test_other_hidden_state_is_handed_on(bench: Any) -> None:
    (bench.root / "inner").mkdir()
    set_all = (
        "import os, sys, warnings\nimport numpy as np, pandas as pd, matplotlib\n"
        "os.environ['OF_A_TEST'] = 'set'\nos.chdir('inner')\nsys.path.insert(0, '/of/a/test')\n"
        "warnings.filterwarnings('error', category=FutureWarning)\nnp.set_printoptions(precision=2)\n"
        "pd.set_option('display.float_format', '{:.1f}'.format)\nmatplotlib.rcParams['figure.figsize'] = [3, 2]"
    )
    look = (
        "import os, sys, warnings\n"
        "print(os.environ['OF_A_TEST'], os.path.basename(os.getcwd()), sys.path[0], warnings.filters[0][0])\n"
        "import numpy as np, pandas as pd, matplotlib\n"
        "print(np.array([1 / 3]), matplotlib.rcParams['figure.figsize'], pd.Series({'a': 1 / 3}).to_string())"
    )
    made = bench.run(set_all).completed.state
    assert set(made) >= {"environ", "cwd", "sys.path", "warnings", "numpy.printoptions", "pandas.options", "rcParams"}
    ran = bench.run("import numpy", look, cells=(2,), repeated=(1,), state=made)
    assert ran.printed == "set inner /of/a/test error\n[0.33] [3.0, 2.0] a   0.3\n"
    assert not {"environ", "cwd", "sys.path", "numpy.printoptions", "rcParams"} & set(ran.completed.state)


def test_a_required_output_that_cannot_be_stored_is_a_failure_with_its_place(bench: Any) -> None:
    cell = "stream = open('n.txt', 'w')\nkept = [1]\nstate = {'log': stream}"
    failure = bench.run(cell, gives="stream kept state").failure
    assert (failure.kind, failure.cell, failure.line) == ("UnstorableError", 1, 1)
    assert failure.source_line == "stream = open('n.txt', 'w')"
    assert "open file" in failure.message

    ran = bench.run(cell, gives="stream kept state", taken=frozenset({"kept"}))
    assert bench.values(ran.completed) == {"kept": [1]}
    assert [(note.code, note.step) for note in ran.of(Noted)] == [("NB501", "fit"), ("NB501", "fit")]
    assert 'state["log"]' in ran.of(Noted)[1].message or "state['log']" in ran.of(Noted)[1].message


def test_an_input_that_is_not_in_the_store_is_an_error_of_the_store(bench: Any) -> None:
    made = bench.run("x = 1", gives="x").completed
    (artifact,) = (path for path in (bench.home / "store").rglob("*") if path.is_file())
    artifact.unlink()
    with pytest.raises(StoreError, match="step `fit`"):
        bench.run("x", takes="x", groups=made.outputs)


def test_an_unknown_kernel_is_an_error_of_use(bench: Any, one_cell: Notebook) -> None:
    with pytest.raises(UsageError, match="no-such-kernel"):
        bench.run_call(bench.on(bench.call(one_cell), kernel="no-such-kernel"))


def test_steps_run_side_by_side_in_threads_and_where_a_loop_runs(bench: Any) -> None:
    found: dict[int, Any] = {}

    def one(number: int) -> None:
        found[number] = bench.run(f"x = {number}\nprint(x)", name=f"s{number}", gives="x")

    async def in_a_loop() -> None:
        one(2)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(in_a_loop())
    assert [found[number].printed for number in range(3)] == ["0\n", "1\n", "2\n"]
    assert all(isinstance(ran.outcome, Completed) for ran in found.values())


def test_rich_output_stands_in_the_step_notebook_and_nothing_is_left_in_the_names(bench: Any) -> None:
    ran = bench.run(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\n_ = 5",
        "print(_, sorted(Out), In[-1][:5], len(In))",
    )
    outputs = [event.outputs for event in ran.of(CellFinished)]
    assert "image/png" in outputs[0][0]["data"]
    assert outputs[1][0]["data"]["text/html"] == "<b>x</b>"
    assert ran.printed == "5 [] print 4\n"


def test_a_kernel_of_another_environment_needs_no_nb2pipe(bench: Any, tmp_path: Path, one_cell: Notebook) -> None:
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    # Python that sees the installed packages, but not the editable nb2pipe, which a .pth file brings in.
    program = tmp_path / "bare.py"
    program.write_text(
        "import sys\n"
        f"sys.path.append({packages!r})\n"
        "import importlib.util\n"
        "found = importlib.util.find_spec('nb2pipe')\n"  # the editable one leaves a folder of templates there
        "assert found is None or found.loader is None, 'the test is worth nothing'\n"
        "from ipykernel.kernelapp import launch_new_instance\n"
        "launch_new_instance()\n"
    )
    spec = tmp_path / "kernels" / "bare"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-S", str(program), "-f", "{connection_file}"]
    content = {"argv": argv, "display_name": "bare", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(content))
    notebook = Notebook(
        path="n.ipynb",
        cells=one_cell.cells,
        kernel=one_cell.kernel,
        settings=one_cell.settings,
        digest=one_cell.digest,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(tmp_path))
        ran = bench.run_call(bench.on(bench.call(notebook, gives="x"), kernel="bare"))
    assert bench.values(ran.completed)["x"] == 1


def test_plain_papermill_can_use_the_engine(tmp_path: Path) -> None:
    source, target = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    cells = [nbformat.v4.new_code_cell("print(6 * 7)"), nbformat.v4.new_code_cell("1 / 0")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), source)
    command = [sys.executable, "-m", "papermill", "--engine", "nb2pipe", str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    outputs = [cell.get("outputs") for cell in nbformat.read(target, 4).cells if cell.cell_type == "code"]
    assert outputs[0][0]["text"] == "42\n"


def test_a_lot_of_output_arrives_whole_and_quickly(bench: Any) -> None:
    began = time.monotonic()
    ran = bench.run("for _ in range(200):\n    print('x' * 100_000)\nprint('a\\rb')")
    assert len(ran.printed) == 200 * 100_001 + 4
    (output,) = ran.of(CellFinished)[0].outputs
    assert output["text"].endswith("a\rb\n")
    assert time.monotonic() - began < 30
