"""The target `azureml`: what its SDK and our own check say of it, and what a shell for each job makes of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pytest
from azureml_driver import AzureError, AzureMl, Finished, read
from examples import EngineContract
from lasting import Lasting, lasting
from programs import program

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.targets.azureml.zones import WINDOWS
from nb2pipe.testing.targets import Ran

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Writes = Callable[[Path, list[tuple[list[str], str]]], Path]

CHECK = Path(__file__).with_name("azureml_check.py")
CHECKERS: list[Lasting] = []


@pytest.fixture(scope="module", autouse=True)
def _checker() -> Iterator[None]:
    """The SDK, which takes seconds to be imported."""
    with lasting(program("azureml", "python"), CHECK) as checker:
        CHECKERS.append(checker)
        yield
        CHECKERS.remove(checker)


def looked_at(folder: Path) -> dict[str, Any]:
    """What the SDK says of a bundle."""
    found: dict[str, Any] = CHECKERS[-1].ask(folder)
    return found


def accepted(folder: Path) -> dict[str, Any]:
    """The pipeline of a bundle; nothing has anything against it."""
    found = looked_at(folder)
    assert found["wrong"] == []
    assert list(dangling(folder)) == []
    return read(folder / "pipeline.yml")


def dangling(folder: Path) -> list[str]:
    """The expressions that lead nowhere."""
    content = read(folder / "pipeline.yml")
    known = {f"parent.inputs.{name}" for name in content.get("inputs", {})}
    known |= {f"parent.jobs.{name}.outputs.values" for name in content["jobs"]}
    wrong = unknown(content["jobs"], known)
    for job in content["jobs"].values():
        component = read(folder / job["component"])
        assert job.get("inputs", {}).keys() == component.get("inputs", {}).keys()
        own = {f"inputs.{name}" for name in component.get("inputs", {})}
        wrong += unknown(component["command"], own | {"outputs.values"})
        wrong += unknown({key: value for key, value in component.items() if key != "command"}, set())
        variables = re.findall(r"\$\{?AZUREML_PARAMETER_(\w+)", component["command"])
        wrong += [name for name in variables if name not in component["inputs"]]
    return wrong


def unknown(content: Any, known: set[str]) -> list[str]:
    found = re.findall(r"\$\{\{\s*(.*?)\s*\}\}", json.dumps(content, ensure_ascii=False))
    return [each for each in found if each not in known]


def component(folder: Path, name: str) -> dict[str, Any]:
    return read(folder / "components" / f"{name}.yml")


def records(finished: Finished) -> dict[str, Any]:
    """What the steps left, by name."""
    files = [file for folder in finished.values.values() for file in folder.glob("*.json")]
    found = [json.loads(file.read_text("utf-8")) for file in files]
    return {record["step"]: record for record in found if "step" in record}


VAULT = """
import json, os, sys, types


class Client:
    def __init__(self, vault_url, credential):
        assert vault_url == "https://NAME.vault.azure.net"

    def get_secret(self, name):
        return types.SimpleNamespace(value=json.loads(os.environ["OF_THE_VAULT"])[name])


