"""SageMaker Pipelines on this machine: definitions go through moto's API, and jobs run in containers' folders.

What an image holds is what the Dockerfiles copy; buckets are folders. Steps run as soon as what they name is there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import uuid
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from sagemaker_rules import check, check_definition, check_step, needed

from nb2pipe.testing.targets import Ran

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLE = "arn:aws:iam::111122223333:role/pipelines"
IMAGE = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/pipeline:1"
PLACE = "s3://bucket/pipeline"
_COPY = re.compile(r"COPY (?:--chown=\S+ )?(?:(\[.*\])|(\S+) (\S+))")
_KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": ("AlgorithmSpecification", "Environment", "HyperParameters", "InputDataConfig"),
}
"""The attributes that decide whether a step is run again, as the documentation of SageMaker lists them."""


def image_of(bundle: Path, folder: Path) -> None:
    """The files that the two Dockerfiles copy into the image."""
    for name in ("Dockerfile", "sagemaker/Dockerfile"):
        for line in (bundle / name).read_text("utf-8").splitlines():
            found = _COPY.fullmatch(line)
            if found:
                source, target = json.loads(found[1]) if found[1] else (found[2], found[3])
                source = re.sub(r"\[(.)\]", r"\1", source)
                place = folder / target.lstrip("/") / (source if target.endswith("/") and not found[1] else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                if (bundle / source).is_dir():
                    shutil.copytree(bundle / source, place, dirs_exist_ok=True)
                else:
                    shutil.copyfile(bundle / source, place)
    (folder / "files").mkdir(exist_ok=True)


def text_of(value: object) -> str:
    """A value as the service joins it: it is written in Java."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        digits, _, exponent = repr(value).partition("e")
        return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}" if exponent else digits
    return str(value)


