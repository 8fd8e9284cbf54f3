"""The target `airflow` with a real Airflow 3 on loopback: runs are triggered over REST, values are the notebook's."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import subprocess
import sys
import urllib.parse
import zoneinfo
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from airflow_deployment import Airflow, RefusedError, airflow, wait
from environments import environment
from examples import EngineContract
from programs import variables

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES, SECRET
from nb2pipe.testing.targets import Ran, digests

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
            self.airflow.connection(
                secret, **({key: value} if key == "password" else {"extra": json.dumps({key: value})})
            )
        package = json.loads((folder / "bundle.json").read_text())["package"]
        self.airflow.variable(f"{package}_python", str(python_with(folder.parent, variables)))
        self.airflow.variable("nb2pipe_store", store)
        self.dag = self.airflow.add(folder)
        self.last = self.airflow.trigger(self.dag, dict(parameters))
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


class TestAirflow(EngineContract):
    name = "airflow"

    def accepts(self, folder: Path) -> None:
        assert not _HEAVY & set(looked_at(folder)["modules"])

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


# ------------------------------------------------------------------------------------------------ notebooks of others


def bundle_of(folder: Path, text: str, settings: Mapping[str, object] | None = None, **options: Any) -> Path:
    head = "# ---\n# jupyter:\n#   " + json.dumps({"nb2pipe": settings})[1:-1] + "\n# ---\n" if settings else ""
    notebook = folder / f"{folder.name}.py"
    notebook.write_text(head + dedent(text))
    write(nb2pipe.emit(nb2pipe.load(notebook), target="airflow", **options), folder / "bundle")
    return folder / "bundle"


def left_by(notebook: Path, **parameters: object) -> dict[str, str]:
    """The digests of what a run of a notebook makes."""
    home = notebook.parent / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHADE", SHADE)  # a run here does not set what a tag says
        run = nb2pipe.run(notebook, home=home, executor="subprocess", parameters=parameters)
    assert run.status == "succeeded"
    records = [json.loads(file.read_text()) for file in (home / "runs" / run.run / "steps").rglob("*.json")]
    return digests({record["name"]: record for record in records})


DATED = """
# %% tags=["parameters"]
day = "2026-01-01"

# %% tags=["step:make"]
seen = int(day.replace("-", ""))
"""


def test_a_run_for_a_past_moment_has_its_date_in_the_zone_of_the_schedule(deployed: Airflow, tmp_path: Path) -> None:
    (tmp_path / "past").mkdir()
    settings = {"run_date": "day", "schedule": "30 0 * * *", "timezone": "Europe/Berlin"}
    folder = bundle_of(tmp_path / "past", DATED, settings)
    deployed.variable("past_pipeline_python", sys.executable)
    dag = deployed.add(folder)
    past = deployed.trigger(dag, {}, "2026-03-29T22:30:00Z")  # half past midnight in Berlin
    given = deployed.trigger(dag, {"day": "2020-02-02"})
    for run, wanted in ((past, 20260330), (given, 20200202)):
        assert deployed.ended(dag, run) == "success", deployed.log(dag, run, "make")
        assert deployed.xcom(dag, run, "make")["outputs"][0]["summary"]["value"] == wanted
    with pytest.raises(RefusedError, match="Invalid input for param day"):
        deployed.trigger(dag, {"day": 3})


SHADE = "{{ dag }}.sh"
TOKEN = "geheim '{{ x }}' $(y)"
STRANGE = r"""
# %% tags=["parameters"]
title = "{{ params }} {% raw %} $(touch hacked) 'x' \\"
count = 3
threshold = 100.0
api_token = "kept-nowhere"

# %% tags=["imports"]
import os
import pathlib
import random

# %% tags=["step:load", "env:SHADE:{{ dag }}.sh", "label:team:{{ dag }}", "annotation:a/b:{% raw %}"]
random.seed(3)
rows = [random.random() for _ in range(count)] + pathlib.Path("data/{{ a }} 'b'.csv").read_text().split()
pathlib.Path("left.txt").write_text(title + os.environ["SHADE"])

# %% tags=["step:pause", "papermill_description={{ dag }} <b>"]
paused = len(rows) + len(api_token)
print("with", api_token)

# %% tags=["step:draw"]
drawn = (random.random(), pathlib.Path("left.txt").read_text())

