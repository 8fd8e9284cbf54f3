"""Values that pass through a store, where each step has a disk of its own that is empty when it begins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.errors import UsageError
from nb2pipe.runtime.elsewhere.passage import passage_of
from nb2pipe.store.local import LocalStore

NOTEBOOK = """
# %% tags=["imports"]
import os
import pathlib
import random
import numpy as np

# %% tags=["parameters"]
size = 4
name = "a"

# %% tags=["step:make"]
rows = np.arange(size) * 1.5
half = rows[::2]
first = random.random()
pathlib.Path("out").mkdir()
pathlib.Path("out/a.txt").write_text(name)

# %% tags=["step:beside"]
other = list(range(size))

# %% tags=["step:change", "gate:total > 1"]
rows += 1
total = float(half.sum())
second = random.random()

# %% tags=["pipeline-metrics"]
print(total)

# %% tags=["step:last"]
text = f"{pathlib.Path('out/a.txt').read_text()} {half.sum()} {random.random()} {len(other)}"
pathlib.Path("said.txt").write_text(text)
"""
STEPS = ("make", "beside", "change", "last")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("passage")
    (folder / "n.py").write_text(dedent(NOTEBOOK))
    write(nb2pipe.emit(nb2pipe.load(folder / "n.py")), folder / "bundle")
    return folder / "bundle"


@dataclass
class Engine:
    """Runs each step on a disk that is its own, and empty."""

    bundle: Path
    disks: Path
    store: str
    run: str = "one"
    variables: dict[str, str] = field(default_factory=dict)
    disk: Path = field(init=False)

    def step(self, name: str, *words: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        self.disk = self.disks / f"{len(list(self.disks.iterdir()))}"
        self.disk.mkdir(parents=True)
        named = {
            "NB2PIPE_STORE": self.store,
            "NB2PIPE_RUN": self.run,
            "TMPDIR": str(self.disks.parent),
            **self.variables,
            **variables,
        }
        done = subprocess.run(
            [sys.executable, "-m", f"n_pipeline.steps.{name}", "--nb2pipe-through-store", "--nb2pipe-files", *words],
            cwd=self.disk,
            env={**os.environ, "PYTHONPATH": str(self.bundle), **named},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stderr
        return done

    def told(self, name: str, *words: str) -> dict[str, Any]:
        lines = self.step(name, *words, "--nb2pipe-told", "-").stdout.splitlines()
        found: dict[str, Any] = json.loads(lines[-1])
        return found


@pytest.fixture
def engine(bundle: Path, tmp_path: Path) -> Engine:
    (tmp_path / "disks").mkdir()
    return Engine(bundle, tmp_path / "disks", str(tmp_path / "store"))


def straight(bundle: Path, folder: Path, seed: int, *words: str) -> str:
    """What the whole pipeline in one process writes."""
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(bundle), "NB2PIPE_STORE": ""}
    command = [sys.executable, "-m", "n_pipeline", "--seed", str(seed), *words]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return (folder / "said.txt").read_text()


def uploaded(store: str) -> dict[str, object]:
    """When each artifact was written."""
    if "://" not in store:
        return {path.name: path.stat().st_mtime_ns for path in Path(store, "store").rglob("*") if path.is_file()}
    return {one.key: one.last_modified for one in bucket_of(store).objects.filter(Prefix="team/store/")}


def bucket_of(store: str) -> Any:
    import boto3  # type: ignore[import-untyped]

    return boto3.resource("s3").Bucket(store.split("/")[2])


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_steps_that_share_nothing_but_a_store_compute_what_one_process_does(
    engine: Engine, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    if kind == "s3":
        engine.store = request.getfixturevalue("s3")
    told = [engine.told(name, *(["--name=x y", "--seed=12"] if name == "make" else [])) for name in STEPS]
    made = told[0]
    assert (made["step"], made["run"], made["store"]) == ("make", "one", engine.store)
    assert made["record"] == "runs/one/values/make.json"
    rows = next(one for one in made["outputs"] if one["name"] == "rows")
    assert rows["type"] == "numpy.ndarray"
    assert rows["summary"]["shape"] == [4]
    assert len(rows["digest"]) == 64
    assert list(made["files"]) == ["out/a.txt"]
    assert (told[2]["metrics"], told[2]["gate"], told[3]["skipped"]) == ({"total": 5.0}, True, None)
    assert (engine.disk / "said.txt").read_text() == straight(engine.bundle, tmp_path / "w", 12, "--name=x y")
    assert not list(tmp_path.glob("nb2pipe-*")), "nothing stays behind"
    before = uploaded(engine.store)
    engine.step("make", "--name=x y", "--seed=12")
    assert before
    assert uploaded(engine.store) == before, "what the store has is not brought again"


def test_a_gate_that_does_not_hold_skips_what_comes_after_it(engine: Engine) -> None:
    told = {name: engine.told(name, *(["--size=1"] if name in {"make", "beside"} else [])) for name in STEPS[:3]}
    assert told["change"]["gate"] is False
    last = engine.told("last", "--nb2pipe-gated")
    assert (last["skipped"], last["outputs"]) == ("change", [])
    assert not (engine.disk / "said.txt").exists()
    record = json.loads(Path(engine.store, "runs/one/values/last.json").read_text())
    assert record["skipped"] == "change"


def test_runs_at_once_do_not_meet(engine: Engine, tmp_path: Path) -> None:
    def whole(run: str) -> float:
        (tmp_path / run).mkdir()
        mine = Engine(engine.bundle, tmp_path / run, engine.store, run)
        for name in ("beside", "make", "change"):
            told = mine.told(name, *([] if name == "change" else [f"--size={run[-1]}"]))
        return float(told["metrics"]["total"])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(whole, ["run4", "run6"])) == [5.0, 12.0]


def test_the_initial_random_state_is_the_runs_so_that_a_step_tried_again_draws_the_same(engine: Engine) -> None:
    digests = [
        {one["name"]: one["digest"] for one in engine.told("make")["outputs"]},
        {one["name"]: one["digest"] for one in engine.told("make")["outputs"]},
    ]
    assert digests[0] == digests[1]
    engine.run = "another"
    third = {one["name"]: one["digest"] for one in engine.told("make")["outputs"]}
    assert third["rows"] == digests[0]["rows"]
    assert third.get("first") == digests[0].get("first")
    states = [json.loads(Path(engine.store, f"runs/{run}/values/make.json").read_text()) for run in ("one", "another")]
    assert states[0]["seed"] != states[1]["seed"]


def test_a_step_that_is_killed_while_it_brings_values_has_left_nothing_and_can_be_tried_again(engine: Engine) -> None:
    engine.step("make")
    Path(engine.store, "runs/one/values/make.json").unlink()
    store = LocalStore(Path(engine.store) / "store")
    assert store.digests(), "what names the values is gone, as if it had not come so far"
    failed = engine.step("change", code=2)
    assert "there is no `make.json` of the run `one` in the store" in failed.stderr
    assert "run the step `make` first, with the same values of NB2PIPE_STORE and NB2PIPE_RUN" in failed.stderr
    engine.step("make")
    engine.step("change")


def test_a_damaged_artifact_is_told(engine: Engine, s3: str) -> None:
    engine.store = s3
    engine.step("make")
    for one in bucket_of(s3).objects.filter(Prefix="team/store/"):
        one.put(Body=b"other bytes")
    failed = engine.step("change", code=7)
    assert "was damaged in s3://" in failed.stderr


def test_the_run_of_another_pipeline_is_refused(engine: Engine) -> None:
    engine.step("make")
    path = Path(engine.store, "runs/one/values/make.json")
    path.write_text(path.read_text().replace('"pipeline": "n"', '"pipeline": "other"'))
    failed = engine.step("change", code=2)
    assert "is of the pipeline `other`, not of `n`" in failed.stderr
    assert "hint: give each run a name of its own: NB2PIPE_RUN" in failed.stderr


@pytest.mark.parametrize(
    ("variables", "words", "said"),
    [
        ({"NB2PIPE_STORE": ""}, (), "no store is named | NB2PIPE_STORE names it"),
        ({"NB2PIPE_RUN": " "}, (), "no run is named | NB2PIPE_RUN names it: the same for all steps of one run"),
        ({"NB2PIPE_STORE": "s3://me:planted@x/y"}, (), "the URL of the store holds a password | give it by"),
        ({}, (Path("x"),), "so no folder for them is to be named | leave out"),
    ],
)
def test_what_is_wrong_with_the_store_is_told_with_what_to_do(
    variables: dict[str, str], words: tuple[Path, ...], said: str
) -> None:
    named = {"NB2PIPE_STORE": "s3://bucket", "NB2PIPE_RUN": "one", **variables}
    with pytest.raises(UsageError) as caught, passage_of(named, words):
        raise AssertionError
    assert said in f"{caught.value.message} | {caught.value.hint}"
    assert "planted" not in str(caught.value)


def test_a_store_of_no_known_kind_is_told_before_the_step_begins(engine: Engine) -> None:
    assert "`nowhere://x` is no store" in engine.step("make", code=2, NB2PIPE_STORE="nowhere://x").stderr
    assert not (engine.disk / "out").exists()


def test_a_store_that_nothing_here_reaches_is_told_with_what_to_install(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "s3fs.py").write_text("raise ImportError('no s3fs here')")
    path = f"{tmp_path}{os.pathsep}{engine.bundle}"
    failed = engine.step("make", code=7, NB2PIPE_STORE="s3://bucket/x", PYTHONPATH=path)
    assert "what reaches s3://bucket/x is not installed" in failed.stderr
    assert "hint: pip install s3fs" in failed.stderr


def test_names_of_runs_that_engines_make_are_made_safe(engine: Engine) -> None:
    engine.run = "scheduled__2026-11-23T01:00:00+00:00/../../x"
    told = engine.told("make")
    assert told["run"].startswith("scheduled__2026-11-23T01_00_00_00_00_x.")
    assert Path(engine.store, told["record"]).is_file()
    assert {path.name for path in Path(engine.store, "runs").iterdir()} == {told["run"]}


def test_a_store_below_the_working_directory_is_no_file_of_the_steps(engine: Engine) -> None:
    engine.store = "store"
    told = engine.told("make")
    assert (engine.disk / "store" / told["record"]).is_file()
    assert list(told["files"]) == ["out/a.txt"]


def test_what_was_left_is_told_of_folders_too(engine: Engine, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(engine.bundle), "NB2PIPE_STORE": "", "NB2PIPE_RUN": ""}
    told = tmp_path / "xcom" / "return.json"
    words = ["-m", "n_pipeline.steps.make", "--outputs", "left", "--told", str(told)]
    subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, check=True, capture_output=True)
    (line,) = told.read_text().splitlines()
    assert json.loads(line)["store"] is None
    assert {one["name"] for one in json.loads(line)["outputs"]} >= {"rows", "half"}


def test_the_process_that_brings_values_does_not_outlive_the_step(tmp_path: Path) -> None:
    program = (
        "import os, sys, time, pathlib\n"
        "from nb2pipe.runtime.elsewhere.apart import Apart\n"
        "Apart('waits', {}, {**os.environ, 'PYTHONSAFEPATH': ''})\n"
        "while not pathlib.Path('pid').exists(): time.sleep(0.02)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    text = "import os, pathlib, time\ndef main(facts):\n    pathlib.Path('pid').write_text(str(os.getpid()))\n"
    (tmp_path / "waits.py").write_text(text + "    time.sleep(60)\n")
    variables = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=variables, check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    pid = int((tmp_path / "pid").read_text())
    deadline = 200
    while Path(f"/proc/{pid}/exe").exists() and deadline:
        deadline -= 1
        time.sleep(0.05)
    assert deadline, "it is still there"
