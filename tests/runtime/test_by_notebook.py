"""Steps that run as notebooks: the same values, files, gates and records as modules give, and the notebook is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import nb2pipe
from nb2pipe.bundles.write import write

NOTEBOOK = """
# %% tags=["imports"]
import os
import pathlib
import random
import numpy as np
from nb2pipe import track

# %% tags=["parameters"]
size = 3
rate = 0.5
name = "a"
flag = False
sizes = [1, 2]
pair = (1, 2)
names = {"x"}
table = {"a": 1}
nothing = None
api_token = "planted-default"
number = float("inf")

# %% tags=["step:make"]
rows = np.arange(size) * rate
half = rows[::2]
kinds = [type(each).__name__ for each in (size, rate, name, flag, sizes, pair, names, table, nothing)]
drawn = random.random()
length = len(api_token)
print("with", api_token, name, flag, sizes, pair, sorted(names), table, nothing, os.environ.get("JUPYTER_PATH"))
pathlib.Path("out").mkdir()
pathlib.Path("out/a.txt").write_text(name)
track.log(loss=0.25, step=1)

# %% tags=["raises-exception"]
1 / 0

# %% tags=["step:change", "gate:total > 1"]
rows += 1
total = float(half.sum())
if name == "fail":
    os.environ["OWN_PASSWORD"] = "planted-here"
    print("with", os.environ["OWN_PASSWORD"])
    raise ValueError(f"no login with {os.environ['OWN_PASSWORD']}")
if name == "wait":
    import time
    print("waiting", flush=True)
    time.sleep(60)
if name == "die":
    os._exit(9)

# %% tags=["pipeline-metrics"]
print(total)

