"""The target `airflow` with a real Airflow 3 on loopback: runs are triggered over REST, values are the notebook's."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import subprocess
import sys
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_deployment import Airflow, airflow
from environments import environment
from programs import variables

from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES, SECRET
from nb2pipe.testing.targets import Ran, TargetContract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAVY = {"IPython", "matplotlib", "nb2pipe", "numpy", "pandas", "sklearn", "torch"}
"""What a DAG file imports none of."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """One deployment for all tests."""
    with airflow(tmp_path_factory.mktemp("airflow")) as found:
        yield found


class Engine:
    """Triggers runs over REST, and reads over REST what they left; values lie in the store."""

    def __init__(self, deployed: Airflow) -> None:
        self.airflow = deployed
        self.dag = self.last = ""

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        store = variables.get("NB2PIPE_STORE", str(self.airflow.home / "store"))
        for (secret, key), value in secrets.items():
            self.airflow.connection(secret, **{key: value})
        package = json.loads((folder / "bundle.json").read_text())["package"]
        self.airflow.variable(f"{package}_python", str(python_with(folder.parent, variables)))
        self.airflow.variable("nb2pipe_store", store)
        self.dag = self.airflow.add(folder)
        self.last = self.airflow.trigger(self.dag, parameters)
        state = self.airflow.ended(self.dag, self.last)
        if state == "failed" and "on_failure_callback" in next((folder / "dags").glob("*.py")).read_text():
            self.airflow.told(folder)
        told = {task: self.airflow.xcom(self.dag, self.last, task) for task in self.airflow.tasks(self.dag, self.last)}
        left = [each for each in told.values() if isinstance(each, dict)]
        records = [json.loads(Path(store, each["record"]).read_text()) for each in left]
        for task in told:
            sys.stderr.write(self.airflow.log(self.dag, self.last, task))
        return Ran(
            succeeded=state == "success",
            records={record["step"]: record for record in records},
            metrics={name: value for each in left for name, value in each["metrics"].items()},
            notebooks={each["step"]: Path(store, each["notebook"]) for each in left if each.get("notebook")},
        )

    def states(self) -> dict[str, str]:
        """The state of each task of the last run."""
        return {name: task["state"] for name, task in self.airflow.tasks(self.dag, self.last).items()}


def python_with(folder: Path, more: Mapping[str, str]) -> Path:
    """A Python that has variables of its own."""
    path = folder / "python"
    lines = [f"export {name}={shlex.quote(text)}" for name, text in more.items()]
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {shlex.quote(sys.executable)} "$@"', ""]))
    path.chmod(0o755)
    return path


def looked_at(folder: Path) -> dict[str, Any]:
    """What Airflow makes of a DAG file."""
    (path,) = (folder / "dags").glob("*.py")
    config = folder.parent / "kubeconfig.json"
    config.write_text(json.dumps(KUBECONFIG))
    words = [str(environment("airflow") / "python"), str(Path(__file__).parent / "airflow_looks.py"), str(path)]
    home = {"AIRFLOW_HOME": str(folder.parent / "airflow"), "KUBECONFIG": str(config)}
    done = subprocess.run(words, env=variables(**home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "none", "user": {}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
}


def limits_of(folder: Path) -> object:
    """The limits that the KubernetesExecutor is given for the first step."""
    config = looked_at(folder)["tasks"]["make"]["executor_config"]
    return config["pod_override"]["spec"]["containers"][0]["resources"]["limits"]


class TestAirflow(TargetContract):
    name = "airflow"

    @pytest.fixture
    def engine(self, deployed: Airflow) -> Engine:
        return Engine(deployed)

    def runs_schedule(self, engine: Engine) -> None:
        dag = engine.airflow.add(self.bundle(Feature.SCHEDULE))
        following = next_run(engine.airflow, dag, "UTC")
        assert (following.hour, following.minute) == (3, 30)
        assert following.isoweekday() <= 5
        assert following > dt.datetime.now(dt.UTC)
        assert engine.airflow.ask("GET", f"/dags/{dag}/dagRuns")["total_entries"] == 0  # nothing is caught up

    def runs_timezone(self, engine: Engine) -> None:
        following = next_run(engine.airflow, engine.airflow.add(self.bundle(Feature.TIMEZONE)), "Europe/Berlin")
        assert (following.hour, following.minute) == (3, 30)

    def runs_owner(self, engine: Engine) -> None:
        dag = engine.airflow.add(self.bundle(Feature.OWNER))
        assert engine.airflow.ask("GET", f"/dags/{dag}")["owners"] == ["team@example.com"]

    def runs_labels(self, engine: Engine) -> None:
        dag = engine.airflow.add(self.bundle(Feature.LABELS))
        tags = [each["name"] for each in engine.airflow.ask("GET", f"/dags/{dag}")["tags"]]
        assert sorted(tags) == ["nb2pipe", "team:vision"]

    def runs_gate(self, engine: Any) -> None:
        super().runs_gate(engine)
        folder = self.folder / "bundle"
        assert self.run(engine, folder).succeeded
        states = engine.states()
        assert states == {
            "measure": "success",
            "measure_gate": "success",
            "after": "skipped",
            "deep": "skipped",
            "beside": "success",
        }

    def runs_secrets(self, engine: Any) -> None:
        super().runs_secrets(engine)
        shown = json.dumps(engine.airflow.tasks(engine.dag, engine.last))
        assert "rendered_fields" in shown
        assert SECRET not in shown
        assert json.dumps(SECRET)[1:-1] not in shown

    def emitted_cpu(self, folder: Path) -> None:
        assert limits_of(folder) == {"cpu": "1500m"}

    def emitted_memory(self, folder: Path) -> None:
        assert limits_of(folder) == {"memory": "3Gi"}

    def emitted_gpu(self, folder: Path) -> None:
        assert limits_of(folder) == {"nvidia.com/gpu": "1"}

    def emitted_limits(self, folder: Path) -> None:
        assert limits_of(folder) == {"ephemeral-storage": "5Gi"}

    def emitted_annotations(self, folder: Path) -> None:
        found = looked_at(folder)
        assert "https://h:80/?a=b&c='d'" in found["tasks"]["make"]["doc_md"]
        assert not _HEAVY & set(found["modules"])

    def emitted_image(self, folder: Path) -> None:
        line = next(each for each in (folder / "Dockerfile").read_text("utf-8").splitlines() if each.startswith("FROM"))
        assert line == f"FROM {CASES[Feature.IMAGE].flags['image']}"


def next_run(deployed: Airflow, dag: str, zone: str) -> dt.datetime:
    """When the scheduler will start the next run."""
    text = deployed.ask("GET", f"/dags/{dag}")["next_dagrun_run_after"]
    return dt.datetime.fromisoformat(text).astimezone(zoneinfo.ZoneInfo(zone))
