"""Steps that run elsewhere, without nb2pipe, leave their records in a store, and lineage reads them there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from nb2pipe.api import load
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import write
from nb2pipe.cli.app import cli
from nb2pipe.records.files import read_series

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

TRAIN = """\
net = helpers.double(rows.sum() + noise.sum()) * lr
size = len(rows)
open('net.pt', 'w').write(str(net))
track.log(loss=1.0, step=1)"""
CELLS = [
    (["imports"], "import json\nimport numpy as np\nimport helpers\nfrom nb2pipe import track"),
    (["parameters"], "lr = 0.5\napi_token = 'default-7f3a'"),
    (["step:load"], "rows = np.loadtxt('data/train.csv', delimiter=',')"),
    (["step:noise"], "noise = np.full(3, 0.25)"),
    (["step:train", "gate:size >= 3"], TRAIN),
    (["pipeline-metrics"], "print(size)"),
    (["step:use"], "key = len(api_token)\nopen('report.txt', 'w').write(open('net.pt').read() + str(key))"),
]
TOKEN = ("--api_token", "planted-7f3a")
STEPS = ("load", "noise", "train", "use")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where steps run: a Python without nb2pipe, a bundle, and a folder with data."""

    elsewhere: Any
    bundle: Path
    work: Path
    store: str

    def step(self, name: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {key: value for key, value in os.environ.items() if key.startswith(("AWS_", "NO_PROXY"))}
        done: subprocess.CompletedProcess[str] = self.elsewhere.run(
            "-m",
            f"small_pipeline.steps.{name}",
            *(() if name in {"load", "noise"} else ("--inputs", "left")),
            *(TOKEN if name == "use" else ()),
            *words,
            bundle=self.bundle,
            cwd=self.work,
            variables={**given, "NB2PIPE_STORE": self.store, **variables},
        )
        return done

    def sha256(self, path: str) -> str:
        return hashlib.sha256((self.work / path).read_bytes()).hexdigest()


@pytest.fixture
def make(elsewhere: Any, tmp_path: Path, write_notebook: Callable[..., Path]) -> Callable[[str], Machine]:
    """Makes the bundle of a notebook that is gone then, and the place where its steps run."""

    def call(store: str) -> Machine:
        project = tmp_path / "project"
        (project / "data").mkdir(parents=True)
        (project / "data" / "train.csv").write_text("1,2\n3,4\n5,6\n", "utf-8")
        (project / "helpers.py").write_text("def double(value):\n    return 2 * value\n", "utf-8")
        notebook = write_notebook(project / "small.ipynb", CELLS)
        write(emit(load(notebook), Wishes(folder=tmp_path / "bundle")), tmp_path / "bundle")
        work = tmp_path / "work"
        shutil.copytree(project / "data", work / "data")
        shutil.rmtree(project)
        return Machine(elsewhere, tmp_path / "bundle", work, store)

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of who asks, on another machine."""
    place = tmp_path / "asking"
    place.mkdir()
    (place / "pyproject.toml").write_text("", "utf-8")
    monkeypatch.chdir(place)
    return place


def invoke(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_model_that_steps_made_elsewhere_leads_back_to_its_data(
    make: Callable[[str], Machine], s3: str, folder: Path
) -> None:
    machine = make(s3)
    assert machine.elsewhere.run("-c", "import nb2pipe", bundle=folder, cwd=folder).returncode == 1
    for name in STEPS:
        done = machine.step(name, "--outputs", "left", *(("--lr", "0.25") if name == "train" else ()))
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr

    shutil.copyfile(machine.work / "net.pt", folder / "renamed.bin")
    told = invoke("lineage", "renamed.bin", "--store", s3)
    assert told.exit_code == 0, told.stderr
    lines = told.stdout.splitlines()
    data = machine.sha256("data/train.csv")
    assert any(line.startswith(f"{data}  ") and line.endswith("work/data/train.csv") for line in lines)
    steps = [line.split(",")[0] for line in lines if line.startswith("  step ")]
    assert steps == ["  step train  cells 5", "  step noise  cells 4", "  step load  cells 3"]
    assert "    with  lr=0.25" in lines

    found = json.loads(invoke("lineage", "renamed.bin", "--store", s3, "--json").stdout)
    cells = {node["cell"]: node["sha256"] for node in found["nodes"] if node["kind"] == "cell"}
    assert cells[5] == hashlib.sha256(TRAIN.encode()).hexdigest()
    modules = {node["name"].rpartition("/")[2]: node["sha256"] for node in found["nodes"] if node["kind"] == "module"}
    assert modules["helpers.py"] == hashlib.sha256((machine.bundle / "helpers.py").read_bytes()).hexdigest()

    shutil.copyfile(machine.work / "data" / "train.csv", folder / "train.csv")
    forward = json.loads(invoke("lineage", "--forward", "train.csv", "--store", s3, "--json").stdout)
    made = {node["name"].rpartition("/")[2] for node in forward["nodes"] if node["kind"] in {"file", "model"}}
    assert made == {"net.pt", "report.txt"}


def test_runs_are_listed_as_their_steps_tell(make: Callable[[str], Machine], tmp_path: Path, folder: Path) -> None:
    machine = make(str(tmp_path / "store"))

    def listed() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(invoke("runs", "list", "--store", machine.store, "--json").stdout)
        return rows

    assert machine.step("load", "--outputs", "left", NB2PIPE_RUN="nightly").returncode == 0
    assert [(row["run"], row["status"]) for row in listed()] == [("nightly", "running")]
    assert machine.step("noise", "--outputs", "left", NB2PIPE_RUN="nightly").returncode == 0
    assert machine.step("train", "--outputs", "left").returncode == 0
    (machine.work / "net.pt").unlink()
    failed = machine.step("use", "--outputs", "left")
    assert failed.returncode == 5
    assert [(row["run"], row["status"], row["metrics"]) for row in listed()] == [("nightly", "failed", {"size": 3})]
    record = json.loads((tmp_path / "store" / "runs" / "nightly" / "run.json").read_text())
    assert (record["error"]["step"], record["error"]["cell"]) == ("use", 7)
    assert record["error"]["kind"] == "FileNotFoundError"
    everything = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert not any(b"7f3a" in text for text in everything), "secrets are masked"
    assert record["series"] == {"loss": 1}
    assert read_series(tmp_path / "store" / "runs" / "nightly") == {"loss": [(1, 1.0)]}
    shown = json.loads(invoke("runs", "show", "nightly", "--home", tmp_path / "store", "--json").stdout)
    assert [file["path"] for file in shown["data"]] == [str(machine.work / "data" / "train.csv")]
    failure = json.loads((tmp_path / "store" / "runs" / "nightly" / "steps" / "use.json").read_text())
    assert str(machine.work / "net.pt") in failure["trace"]["reads"], "it looked for it"
    assert folder.is_dir()


def test_a_whole_pipeline_in_one_process_is_recorded_step_by_step(
    make: Callable[[str], Machine], tmp_path: Path, folder: Path
) -> None:
    machine = make(str(tmp_path / "store"))
    words = ("-m", "small_pipeline", "--lr", "0.125", *TOKEN)
    named = {"NB2PIPE_STORE": machine.store}
    done = machine.elsewhere.run(*words, bundle=machine.bundle, cwd=machine.work, variables=named)
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    shutil.copyfile(machine.work / "report.txt", folder / "report")
    found = json.loads(invoke("lineage", "report", "--store", machine.store, "--json").stdout)
    steps = {node["step"]: node for node in found["nodes"] if node["kind"] == "step"}
    assert set(steps) == set(STEPS)
    assert len({node["run"] for node in steps.values()}) == 1
    assert [node["sha256"] for node in found["nodes"] if node["kind"] == "data"] == [machine.sha256("data/train.csv")]
    values = {node["name"]: node["sha256"] for node in found["nodes"] if node["kind"] == "artifact"}
    assert values.items() >= {"rows": None, "noise": None}.items(), "a value that was never stored has no SHA-256"
    assert "data:" in invoke("lineage", "report", "--store", machine.store).stdout
    assert invoke("lineage", "report", "--store", machine.store, "--format", "openlineage").exit_code == 0
    (row,) = json.loads(invoke("runs", "list", "--store", machine.store, "--json").stdout)
    assert (row["status"], row["parameters"]["lr"], row["metrics"]) == ("succeeded", 0.125, {"size": 3})
    assert read_series(tmp_path / "store" / "runs" / row["run"]) == {"loss": [(1, 1.0)]}

    (machine.work / "data" / "train.csv").unlink()
    failed = machine.elsewhere.run(*words, bundle=machine.bundle, cwd=machine.work, variables=named)
    assert failed.returncode == 5
    rows = json.loads(invoke("runs", "list", "--store", machine.store, "--json").stdout)
    assert sorted(row["status"] for row in rows) == ["failed", "succeeded"]


def test_steps_behind_a_gate_that_does_not_hold_are_skipped(make: Callable[[str], Machine], tmp_path: Path) -> None:
    machine = make(str(tmp_path / "store"))
    (machine.work / "data" / "train.csv").write_text("1,2\n3,4\n")
    for name in STEPS[:3]:
        assert machine.step(name, "--outputs", "left", NB2PIPE_RUN="small").returncode == 0
    record = json.loads((tmp_path / "store" / "runs" / "small" / "run.json").read_text())
    assert [(step["name"], step["status"]) for step in record["steps"]][-1] == ("use", "skipped")
    assert record["status"] == "succeeded"


def test_a_store_that_cannot_be_reached_fails_no_step(make: Callable[[str], Machine], tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file stands here")
    machine = make(str(tmp_path / "store"))
    done = machine.step("load", "--outputs", "left")
    assert done.returncode == 0
    assert "warning: the record of the step is not in the store: cannot write" in done.stderr


def test_a_store_that_is_named_with_a_password_is_refused_and_told(make: Callable[[str], Machine]) -> None:
    machine = make("s3://somebody:planted-7f3a@bucket/team")
    done = machine.step("load", "--outputs", "left")
    assert done.returncode == 0
    assert "warning: the record of the step is not in the store: the URL of the store holds a password" in done.stderr
    assert "7f3a" not in done.stderr


def test_nothing_is_recorded_where_no_store_is_named(make: Callable[[str], Machine], tmp_path: Path) -> None:
    machine = make("")
    assert machine.step("load", "--outputs", "left").returncode == 0
    assert "run" not in json.loads((machine.work / "left" / "load.json").read_text())
    assert not list(tmp_path.rglob("run.json"))