# %% tags=["step:last"]
text = f"{pathlib.Path('out/a.txt').read_text()} {half.sum()} {random.random()} {drawn} {kinds} {length}"
pathlib.Path("said.txt").write_text(text)
"""
GIVEN = {
    "size": 4,
    "rate": 1.5,
    "name": "a \"b\" 'c'\n{{ d }} $(e) `f`",
    "flag": True,
    "sizes": [3, [4.5, None]],
    "pair": [5, 6],
    "names": ["y", "z"],
    "table": {"b": {"c": [1]}},
    "nothing": {"d": 1e100},
    "api_token": "planted-given",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "n.py").write_text(dedent(NOTEBOOK).lstrip())
    write(nb2pipe.emit(nb2pipe.load(folder / "n.py")), folder / "bundle")
    (folder / "given.json").write_text(json.dumps(GIVEN))
    return folder / "bundle"


@dataclass
class Runs:
    """Runs steps, each on a disk of its own."""

    bundle: Path
    folder: Path

    def words(self, step: str, disk: Path, *words: str) -> list[str]:
        inputs = [word for each in ("make", "change") for word in ("--inputs", str(self.folder / f"left-{each}"))]
        given = ["--nb2pipe-parameters", str(self.bundle.parent / "given.json")] if step == "make" else []
        known = [
            word
            for word, path in zip(inputs[::2], inputs[1::2], strict=True)
            for word in (word, path)
            if Path(path).is_dir()
        ]
        outputs = ["--nb2pipe-outputs", str(self.folder / f"left-{step}")]
        disk.mkdir(parents=True)
        return ["-m", f"n_pipeline.steps.{step}", *known, *outputs, "--nb2pipe-files", *given, *words]

    def environment(self, **variables: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(self.bundle),
            "NB2PIPE_STORE": "",
            "TMPDIR": str(self.folder),
            **variables,
        }

    def step(self, step: str, *words: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        disk = self.folder / f"disk-{step}"
        done = subprocess.run(
            [sys.executable, *self.words(step, disk, *words)],
            cwd=disk,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def left(self, step: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"left-{step}" / f"{step}.json").read_text())
        return found

    def notebook(self, step: str) -> Any:
        return json.loads((self.folder / f"{step}.ipynb").read_text())


@pytest.fixture
def runs(bundle: Path, tmp_path: Path) -> Runs:
    (tmp_path / "runs").mkdir()
    return Runs(bundle, tmp_path / "runs")


def kept(record: dict[str, Any]) -> dict[str, Any]:
    return {
        key: record.get(key) for key in ("outputs", "state", "metrics", "files", "folders", "gate", "seed", "types")
    }


def printed(notebook: Any) -> str:
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", ()))
    return "".join("".join(output.get("text", "")) for output in outputs)


def test_a_notebook_leaves_what_a_module_does(runs: Runs, bundle: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    seed = {"make": ["--nb2pipe-seed", "7"]}
    for step in ("make", "change", "last"):
        out = str(runs.folder / f"{step}.ipynb")
        told = ["--nb2pipe-told", "-", "--nb2pipe-metrics", str(runs.folder / f"{step}-metrics.json")]
        done = runs.step(step, *seed.get(step, []), "--nb2pipe-notebook", out, *told, NB2PIPE_STORE=store)
        assert json.loads(done.stdout.splitlines()[-1])["step"] == step
        assert "warning" not in done.stderr
    (tmp_path / "modules").mkdir()
    modules = Runs(bundle, tmp_path / "modules")
    for step in ("make", "change", "last"):
        modules.step(step, *seed.get(step, []))
        assert kept(runs.left(step)) == kept(modules.left(step))
    said = (runs.folder / "disk-last" / "said.txt").read_text()
    assert said == (modules.folder / "disk-last" / "said.txt").read_text()
    assert "['int', 'float', 'str', 'bool', 'list', 'tuple', 'set', 'dict', 'dict'] 13" in said
    assert json.loads((runs.folder / "change-metrics.json").read_text()) == {"total": 5.0}

    made = runs.notebook("make")
    assert "with ******** a \"b\" 'c'\n{{ d }} $(e) `f` True [3, [4.5, None]] (5, 6) ['y', 'z']" in printed(made)
    assert "ZeroDivisionError" in printed(made)
    assert made["metadata"]["kernelspec"]["name"] == "python3"
    injected = [cell for cell in made["cells"] if "injected-parameters" in cell["metadata"].get("tags", ())]
    assert "rate = 1.5" in "".join(injected[0]["source"])
    assert "api_token" not in "".join(injected[0]["source"])
    for path in [runs.folder / "make.ipynb", *Path(store).rglob("*.json")]:
        assert "planted" not in path.read_text(), path
    run = json.loads(next(Path(store).rglob("run.json")).read_text())
    assert (run["status"], [step["status"] for step in run["steps"]]) == ("succeeded", ["ran"] * 3)
    assert run["series"] == {"loss": 1}
    assert not list(runs.folder.glob("nb2pipe-*")), "nothing stays behind"


def test_a_step_that_fails_keeps_its_notebook_with_the_error_in_it(runs: Runs, tmp_path: Path) -> None:
    runs.step("make")
    out, store = runs.folder / "kept" / "change.ipynb", tmp_path / "store"
    failed = runs.step("change", "--name=fail", "--nb2pipe-notebook", str(out), code=5, NB2PIPE_STORE=str(store))
    assert "ValueError: no login with ********" in failed.stderr
    assert (
        "error: the step `change` failed in n.py, cell 5, line 6: ValueError: no login with ********" in failed.stderr
    )
    notebook = json.loads(out.read_text())
    errors = [output for cell in notebook["cells"] for output in cell.get("outputs", ()) if "ename" in output]
    assert [(error["ename"], error["evalue"]) for error in errors] == [("ValueError", "no login with ********")]
    assert "planted" not in out.read_text()
    assert not (runs.folder / "left-change" / "change.json").exists()
    record = json.loads(next(store.rglob("steps/change.json")).read_text())
    assert (record["status"], record["error"]["cell"], record["error"]["line"]) == ("failed", 5, 6)
    assert "planted" not in json.dumps(record)


def test_what_is_missing_and_what_ends_python_is_told_with_the_code_that_a_module_gives(runs: Runs) -> None:
    out = str(runs.folder / "out.ipynb")
    missing = runs.step("change", "--nb2pipe-notebook", out, code=2)
    assert "error: the step `change` takes `half` from the step `make`; no folder of inputs was given" in missing.stderr
    (runs.folder / "disk-change").rmdir()
    runs.step("make")
    died = runs.step("change", "--name=die", f"--nb2pipe-notebook={out}", code=5)
    assert "the step `change` failed: its notebook did not come to its end" in died.stderr


def test_a_gate_that_does_not_hold_keeps_the_notebook_as_it_is(runs: Runs) -> None:
    runs.step("make", "--size=1")
    runs.step("change")
    skipped = runs.step("last", "--nb2pipe-gated", "--nb2pipe-notebook", str(runs.folder / "last.ipynb"))
    assert "last: the gate of `change` does not hold, so it is skipped" in skipped.stderr
    assert runs.left("last")["skipped"] == "change"
    assert all(cell.get("execution_count") is None for cell in runs.notebook("last")["cells"])


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_no_kernel_outlives_its_step(runs: Runs, by: signal.Signals, code: int) -> None:
    runs.step("make")
    disk, out = runs.folder / "disk-change", runs.folder / "change.ipynb"
    words = runs.words("change", disk, "--name=wait", "--nb2pipe-notebook", str(out))
    with subprocess.Popen(
        [sys.executable, *words], cwd=disk, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(by)
        assert process.wait(30) == code
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(_is_of(path, disk) for path in Path("/proc").glob("[0-9]*")):
        time.sleep(0.1)
    assert not any(_is_of(path, disk) for path in Path("/proc").glob("[0-9]*"))
    if by is signal.SIGINT:
        assert "KeyboardInterrupt" in out.read_text()


def _is_of(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False


def test_a_nested_notebook_takes_its_parameters_from_around_it(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text(
        '# %% tags=["parameters"]\nfactor = 1\nown = 2\n# %% tags=["step:half"]\nhalves = [factor, own]\n'
    )
    outer = tmp_path / "outer.py"
    outer.write_text(
        '# %% tags=["parameters"]\nfactor = 3\n'
        '# %% tags=["notebook:inner"] notebook_path="inner.py"\n# %% tags=["step:use"]\nprint(halves)\n'
    )
    write(nb2pipe.emit(nb2pipe.load(outer)), tmp_path / "bundle")
    summaries = []
    for words in ((), ("--nb2pipe-notebook", "half.ipynb")):
        done = subprocess.run(
            [sys.executable, "-m", "outer_pipeline.steps.inner.half", "--outputs", f"left{len(words)}", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "bundle"), "NB2PIPE_STORE": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        record = json.loads((tmp_path / f"left{len(words)}" / "inner.half.json").read_text())
        summaries.append([group["digest"] for group in record["outputs"]])
    assert summaries[0] == summaries[1]


def test_without_papermill_it_is_told_what_to_install(runs: Runs, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'papermill' else found(name, *more)\n"
        "from nb2pipe.runtime.program import run_step\n"
        "import n_pipeline\n"
        f"sys.exit(run_step('n_pipeline', 'change', ['--notebook', {str(tmp_path / 'x.ipynb')!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=runs.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "hint: pip install papermill" in done.stderr


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_notebook_whose_values_go_through_a_store_is_kept_there_also_where_it_failed(
    scheme: str, bundle: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    named = {"NB2PIPE_STORE": f"{scheme}{store}", "NB2PIPE_RUN": "nightly", "PYTHONPATH": str(bundle)}

    def step(name: str, *words: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / name).mkdir()
        command = [sys.executable, "-m", f"n_pipeline.steps.{name}", "--nb2pipe-through-store", *words]
        own = ["--nb2pipe-told=-", f"--nb2pipe-notebook={tmp_path / 'aside' / name}.ipynb", "--nb2pipe-files"]
        variables = {**os.environ, **named}
        return subprocess.run(
            [*command, *own], cwd=tmp_path / name, env=variables, capture_output=True, text=True, check=False
        )

    made = step("make", f"--nb2pipe-parameters={bundle.parent / 'given.json'}")
    told = json.loads(made.stdout.splitlines()[-1])
    assert told["notebook"] == "runs/nightly/notebooks/make.ipynb"
    assert "True [3, [4.5, None]]" in printed(json.loads((store / told["notebook"]).read_text()))
    assert step("change", "--name=fail").returncode == 5
    assert "ValueError" in (store / "runs/nightly/notebooks/change.ipynb").read_text()