@dataclass
class Execution:
    """One execution of a pipeline."""

    definition: dict[str, Any]
    parameters: Mapping[str, object]
    folder: Path
    bucket: Path
    image: Path
    variables: Mapping[str, str]
    cache: dict[str, dict[str, Any]]
    identity: str
    started: str
    dry: bool = False
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    resolved: dict[str, dict[str, Any]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    registered: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    # -------------------------------------------------------------------------------------------- placeholders

    def resolve(self, content: Any) -> Any:
        match content:
            case {"Get": str(name)}:
                return self.get(name)
            case {"Std:Join": {"On": on, "Values": values}}:
                return on.join(text_of(self.resolve(each)) for each in values)
            case {"Std:JsonGet": {"PropertyFile": {"Get": name}, "Path": path}}:
                return json.loads(self.property_file(name).read_text("utf-8"))[path]
            case dict():
                return {key: self.resolve(each) for key, each in content.items()}
            case list():
                return [self.resolve(each) for each in content]
            case _:
                return content

    def get(self, name: str) -> Any:
        kind, _, rest = name.partition(".")
        if kind == "Parameters":
            return self.parameters[rest]
        if kind == "Execution":
            values = {"PipelineExecutionId": self.identity, "PipelineName": "p", "StartDateTime": self.started}
            return values[rest]
        step, _, path = rest.partition(".")
        return self.properties[step][path]

    def property_file(self, name: str) -> Path:
        _, step, _, file = name.split(".")
        row = next(each for each in self.step(step)["PropertyFiles"] if each["PropertyFileName"] == file)
        return self.local(self.properties[step][_output(row["OutputName"])]) / row["FilePath"]

    def step(self, name: str) -> dict[str, Any]:
        inner = [each for step in self.definition["Steps"] for each in step["Arguments"].get("IfSteps", ())]
        return next(each for each in (*self.definition["Steps"], *inner) if each["Name"] == name)

    def local(self, uri: str) -> Path:
        """The folder, or the file, that a URI of S3 stands for."""
        assert re.fullmatch(r"s3://[^/]+(/[^/]+)+", uri), uri
        return self.bucket / uri.removeprefix("s3://")

    # -------------------------------------------------------------------------------------------- order

    def run(self) -> bool:
        """Runs all; whether it succeeded. A step that waits for one that is not started is not started."""
        waiting = list(self.definition["Steps"])
        done: set[str] = set()
        running: dict[Future[list[dict[str, Any]]], str] = {}
        good = True
        with ThreadPoolExecutor(8) as pool:
            while True:
                ready = [step for step in waiting if needed(step) <= done] if good else []
                waiting = [step for step in waiting if step not in ready]
                running |= {pool.submit(self.do, step): step["Name"] for step in ready}
                if not running:
                    return good
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    try:
                        waiting += future.result()
                        done.add(name)
                    except JobFailedError as error:
                        self.reasons[name] = str(error)
                        good = False

    def do(self, step: dict[str, Any]) -> list[dict[str, Any]]:
        """Does a step; the steps that may begin by what it decided."""
        if step["Type"] == "Condition":
            rows = step["Arguments"]["Conditions"]
            if self.dry:
                return list(step["Arguments"]["IfSteps"])
            assert all(row["Type"] == "Equals" for row in rows)
            holds = all(self.resolve(row["LeftValue"]) == row["RightValue"] for row in rows)
            return list(step["Arguments"]["IfSteps" if holds else "ElseSteps"])
        arguments = self.resolve(step["Arguments"])
        check_step(step, arguments)
        with self.lock:
            self.resolved[step["Name"]] = arguments
        if step["Type"] == "RegisterModel":
            self.register(arguments)
            return []
        key = json.dumps([step["Name"], *(arguments.get(name) for name in _KEYS[step["Type"]])], sort_keys=True)
        enabled = step["CacheConfig"]["Enabled"] if "CacheConfig" in step else False
        if not (enabled and key in self.cache):
            with self.lock:
                self.ran.append(step["Name"])
            made = self.process(arguments) if step["Type"] == "Processing" else self.train(step["Name"], arguments)
            with self.lock:
                self.cache[key] = made
        with self.lock:
            self.properties[step["Name"]] = self.cache[key]
        return []

    def register(self, arguments: dict[str, Any]) -> None:
        (container,) = arguments["InferenceSpecification"]["Containers"]
        with tarfile.open(self.local(container["ModelDataUrl"])) as archive:
            files = archive.getnames()
        with self.lock:
            self.registered.append({**arguments, "files": files})

    # -------------------------------------------------------------------------------------------- jobs

    def process(self, arguments: dict[str, Any]) -> dict[str, Any]:
        outputs = arguments["ProcessingOutputConfig"]["Outputs"]
        properties = {_output(each["OutputName"]): each["S3Output"]["S3Uri"] for each in outputs}
        if self.dry:
            return properties
        root = self.container()
        for each in arguments.get("ProcessingInputs", ()):
            self.download(each["S3Input"]["S3Uri"], root / each["S3Input"]["LocalPath"].lstrip("/"))
        for each in outputs:
            (root / each["S3Output"]["LocalPath"].lstrip("/")).mkdir(parents=True)
        (root / "opt/ml/config").mkdir()
        described = {"ProcessingJobName": f"pipelines-{self.identity}-x-{uuid.uuid4().hex[:6]}", **arguments}
        (root / "opt/ml/config/processingjobconfig.json").write_text(json.dumps(described), "utf-8")
        self.start(root, arguments["AppSpecification"], arguments, root / "opt/ml/output/message")
        for each in outputs:
            self.upload(root / each["S3Output"]["LocalPath"].lstrip("/"), each["S3Output"]["S3Uri"])
        return properties

    def train(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        job, path = f"pipelines-{self.identity}-{name}", arguments["OutputDataConfig"]["S3OutputPath"]
        properties = {
            "TrainingJobName": job,
            "OutputDataConfig.S3OutputPath": path,
            "ModelArtifacts.S3ModelArtifacts": f"{path}/{job}/output/model.tar.gz",
        }
        if self.dry:
            return properties
        root = self.container()
        for each in arguments.get("InputDataConfig", ()):
            self.download(each["DataSource"]["S3DataSource"]["S3Uri"], root / "opt/ml/input/data" / each["ChannelName"])
        config = root / "opt/ml/input/config"
        for folder in (config, root / "opt/ml/model", root / "opt/ml/output/data"):
            folder.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(arguments.get("HyperParameters", {})), "utf-8")
        self.start(root, arguments["AlgorithmSpecification"], arguments, root / "opt/ml/output/failure")
        for folder, archive in (("model", "model"), ("output/data", "output")):
            target = self.local(f"{path}/{job}/output/{archive}.tar.gz")
            target.parent.mkdir(parents=True, exist_ok=True)
            with tarfile.open(target, "w:gz") as file:
                for each in sorted((root / "opt/ml" / folder).iterdir()):
                    file.add(each, each.name)
        return properties

    def container(self) -> Path:
        """The root of a container: what the image holds, and nothing that another job left."""
        root = self.folder / f"job-{uuid.uuid4().hex[:8]}"
        shutil.copytree(self.image, root)
        (root / "opt/ml/output").mkdir(parents=True)
        (root / "tmp").mkdir()
        return root

    def start(self, root: Path, asked: dict[str, Any], arguments: dict[str, Any], message: Path) -> None:
        """Runs the command of a job, with the paths of its container below a folder."""
        words = [self.below(root, word) for word in (*asked["ContainerEntrypoint"], *asked["ContainerArguments"])]
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(root / "app"),
            "HOME": str(root / "tmp"),
            "TMPDIR": str(root / "tmp"),
            **{name: value for name, value in os.environ.items() if name.startswith("AWS_") or name == "NO_PROXY"},
            **({"TRAINING_JOB_NAME": f"pipelines-{self.identity}-x"} if "AlgorithmSpecification" in arguments else {}),
            **self.variables,
            **arguments["Environment"],
        }
        done = subprocess.run(
            words,
            cwd=root / "files",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=arguments["StoppingCondition"]["MaxRuntimeInSeconds"],
        )
        sys.stderr.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise JobFailedError(message.read_text("utf-8"))

    @staticmethod
    def below(root: Path, word: str) -> str:
        """A word of a command, with the container's paths where they are on this machine."""
        return re.sub(r"^(--[a-z0-9-]+=)?(/opt/ml/|/app/)", lambda found: f"{found[1] or ''}{root}{found[2]}", word)

    def download(self, uri: str, target: Path) -> None:
        source = self.local(uri)
        assert source.exists(), f"no objects at {uri}"
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True)
            shutil.copyfile(source, target / source.name)

    def upload(self, source: Path, uri: str) -> None:
        for file in source.rglob("*"):
            if file.is_file():
                target = self.local(uri) / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)

    # -------------------------------------------------------------------------------------------- what is left

    def records(self) -> dict[str, dict[str, Any]]:
        """What steps left in this execution, or in the one that they were taken from."""
        found: dict[str, dict[str, Any]] = {}
        for path in self.left():
            for file in path.glob("*.json"):
                content = json.loads(file.read_text("utf-8"))
                if "step" in content:
                    found[content["step"]] = content
        return found

    def metrics(self) -> dict[str, float]:
        """What the property files of steps hold, as a condition would see it."""
        found: dict[str, float] = {}
        for name in self.properties:
            for row in self.step(name).get("PropertyFiles", ()):
                if row["PropertyFileName"] == "metrics":
                    found |= json.loads(self.property_file(f"Steps.{name}.PropertyFiles.metrics").read_text("utf-8"))
        return found

    def notebooks(self) -> dict[str, Path]:
        return {file.stem: file for path in self.left("notebook") for file in path.glob("*.ipynb")}

    def left(self, output: str = "values") -> list[Path]:
        """The folders of an output, over all steps."""
        found = []
        for name, values in self.properties.items():
            if "TrainingJobName" in values:
                place = self.folder / f"left-{name}"
                path, job = values["OutputDataConfig.S3OutputPath"], values["TrainingJobName"]
                with tarfile.open(self.local(f"{path}/{job}/output/output.tar.gz")) as archive:
                    archive.extractall(place, filter="data")
                found.append(place if output == "values" else place / output)
            elif _output(output) in values:
                found.append(self.local(values[_output(output)]))
        return found


