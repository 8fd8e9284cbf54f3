"""The target `sagemaker`: its API takes what is emitted, and the jobs, in containers' folders, make the same values."""

from __future__ import annotations

import json
import re
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from examples import EngineContract
from moto.events.models import EventPattern
from sagemaker_engine import SageMaker
from sagemaker_rules import check, steps_of

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES
from nb2pipe.testing.targets import Ran, digests

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _aws(s3: str) -> None:
    """All clients talk to moto."""


def read(folder: Path, name: str = "pipeline.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "sagemaker" / name).read_text("utf-8"))
    return content


def defaults(definition: dict[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each.get("DefaultValue") for each in definition["Parameters"]}


class TestSagemaker(EngineContract):
    name = "sagemaker"

    @pytest.fixture
    def engine(self, tmp_path: Path) -> SageMaker:
        return SageMaker(tmp_path / "aws")

    def accepts(self, folder: Path) -> None:
        """The API takes it, and the arguments of all its steps."""
        ran(SageMaker(self.folder / "dry", dry=True), folder)

    def step(self, folder: Path, name: str = "make") -> dict[str, Any]:
        """A step of a bundle that the API takes, with its placeholders filled in and checked."""
        engine = SageMaker(self.folder / "aws", dry=True)
        ran(engine, folder)
        assert engine.last is not None
        return {**steps_of(engine.last.definition)[name], "Resolved": engine.last.resolved[name]}

    def emitted_schedule(self, folder: Path) -> None:
        schedule = made(folder, "schedule.json")
        assert schedule["ScheduleExpression"] == "cron(30 3 ? * MON,TUE,WED,THU,FRI *)"
        given = json.loads(schedule["Target"]["Input"].replace("<aws.scheduler.execution-id>", "d32c5kddcf5bb8c3"))
        assert given["PipelineName"] == "scheduled"
        check("sagemaker", "StartPipelineExecution", given)

    def emitted_timezone(self, folder: Path) -> None:
        assert made(folder, "schedule.json")["ScheduleExpressionTimezone"] == "Europe/Berlin"

    def emitted_cpu(self, folder: Path) -> None:
        assert self.instance(folder) == "ml.m5.large"

    def emitted_memory(self, folder: Path) -> None:
        assert self.instance(folder) == "ml.m5.large"

    def emitted_gpu(self, folder: Path) -> None:
        assert self.instance(folder) == "ml.g4dn.xlarge"

    def instance(self, folder: Path) -> Any:
        assert defaults(read(folder))["InstanceType"] == "ml.m5.large"
        cluster = self.step(folder)["Resolved"]["ProcessingResources"]["ClusterConfig"]
        assert cluster["InstanceType"] == defaults(read(folder))["MakeInstanceType"]
        return cluster["InstanceType"]

    def emitted_limits(self, folder: Path) -> None:
        assert self.step(folder)["Resolved"]["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 5

    def emitted_image(self, folder: Path) -> None:
        first, second = (folder / "Dockerfile").read_text(), (folder / "sagemaker/Dockerfile").read_text()
        assert f"FROM {CASES[Feature.IMAGE].flags['image']}\n" in first
        assert "FROM ${IMAGE}\n" in second

    def emitted_step_images(self, folder: Path) -> None:
        assert self.step(folder)["Arguments"]["AppSpecification"]["ImageUri"] == {"Get": "Parameters.MakeImageUri"}
        assert self.step(folder, "use")["Arguments"]["AppSpecification"]["ImageUri"] == {"Get": "Parameters.ImageUri"}
        assert "registry.example.com:5000/team/train:1.2" in (folder / "README.md").read_text()

    def emitted_labels(self, folder: Path) -> None:
        assert self.step(folder)["Resolved"]["Tags"] == [{"Key": "team", "Value": "vision"}]

    def emitted_annotations(self, folder: Path) -> None:
        assert self.step(folder)["Description"] == "example.com/page: https://h:80/?a=b&c='d'"

    def emitted_owner(self, folder: Path) -> None:
        assert self.step(folder)["Resolved"]["Tags"] == [{"Key": "owner", "Value": "team@example.com"}]

    def emitted_notice(self, folder: Path) -> None:
        told = posted(folder, "notice")
        assert told["pipeline"] == "notice"
        assert told["owner"] == "team@example.com"
        assert told["text"] == "the pipeline notice failed, owner team@example.com, run ARN"


def made(folder: Path, name: str) -> dict[str, Any]:
    """A schedule, made as the guide says."""
    text = (folder / "sagemaker" / name).read_text("utf-8")
    for place in ("SCHEDULER_ROLE_ARN", "GIVE_RoleArn"):
        text = text.replace(place, "arn:aws:iam::111122223333:role/scheduler")
    content: dict[str, Any] = json.loads(text)
    check("scheduler", "CreateSchedule", {**content, "ClientToken": "x"})
    client = boto3.client("scheduler")
    client.create_schedule(**content)
    kept = client.get_schedule(Name=content["Name"])
    assert kept["ScheduleExpression"] == content["ScheduleExpression"]
    client.delete_schedule(Name=content["Name"])
    return content


def posted(folder: Path, name: str) -> dict[str, Any]:
    """What a failed execution posts, by a template whose resources EventBridge takes."""
    resources = {key: each["Properties"] for key, each in read(folder, "on_failure.json")["Resources"].items()}
    events = boto3.client("events")
    connection = events.create_connection(Name=f"{name}-c", **resources["Connection"])["ConnectionArn"]
    assert resources["Webhook"].pop("ConnectionArn") == {"Fn::GetAtt": ["Connection", "Arn"]}
    destination = {"Name": f"{name}-d", "ConnectionArn": connection, **resources["Webhook"]}
    check("events", "CreateApiDestination", destination)
    arn = events.create_api_destination(**destination)["ApiDestinationArn"]
    (target,) = resources["Rule"].pop("Targets")
    pattern = resources["Rule"].pop("EventPattern")
    (named,) = pattern["detail"]["pipelineArn"]
    account = {"Partition": "aws", "Region": "us-east-1", "AccountId": "111122223333"}
    pattern["detail"]["pipelineArn"] = [re.sub(r"\$\{AWS::(\w+)\}", lambda found: account[found[1]], named["Fn::Sub"])]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), **resources["Rule"])
    target |= {"Arn": arn, "RoleArn": "arn:aws:iam::111122223333:role/events"}
    check("events", "PutTargets", {"Rule": name, "Targets": [target]})
    events.put_targets(Rule=name, Targets=[target])
    arn = f"arn:aws:sagemaker:us-east-1:111122223333:pipeline/{name}"
    for status, wanted in (("Failed", True), ("Succeeded", False)):
        event: Any = {
            "source": "aws.sagemaker",
            "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
            "detail": {"currentPipelineExecutionStatus": status, "pipelineArn": arn},
        }
        assert EventPattern.load(json.dumps(pattern)).matches_event(event) is wanted
    assert target["InputTransformer"]["InputPathsMap"] == {"run": "$.detail.pipelineExecutionArn"}
    content: dict[str, Any] = json.loads(target["InputTransformer"]["InputTemplate"].replace("<run>", "ARN"))
    return content


# ------------------------------------------------------------------------------------------------ notebooks


def bundle_of(notebook: Path, folder: Path, **options: Any) -> Path:
    write(nb2pipe.emit(nb2pipe.load(notebook), target="sagemaker", folder=folder, **options), folder)
    return folder


def written(folder: Path, text: str) -> Path:
    path = folder / "n.py"
    path.write_text(dedent(text), "utf-8")
    return path


def ran(engine: SageMaker, folder: Path, /, **parameters: object) -> Ran:
    done = engine.run(folder, parameters, secrets={}, variables={})
    assert done.succeeded, engine.last and engine.last.reasons
    return done


def values_of_run(notebook: Path, home: Path) -> dict[str, str]:
    run = nb2pipe.run(notebook, home=home)
    files = (home / "runs" / run.run / "steps").glob("*.json")
    records = [json.loads(file.read_text("utf-8")) for file in files]
    return digests({record["name"]: record for record in records})


GATES = """
# %% tags=["imports"]
import random

# %% tags=["parameters"]
low, high = 1, 1

# %% tags=["step:first", "gate:left > 0"]
random.seed(3)
left = low

# %% tags=["pipeline-metrics"]
print(left)

# %% tags=["step:drawn", "prev:first"]
number = random.random()

# %% tags=["step:second", "prev:drawn", "gate:right > 0 and left > 0"]
right = high

# %% tags=["pipeline-metrics"]
print(right)

# %% tags=["step:last", "prev:second"]
end = (left, right)

# %% tags=["step:apart"]
other = random.random()
"""


def test_gates_behind_gates_decide_and_a_random_generator_passes_them(tmp_path: Path) -> None:
    notebook = written(tmp_path, GATES)
    folder, engine = bundle_of(notebook, tmp_path / "bundle"), SageMaker(tmp_path / "aws")
    steps = read(folder)["Steps"]
    assert [step["Name"] for step in steps if step["Type"] == "Condition"] == ["first-gate", "first-and-second-gate"]
    done = ran(engine, folder)
    assert digests(done.records) == values_of_run(notebook, tmp_path / "home")
    done = ran(engine, folder, high=0)
    assert set(done.records) == {"first", "drawn", "second", "apart"}
    done = ran(engine, folder, low=0)
    assert set(done.records) == {"first", "drawn", "apart"}
    assert done.records["drawn"]["skipped"] == "first"  # it is started, since `apart` takes the generator from it
    assert "other" in str(done.records["apart"]["outputs"])


MANY = 12


def test_more_branches_and_steps_than_a_job_has_inputs(tmp_path: Path) -> None:
    cells = ['# %% tags=["step:begin"]\nbegin = [1]\n']
    cells += [
        f'# %% tags=["step:b{n}"]\nopen("f{n}.txt", "w").write("{n}")\nx{n} = begin[0] + {n}\n' for n in range(MANY)
    ]
    cells.append(f'# %% tags=["step:join"]\ntotal = {" + ".join(f"x{n}" for n in range(MANY))}\n')
    cells += [f'# %% tags=["step:c{n}"]\ntotal += {n}\n' for n in range(4)]
    cells.append('# %% tags=["step:end"]\nend = (total, open("f3.txt").read(), x7)\n')
    notebook = written(tmp_path, "\n".join(cells))
    folder, engine = bundle_of(notebook, tmp_path / "bundle"), SageMaker(tmp_path / "aws")
    assert "gather-1" in {step["Name"] for step in read(folder)["Steps"]}
    assert digests(ran(engine, folder).records) == values_of_run(notebook, tmp_path / "home")
    ran(engine, folder)
    assert engine.last is not None
    assert engine.last.ran == []  # what was gathered is used again, too


HOSTILE = """
# %% tags=["parameters"]
größe = 2
ImageUri = "x"
text = "{\\"Get\\": \\"Parameters.RoleArn\\"} ${{ x }} $(touch hacked) `y` 'z' */ -- =é"
lines = "two\\nlines"
long = "l" * 3
words = ["-a", "ü", None]
pair = (1, 2.5)
nothing = None
large = 3_000_000_000
tiny = 1e-9
password = "hunter2 and more"

# %% tags=["step:make-it", "label:team:a b", "label:odd:${x}", "env:ODD:'\\"$(x)\\"", "annotation:note:*/ {{x}}"]
made = [größe, ImageUri, text, lines, long, words, pair, nothing, large, tiny]

# %% tags=["step:make_it2"]
kept = len(password)
"""


def test_texts_that_mean_something_elsewhere_arrive_as_they_are(tmp_path: Path) -> None:
    notebook = written(tmp_path, HOSTILE)
    folder, engine = bundle_of(notebook, tmp_path / "bundle"), SageMaker(tmp_path / "aws")
    assert "hunter2" not in (folder / "sagemaker" / "pipeline.json").read_text("utf-8")
    boto3.client("secretsmanager").create_secret(Name="n/password", SecretString="hunter2 and more")
    done = ran(engine, folder)
    assert digests(done.records) == values_of_run(notebook, tmp_path / "home")
    assert not list(tmp_path.rglob("hacked"))


MODEL = """
# %% tags=["imports"]
import torch
from torch import nn, optim

# %% tags=["parameters"]
epochs = 2
day = "2020-01-01"

# %% tags=["step:fit", "retry:1", "annotation:sagemaker/model-package-group:nets", "annotation:sagemaker/model:net.pt"]
torch.manual_seed(0)
net = nn.Linear(2, 1)
optimizer = optim.SGD(net.parameters(), lr=0.1)
for epoch in range(epochs):
    optimizer.zero_grad()
    loss = net(torch.ones(3, 2)).square().mean()
    loss.backward()
    optimizer.step()
torch.save(net.state_dict(), "net.pt")
last = loss.item()
print(day)

# %% tags=["step:look", "annotation:sagemaker/model-package-group:texts"]
seen = sorted(torch.load("net.pt"))
open("seen.txt", "w").write(str(seen) + day)

# %% tags=["pipeline-metrics"]
print(last)
"""


def test_a_training_job_leaves_a_model_that_is_registered(tmp_path: Path) -> None:
    notebook = written(tmp_path, MODEL)
    folder, engine = bundle_of(notebook, tmp_path / "bundle"), SageMaker(tmp_path / "aws")
    kinds = {step["Name"]: step["Type"] for step in read(folder)["Steps"]}
    assert kinds == {
        "fit": "Training",
        "fit-register": "RegisterModel",
        "look": "Processing",
        "look-register": "RegisterModel",
    }
    store = tmp_path / "store"
    done = ran(engine, folder, epochs=1, StoreUri=str(store))
    assert engine.last is not None
    assert [path.name for path in (store / "runs").iterdir()] == [engine.last.identity]  # all under one name
    assert engine.last.resolved["fit"]["HyperParameters"] == {"epochs": "1", "day": "2020-01-01"}
    first, second = sorted(engine.last.registered, key=lambda each: str(each["ModelPackageGroupName"]))
    assert (first["ModelPackageGroupName"], first["files"]) == ("nets", ["net.pt"])
    assert (second["ModelPackageGroupName"], second["files"]) == ("texts", ["seen.txt"])
    assert engine.last.local(second["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]).is_file()
    ran(engine, folder, epochs=1, StoreUri=str(store))
    assert engine.last.ran == []  # all is taken from the first execution, the training job's archive too
    assert set(done.records) == {"fit", "look"}


FAILING = """
# %% tags=["imports"]
import time

# %% tags=["step:a", "timeout:2s", "retry:1"]
time.sleep(9)

# %% tags=["step:c", "annotation:sagemaker/step:training"]
time.sleep(4)
raise ValueError("no such thing")
"""


def test_a_step_that_fails_says_why_on_the_page_of_its_job(tmp_path: Path) -> None:
    folder, engine = bundle_of(written(tmp_path, FAILING), tmp_path / "bundle"), SageMaker(tmp_path / "aws")
    assert not engine.run(folder, {}, secrets={}, variables={}).succeeded
    assert engine.last is not None
    assert engine.last.reasons["a"] == "the step took longer than 2 s"
    reason = engine.last.reasons["c"]
    assert reason == "error: the step `c` failed in n.py, cell 4, line 2: ValueError: no such thing"