# %% tags=["step:check", "gate:total > threshold_of_all"]
total = float(paused)
threshold_of_all = threshold

# %% tags=["pipeline-metrics"]
print(total, threshold_of_all)

# %% tags=["step:publish"]
published = total + 1
"""


@pytest.mark.parametrize("operator", ["bash", "python"])
def test_other_operators_compute_the_same_and_texts_stay_texts(
    operator: str, deployed: Airflow, tmp_path: Path
) -> None:
    own = tmp_path / f"strange_{operator}"
    (own / "data").mkdir(parents=True)
    (own / "data" / "{{ a }} 'b'.csv").write_text("x\n1\n")
    folder = bundle_of(own, STRANGE, operator=operator, include=["data/*.csv"])
    engine, token = Engine(deployed), {(f"{own.name}_pipeline", "api_token"): TOKEN}
    ran = engine.run(folder, {"count": 4}, secrets=token, variables={})
    assert ran.succeeded
    assert engine.states()["publish"] == "skipped"
    wanted = left_by(own / f"{own.name}.py", count=4, api_token=TOKEN)
    assert digests(ran.records) == wanted
    assert len(wanted) >= 4
    again = engine.run(folder, {"count": 4, "threshold": 0.5, "title": "{{ dag }}"}, secrets=token, variables={})
    assert again.succeeded
    assert engine.states()["publish"] == "success"
    more = {"count": 4, "threshold": 0.5, "title": "{{ dag }}", "api_token": TOKEN}
    assert digests(again.records) == left_by(own / f"{own.name}.py", **more)
    shown = json.dumps(engine.airflow.tasks(engine.dag, engine.last))
    assert "kept-nowhere" not in (folder / "dags" / f"{own.name}.py").read_text()
    assert TOKEN not in shown + engine.airflow.log(engine.dag, engine.last, "pause")


GATES = """
# %% tags=["imports"]
import random

# %% tags=["step:begin"]
random.seed(1)
start = random.random()

# %% tags=["step:measure", "gate:score > 5"]
score = start

# %% tags=["pipeline-metrics"]
print(score)

# %% tags=["step:behind"]
drawn = score + random.random()

# %% tags=["step:inner", "gate:more > 0"]
more = drawn

# %% tags=["pipeline-metrics"]
print(more)

# %% tags=["step:deep"]
deepest = more

# %% tags=["step:free"]
free = random.random()
"""


def test_a_step_that_only_draws_after_a_skipped_one_runs(deployed: Airflow, tmp_path: Path) -> None:
    (tmp_path / "gates").mkdir()
    folder, engine = bundle_of(tmp_path / "gates", GATES), Engine(deployed)
    ran = engine.run(folder, {}, secrets={}, variables={})
    assert ran.succeeded
    states = engine.states()
    assert {name for name, state in states.items() if state == "success"} == {
        "begin",
        "measure",
        "measure_gate",
        "free",
    }
    assert {state for name, state in states.items() if name in {"behind", "inner", "inner_gate", "deep"}} == {"skipped"}
    assert digests(ran.records) == left_by(tmp_path / "gates" / "gates.py")


SLEEPING = """
# %% tags=["imports"]
import os
import pathlib
import time

# %% tags=["step:make"]
pathlib.Path("WHERE").write_text(str(os.getpid()))
time.sleep(240)
"""


def test_a_step_ends_when_its_task_is_marked_as_failed(deployed: Airflow, tmp_path: Path) -> None:
    (tmp_path / "sleeping").mkdir()
    told = tmp_path / "process"
    folder = bundle_of(tmp_path / "sleeping", SLEEPING.replace("WHERE", str(told)))
    deployed.variable("sleeping_pipeline_python", sys.executable)
    dag = deployed.add(folder)
    run = deployed.trigger(dag, {})
    process = int(wait(lambda: told.exists() and told.read_text(), "the step"))
    path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances/make"
    deployed.ask("PATCH", path, {"new_state": "failed"})
    wait(lambda: not Path(f"/proc/{process}").exists(), "the end of the step", 60)
    assert deployed.ended(dag, run) == "failed"


ASKING = """
# %% tags=["parameters"]
rate = 0.5
title = "{{ x }}"