def _output(name: str) -> str:
    return f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"


class JobFailedError(Exception):
    """A job failed; the message is the reason that its page shows."""


class SageMaker:
    """Runs bundles; buckets and what is reused are kept from run to run."""

    def __init__(self, folder: Path, *, dry: bool = False) -> None:
        self.folder = folder
        self.dry = dry  # nothing is run: what steps are given is looked at
        self.cache: dict[str, dict[str, Any]] = {}
        self.last: Execution | None = None
        self.client = boto3.client("sagemaker")

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        for (secret, key), value in secrets.items():
            keep_secret(secret, json.dumps({key: value}))
        plain = {name: text for name, text in variables.items() if name != "NB2PIPE_STORE"}
        given = {"StoreUri": variables["NB2PIPE_STORE"]} if "NB2PIPE_STORE" in variables else {}
        execution = self.started(folder, {**parameters, **given}, plain)
        succeeded = execution.run()
        if self.dry:
            return Ran(succeeded=succeeded, records={})
        return Ran(
            succeeded=succeeded,
            records=execution.records(),
            metrics=execution.metrics(),
            notebooks=execution.notebooks(),
        )

    def started(self, folder: Path, parameters: Mapping[str, object], variables: Mapping[str, str]) -> Execution:
        """An execution that SageMaker's API has taken."""
        name = f"p-{uuid.uuid4().hex[:8]}"
        text = (folder / "sagemaker" / "pipeline.json").read_text("utf-8")
        asked = {"PipelineName": name, "PipelineDefinition": text, "RoleArn": ROLE}
        check("sagemaker", "CreatePipeline", {**asked, "ClientRequestToken": "x" * 32})
        self.client.create_pipeline(**asked)
        declared = json.loads(text)["Parameters"]
        given = {"RoleArn": ROLE, "S3Uri": PLACE, **parameters}
        given |= {each["Name"]: IMAGE for each in declared if "ImageUri" in each["Name"] and "DefaultValue" not in each}
        start = {
            "PipelineName": name,
            "PipelineParameters": [{"Name": key, "Value": as_given(value)} for key, value in given.items()],
        }
        check("sagemaker", "StartPipelineExecution", {**start, "ClientRequestToken": "x" * 32})
        arn = self.client.start_pipeline_execution(**start)["PipelineExecutionArn"]
        taken = self.client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
        definition = json.loads(taken["PipelineDefinition"])
        check_definition(definition)
        told = self.client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
        values = {each["Name"]: each["Value"] for each in told}
        place = self.folder / name
        image_of(folder, place / "image")
        self.last = Execution(
            definition=definition,
            parameters={each["Name"]: typed(each, values) for each in declared},
            folder=place,
            bucket=self.folder / "s3",
            image=place / "image",
            variables=variables,
            cache=self.cache,
            dry=self.dry,
            identity=name[2:],
            started=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        return self.last


def as_given(value: object) -> str:
    """A value as it is given on the command line of `aws`."""
    return value if isinstance(value, str) else json.dumps(value)


def typed(declared: dict[str, Any], values: Mapping[str, str]) -> object:
    """The value that a parameter has."""
    if declared["Name"] not in values:
        return declared["DefaultValue"]
    text = values[declared["Name"]]
    match declared["Type"]:
        case "Integer":
            return int(text)
        case "Float":
            return float(text)
        case "Boolean":
            assert text in {"true", "false"}
            return text == "true"
        case _:
            return text


def keep_secret(name: str, text: str) -> None:
    client = boto3.client("secretsmanager")
    try:
        client.create_secret(Name=name, SecretString=text)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, SecretString=text)