for name in ("azure", "azure.identity", "azure.keyvault", "azure.keyvault.secrets"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["azure.identity"].DefaultAzureCredential = object
sys.modules["azure.keyvault.secrets"].SecretClient = Client
"""
"""Answers in the place of a Key Vault, which only Azure has."""


def vault(folder: Path, secrets: Mapping[str, str]) -> dict[str, str]:
    """The variables with which a Python sees a vault that holds some secrets."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(VAULT)
    return {"PYTHONPATH": str(folder), "OF_THE_VAULT": json.dumps(secrets)}


class AzureEngine:
    """Runs bundles for the contract; where it has an MLflow, metrics are read from there."""

    def __init__(self, folder: Path, *, mlflow_too: bool) -> None:
        self._folder = folder
        self._runs = 0
        self._tracking = f"sqlite:///{folder / 'mlflow.db'}" if mlflow_too else ""

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        self._runs += 1
        work = self._folder / f"azure-{self._runs}"
        work.mkdir()
        given = {
            name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in parameters.items()
        }
        held = vault(work / "vault", {f"{secret}--{key}": value for (secret, key), value in secrets.items()})
        finished = AzureMl(work=work, variables={**variables, **held, **self._variables()}).run(folder, given)
        print(finished.printed)  # noqa: T201  # pytest shows it where a test fails
        return Ran(
            succeeded=finished.completed,
            records=records(finished),
            metrics=self._metrics(finished),
            notebooks={name: file for name, left in finished.values.items() for file in left.glob("told/*.ipynb")},
        )

    def _variables(self) -> dict[str, str]:
        """What Azure ML tells a job of its MLflow: where it is, and which of its runs the job is."""
        if not self._tracking:
            return {}
        with warnings.catch_warnings(action="ignore"):  # of what MLflow uses
            client = mlflow.MlflowClient(self._tracking)
            self._run = client.create_run(client.create_experiment("pipeline")).info.run_id
        return {"MLFLOW_TRACKING_URI": self._tracking, "MLFLOW_RUN_ID": self._run}

    def _metrics(self, finished: Finished) -> dict[str, float]:
        if self._tracking:
            with warnings.catch_warnings(action="ignore"):  # as above
                return dict(mlflow.MlflowClient(self._tracking).get_run(self._run).data.metrics)
        found: dict[str, float] = {}
        for left in finished.values.values():
            file = left / "told" / "metrics.json"
            found |= json.loads(file.read_text()) if file.exists() else {}
        return found


class TestAzureml(EngineContract):
    name = "azureml"

    @pytest.fixture
    def engine(self, tmp_path: Path, request: pytest.FixtureRequest) -> AzureEngine:
        return AzureEngine(tmp_path, mlflow_too="metrics" in request.node.name)

    def accepts(self, folder: Path) -> None:
        accepted(folder)

    def emitted_schedule(self, folder: Path) -> None:
        accepted(folder)
        trigger = read(folder / "schedule.yml")["trigger"]
        assert trigger == {"type": "cron", "expression": "30 3 * * 1,2,3,4,5", "time_zone": "UTC"}

    def emitted_timezone(self, folder: Path) -> None:
        assert looked_at(folder)["schedule"]["trigger"]["time_zone"] == "W. Europe Standard Time"

    def emitted_cache(self, folder: Path) -> None:
        accepted(folder)
        assert component(folder, "make")["is_deterministic"] is True
        assert component(folder, "use")["is_deterministic"] is False

    def emitted_gpu(self, folder: Path) -> None:
        jobs = accepted(folder)["jobs"]
        assert jobs["make"]["compute"] == "azureml:gpu-cluster"
        assert "compute" not in jobs["use"]

    def emitted_image(self, folder: Path) -> None:
        accepted(folder)
        wanted = "FROM registry.example.com:5000/team/python@sha256:"
        assert wanted in (folder / "environment" / "Dockerfile").read_text()

    def emitted_step_images(self, folder: Path) -> None:
        accepted(folder)
        build = component(folder, "make")["environment"]["build"]
        assert build == {"path": "../environment", "dockerfile_path": "make.Dockerfile"}
        text = (folder / "environment" / "make.Dockerfile").read_text()
        assert "\nFROM registry.example.com:5000/team/train:1.2\n" in text
        assert component(folder, "use")["environment"] == {"build": {"path": "../environment"}}

    def emitted_labels(self, folder: Path) -> None:
        accepted(folder)
        assert component(folder, "make")["tags"] == {"team": "vision"}

    def emitted_annotations(self, folder: Path) -> None:
        accepted(folder)
        assert component(folder, "make")["tags"] == {"example.com/page": "https://h:80/?a=b&c='d'"}

    def emitted_secrets(self, folder: Path) -> None:
        content = accepted(folder)
        assert content["inputs"]["key_vault_url"].startswith("https://")
        assert content["jobs"]["make"]["identity"] == {"type": "managed"}
        wanted = "python with_secrets.py DB_PASSWORD=db--password -- python -m secret_pipeline.steps.make"
        assert wanted in component(folder, "make")["command"]
        assert "azure-keyvault-secrets" in (folder / "environment" / "Dockerfile").read_text()

    def emitted_owner(self, folder: Path) -> None:
        assert accepted(folder)["tags"] == {"owner": "team@example.com"}


def bundle_of(notebook: Path, folder: Path, **options: Any) -> Path:
    write(nb2pipe.emit(nb2pipe.load(notebook), target="azureml", **options), folder)
    return folder


def ran(folder: Path, work: Path, /, **given: Any) -> Finished:
    work.mkdir()
    return AzureMl(work=work).run(folder, given)


HOSTILE = r"""
plain = "it's {{ x }} \"q\" $(touch hacked) $$ `id` \\ --x \u200b ümlaut 🚀"
bound = "${{parent.inputs.plain}}"
optional = "$[[--x]]"
controls = "a\x1b\x07b"
lines = "a\n  b\t: c # d"
dashed = "--nb2pipe-outputs=/hacked"
number = "1e3"
truth = "yes"
empty = ""
many = ["${{name}}", {"$[[A]]": [None, True, -1.5, "\x00"]}]
tiny = 1e-300
count = -7
flag = False
nothing = None
"""
VARIABLE = "${{name}} $[[x]] $(touch hacked) 'a' # \\"
SHOWING = """
import json, os
values = [plain, bound, optional, controls, lines, dashed, number, truth, empty, many, tiny, count, flag, nothing]
print("found", json.dumps([values, os.environ["TEXT"], sorted(name for name in os.listdir() if name.startswith("a"))]))
"""


def test_texts_that_azure_ml_yaml_and_shells_would_read_arrive_as_they_are(
    tmp_path: Path, write_notebook: Writes
) -> None:
    file = "a 'b' ${{c}} $(d).txt"
    cells = [
        (["parameters"], HOSTILE),
        (["step:take", "papermill_description=${{name}} : # '\""], f"open({file!r}, 'w').write(bound)"),
        (["step:show", f"env:TEXT:{VARIABLE}", "label:note:${{ x }} '*/' : #"], SHOWING),
    ]
    folder = bundle_of(write_notebook(tmp_path / "${{name}} $(x) '.ipynb", cells), tmp_path / "bundle")
    accepted(folder)
    space: dict[str, Any] = {}
    exec(HOSTILE, space)
    values = {name: value for name, value in space.items() if name != "__builtins__"}
    assert found_in(ran(folder, tmp_path / "work")) == [list(values.values()), VARIABLE, [file]]
    given = {"plain": "$$(x) {{ y }}\n'", "nothing": "[1]", "tiny": -2, "many": '["$$"]', "count": 5, "flag": True}
    wanted = {**values, **given, "nothing": [1], "many": ["$$"]}
    assert found_in(ran(folder, tmp_path / "again", **given))[0] == list(wanted.values())
    assert not list(tmp_path.rglob("hacked"))


def found_in(finished: Finished) -> Any:
    """What the last step printed."""
    assert finished.completed, finished.printed
    (line,) = (each for each in finished.printed.splitlines() if each.startswith("found "))
    return json.loads(line.removeprefix("found "))


def test_gates_below_gates(tmp_path: Path, write_notebook: Writes) -> None:
    cells = [
        (["parameters"], "score = 0.1\nother = 0.1"),
        (["step:first", "gate:accuracy > 0.4"], "accuracy = score"),
        (["pipeline-metrics"], "print(accuracy)"),
        (["step:second", "gate:recall > 0.4"], "recall = other + 0 * accuracy"),
        (["pipeline-metrics"], "print(recall)"),
        (["step:third"], "used = recall + accuracy"),
    ]
    folder = bundle_of(write_notebook(tmp_path / "n.ipynb", cells), tmp_path / "bundle")
    accepted(folder)

    def skipped(number: int, **given: float) -> set[str]:
        finished = ran(folder, tmp_path / f"work-{number}", **given)
        assert finished.completed, finished.printed
        return {name for name, record in records(finished).items() if "skipped" in record}

    assert skipped(1) == {"second", "third"}
    assert skipped(2, score=0.5) == {"third"}
    assert skipped(3, score=0.5, other=1.0) == set()
    with pytest.raises(AzureError, match="number"):
        ran(folder, tmp_path / "wrong", score="x")


def test_forty_steps_are_accepted(tmp_path: Path, write_notebook: Writes) -> None:
    cells = [([f"step:s{n}"], f"x{n} = {f'x{n - 1} + 1' if n else 0}") for n in range(40)]
    folder = bundle_of(write_notebook(tmp_path / "n.ipynb", cells), tmp_path / "bundle")
    assert len(accepted(folder)["jobs"]) == 40


def test_the_zones_of_schedules_are_those_that_azure_ml_knows() -> None:
    script = "from azure.ai.ml.constants import TimeZone; print('|'.join(zone.value for zone in TimeZone))"
    words = [program("azureml", "python"), "-W", "ignore", "-c", script]
    known = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip().split("|")
    assert set(WINDOWS.values()) <= set(known)
    assert len(WINDOWS) > 100


def test_secrets_come_from_the_vault_and_the_command_takes_the_place(tmp_path: Path, write_notebook: Writes) -> None:
    cells = [(["step:use", "secret:account:home:TOKEN"], "import os\nprint('found', os.environ['TOKEN'])")]
    folder = bundle_of(write_notebook(tmp_path / "n.ipynb", cells), tmp_path / "bundle")
    held = vault(tmp_path / "vault", {"account--home": "it's $x"})
    show = "import os; print('found', os.environ['TOKEN'])"
    done = subprocess.run(
        [sys.executable, "with_secrets.py", "TOKEN=account--home", "--", sys.executable, "-c", show],
        cwd=folder,
        env={**os.environ, **held, "KEY_VAULT_URL": "https://NAME.vault.azure.net"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "found it's $x\n", done.stderr