# %% tags=["step:make", "limit:cpu:1500m", "limit:memory:3Gi", "limit:gpu:1", "label:team:vision", "env:A:{{ b }}.json"]
x = (rate, title)

# %% tags=["step:use", "image:r.example.com:5000/a@sha256:DIGEST", "secret:db:password:DB", "annotation:a.b/c:{{ d }}"]
y = x
"""


def test_kubernetes_takes_the_pods(tmp_path: Path) -> None:
    (tmp_path / "pods").mkdir()
    text = ASKING.replace("DIGEST", "0a" * 32)
    tasks = looked_at(bundle_of(tmp_path / "pods", text, operator="kubernetes"))["tasks"]
    make, use = (tasks[name]["pod"] for name in ("make", "use"))
    (container,) = (each for each in make["spec"]["containers"] if each["name"] == "base")
    assert container["command"] == ["python", "-m", "pods_pipeline.steps.make"]
    assert container["args"][-2:] == [
        f"--{each} | replace('$', '$$') }}}}"
        for each in ("rate={{ params['rate'] | tojson", "title={{ params['title']")
    ]
    assert container["resources"]["limits"] == {"cpu": "1500m", "memory": "3Gi", "nvidia.com/gpu": "1"}
    assert "vision" in make["metadata"]["labels"].values()
    (container,) = (each for each in use["spec"]["containers"] if each["name"] == "base")
    assert container["image"] == f"r.example.com:5000/a@sha256:{'0a' * 32}"
    assert {"name": "DB", "valueFrom": {"secretKeyRef": {"key": "password", "name": "db"}}} in container["env"]
    assert set(use["metadata"]["annotations"]) == {"a.b/c"}


def test_docker_takes_the_containers(tmp_path: Path) -> None:
    (tmp_path / "boxes").mkdir()
    text = ASKING.replace("DIGEST", "0a" * 32)
    make = looked_at(bundle_of(tmp_path / "boxes", text, operator="docker"))["tasks"]["make"]
    assert make["entrypoint"] == ["python", "-m", "boxes_pipeline.steps.make"]
    assert (make["cpus"], make["mem_limit"]) == (1.5, 3 * 2**30)
    assert make["devices"][0]["Capabilities"] == [["gpu"]]
    assert make["labels"] == {"team": "vision"}


def test_forty_steps_are_loaded_in_order(tmp_path: Path) -> None:
    (tmp_path / "forty").mkdir()
    cells = [f'# %% tags=["step:s{n}"]\nx{n} = x{n - 1} + 1\n' for n in range(1, 40)]
    folder = bundle_of(tmp_path / "forty", "\n".join(['# %% tags=["step:s0"]\nx0 = 0\n', *cells]))
    tasks = looked_at(folder)["tasks"]
    assert len(tasks) == 40
    assert all(tasks[f"s{n}"]["upstream"] == [f"s{n - 1}"] for n in range(1, 40))


def test_airflow_2_runs_the_same_file(tmp_path: Path) -> None:
    own = tmp_path / "old"
    (own / "data").mkdir(parents=True)
    (own / "data" / "{{ a }} 'b'.csv").write_text("x\n1\n")
    folder = bundle_of(own, STRANGE, {"schedule": "30 0 * * *", "timezone": "Europe/Berlin"}, include=["data/*.csv"])
    (tmp_path / "dags").mkdir()
    folder.rename(tmp_path / "dags" / "old_pipeline")  # a name that Airflow might take for the package's
    known = variables(
        AIRFLOW_HOME=str(tmp_path / "home"),
        AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path / "dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW_VAR_OLD_PIPELINE_PYTHON=sys.executable,
        AIRFLOW_CONN_OLD_PIPELINE=json.dumps({"conn_type": "generic", "extra": {"api_token": TOKEN}}),
    )
    program = str(environment("airflow-2") / "airflow")
    for words in (["db", "migrate"], ["dags", "test", "old", "--conf", json.dumps({"count": 4})]):
        done = subprocess.run([program, *words], env=known, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(file.read_text()) for file in (tmp_path / "home" / "nb2pipe" / "runs").rglob("values/*.json")]
    assert digests({record["step"]: record for record in records}) == left_by(own / "old.py", count=4, api_token=TOKEN)
    assert "publish" not in {record["step"] for record in records}
