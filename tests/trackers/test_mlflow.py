"""The tracker `mlflow` against MLflow's own server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.testing.trackers import RUN, TrackerContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from tests.trackers.conftest import Server

    Write = Callable[[Path, list[tuple[list[str], str]]], Path]

LOG = "for place in range({first}, {last}):\n    track.log({{'loss/val': 1 / (place + 1)}}, step=place)\n"
FIGURE = """class Drawing:
    def savefig(self, path):
        with open(path, "wb") as file:
            file.write(b"a picture")
track.figure(Drawing(), "confusion", step=3)
"""
DATA = "\nwith open('sizes.csv') as file:\n    sizes = file.read()"
WAIT = "import os, time\nopen('waits', 'w').close()\nwhile os.path.exists('waits'):\n    time.sleep(0.05)\n"


@pytest.fixture
def notebook(tmp_path: Path, write_notebook: Write, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook whose step `second` waits until the file `waits` is gone; runs go to the server."""
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    (tmp_path / "sizes.csv").write_text("1,2\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", tmp_path.name)
    return write_notebook(
        tmp_path / "logs.ipynb",
        [
            (["parameters"], "lr = 0.1\napi_token = 'planted-value'"),
            (["imports"], "from nb2pipe import track"),
            (["step:first"], LOG.format(first=0, last=1500) + "track.params(optimizer='adam')\nx = lr" + DATA),
            (["step:second"], WAIT + LOG.format(first=1500, last=1510) + FIGURE + "y = x"),
            (["pipeline-metrics"], "accuracy = 0.75\nprint(accuracy)"),
        ],
    )


def client() -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient()


def sent() -> dict[str, Run]:
    """The runs of the experiment by name."""
    found = client().get_experiment_by_name(os.environ["MLFLOW_EXPERIMENT_NAME"])
    return {run.info.run_name: run for run in client().search_runs([found.experiment_id])} if found else {}


def points(run: Run, name: str) -> list[tuple[int, float]]:
    found = client().get_metric_history(run.info.run_id, name)
    return sorted((each.step, each.value) for each in found)


def figures(run: Run) -> dict[str, bytes]:
    found = [each.path for each in client().list_artifacts(run.info.run_id, "figures")]
    return {path: Path(client().download_artifacts(run.info.run_id, path, ".")).read_bytes() for path in found}


def begin(notebook: Path) -> subprocess.Popen[str]:
    words = ["run", notebook, "--tracker", "mlflow", "--name", "sent", "--tag", "good"]
    command = [sys.executable, "-m", "nb2pipe", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def ended(process: subprocess.Popen[str]) -> str:
    Path("waits").unlink()
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    return text


def check_steps(runs: dict[str, Run]) -> None:
    """The runs of the steps have their own numbers, series and figures."""
    assert runs["first"].data.tags["mlflow.parentRunId"] == runs["sent"].info.run_id
    assert points(runs["second"], "accuracy") == [(0, 0.75)]
    places = [*range(1000), *range(1000, 1500, 10), 1499]  # thinned, since it is long
    assert points(runs["first"], "loss/val") == [(place, 1 / (place + 1)) for place in places]
    assert points(runs["second"], "loss/val") == [(place, 1 / (place + 1)) for place in range(1500, 1510)]
    assert figures(runs["second"]) == {"figures/confusion-3.png": b"a picture"}


def check_data(run: Run, path: Path) -> None:
    """A run has the versions of its data sets."""
    (used,) = run.inputs.dataset_inputs
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (used.dataset.name, used.dataset.digest) == (path.name, digest[:32])
    assert run.data.tags["nb2pipe.data.1"] == f"{digest} {path}"


def test_a_run_is_sent_as_it_goes_on_and_where_the_server_is_killed_it_ends_well_and_push_brings_all(
    notebook: Path, server: Server
) -> None:
    process = begin(notebook)
    until(Path("waits").exists)
    until(lambda: "first" in sent() and sent()["first"].info.status == "FINISHED")
    runs = sent()
    assert len(points(runs["sent"], "loss/val")) == 1500
    assert runs["sent"].info.status == "RUNNING"
    server.kill()
    text = ended(process)
    assert text.count("NB522") == 1, text
    assert "runs push" in text

    server.start()
    assert len(points(sent()["sent"], "loss/val")) == 1500
    command = [sys.executable, "-m", "nb2pipe", "runs", "push", "sent", "--tracker", "mlflow"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    runs = sent()
    run = runs["sent"]
    assert set(runs) == {"sent", "first", "second"}
    assert {each.info.status for each in runs.values()} == {"FINISHED"}
    assert run.data.tags["nb2pipe.tag.good"] == "true"
    assert run.data.tags["mlflow.user"]
    given = {name: value for name, value in run.data.params.items() if name != "nb2pipe.seed"}
    assert given == {"lr": "0.1", "api_token": "********", "optimizer": "adam"}
    assert points(run, "loss/val") == [(place, 1 / (place + 1)) for place in range(1510)]
    assert points(run, "accuracy") == [(0, 0.75)]
    check_steps(runs)
    check_data(run, notebook.with_name("sizes.csv"))
    assert [each.path for each in client().list_artifacts(run.info.run_id)] == ["notebook.ipynb", "run.json"]


class TestContract(TrackerContract):
    """Against MLflow's own server, one that is gone, one that does not answer, and one that refuses."""

    name = "mlflow"

    @pytest.fixture(autouse=True)
    def experiment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of its own for each test."""
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", uuid.uuid4().hex)

    @pytest.fixture
    def other_side(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)

    @pytest.fixture(params=["closed", "silent"])
    def trouble(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody is there, or nobody answers."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue(request.param))

    @pytest.fixture
    def refusal(self, refusing: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """It takes nothing."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", refusing)

    def points(self, series: str) -> list[tuple[int, float]]:
        """As MLflow gives them."""
        return points(sent()[RUN], series)
