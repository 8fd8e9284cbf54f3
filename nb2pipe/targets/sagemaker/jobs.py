"""A step of the notebook as a step of SageMaker's: a processing job or a training job, with its arguments."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.codegen.modules.words import one_line
from nb2pipe.targets.model import Mode
from nb2pipe.targets.sagemaker.parameters import joined, key_of, word_of
from nb2pipe.targets.sagemaker.sizes import disk_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.notebook.model import Settings
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.sagemaker.layout import Node
    from nb2pipe.targets.sagemaker.parameters import Parameters

PROGRAM: Final = ("python", "/app/sagemaker/job.py")
GATE: Final = "gate"
"""The property file that says whether a gate holds."""

_PROCESSING: Final = "/opt/ml/processing"
_TRAINING: Final = "/opt/ml"
_DAY: Final = 86_400
_LONGEST_JOB: Final = 777_600
_MARGIN: Final = 300
"""Seconds that a job gets beyond the time limits of its step: for its start."""
_MOST_ATTEMPTS: Final = 20
_EXPIRES: Final = "P30D"
_DURATION: Final = re.compile(r"P(?=\w)(\d+[YMWD])*(T(\d+[HMS])+)?", re.ASCII)
_GROUP: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", re.ASCII)
_LONGEST_DESCRIPTION: Final = 3_000

MODEL, GROUP, INFERENCE, KIND, EXPIRY = (
    f"sagemaker/{name}" for name in ("model", "model-package-group", "inference-image", "step", "cache-expiry")
)
"""Annotations that say something to this target."""
OWN: Final = (MODEL, GROUP, INFERENCE, KIND, EXPIRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A node, and what its step of SageMaker's needs to know.

    Attributes:
        node: What it runs.
        name: Of the step.
        training: It is a training job.
        words: The notebook's parameters that it takes.
        secrets: Those of them that come from Secrets Manager.
        environment: Variables.
        tags: Pairs.
        model: The file that is the model; empty where there is none.
        code: Digest of what its results depend on, beside its inputs.
        reusable: Its results may be used again.
    """

    node: Node
    name: str
    training: bool = False
    words: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    model: str = ""
    code: str = ""
    reusable: bool = False

    @property
    def job(self) -> Job | None:
        """The job; None for one that gathers."""
        return self.node.job

    @property
    def group(self) -> str:
        """The group of models that its own is registered in; empty where there is none."""
        name = self.annotations.get(GROUP, "")
        return name if self.model and _GROUP.fullmatch(name) else ""

    @property
    def annotations(self) -> dict[str, str]:
        """What the notebook says of the step to platforms."""
        return dict(self.job.step.resources.annotations) if self.job else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes steps.

    Attributes:
        parameters: Of the pipeline.
        planned: All nodes, by name.
        settings: What the notebook says of the pipeline.
        mode: What is run for a step.
    """

    parameters: Parameters
    planned: Mapping[str, Planned]
    settings: Settings
    mode: Mode

    def step(self, one: Planned) -> dict[str, Any]:
        """A node as a step."""
        step: dict[str, Any] = {"Name": one.name, "Type": "Training" if one.training else "Processing"}
        step |= _told(one)
        step["Arguments"] = self._training(one) if one.training else self._processing(one)
        step["CacheConfig"] = _cache(one)
        if one.job is not None and one.job.step.retry:
            step["RetryPolicies"] = _retries(one.job)
        files = list(_property_files(one))
        return step | ({"PropertyFiles": files} if files else {})

    # -------------------------------------------------------------------------------------------- processing jobs

    def _processing(self, one: Planned) -> dict[str, Any]:
        cluster = {"InstanceType": self._instance(one), "InstanceCount": 1, "VolumeSizeInGB": self._disk(one)}
        arguments: dict[str, Any] = {
            "RoleArn": self.parameters.get("role"),
            "AppSpecification": {
                "ImageUri": self._image(one),
                "ContainerEntrypoint": list(PROGRAM),
                "ContainerArguments": self._words(one),
            },
            "ProcessingResources": {"ClusterConfig": cluster},
            "ProcessingInputs": [self._input(self.planned[name]) for name in one.node.inputs],
            "ProcessingOutputConfig": {"Outputs": [self._output(one, name) for name in _outputs(one, self.mode)]},
            "Environment": self._environment(one),
            "StoppingCondition": {"MaxRuntimeInSeconds": _seconds(one)},
        }
        return _filled(arguments, "ProcessingInputs") | _tags(one)

    def _input(self, source: Planned) -> dict[str, Any]:
        return {
            "InputName": source.name,
            "AppManaged": False,
            "S3Input": {
                "S3Uri": self._place(source),
                "LocalPath": f"{_PROCESSING}/input/{source.name}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }

    def _output(self, one: Planned, name: str) -> dict[str, Any]:
        place = (self.parameters.get("place"), {"Get": "Execution.PipelineExecutionId"}, one.name, name)
        return {
            "OutputName": name,
            "AppManaged": False,
            "S3Output": {
                "S3Uri": joined("/", *place),
                "LocalPath": f"{_PROCESSING}/output/{name}",
                "S3UploadMode": "EndOfJob",
            },
        }

    # -------------------------------------------------------------------------------------------- training jobs

    def _training(self, one: Planned) -> dict[str, Any]:
        resources = {"InstanceType": self._instance(one), "InstanceCount": 1, "VolumeSizeInGB": self._disk(one)}
        arguments: dict[str, Any] = {
            "RoleArn": self.parameters.get("role"),
            "AlgorithmSpecification": {
                "TrainingImage": self._image(one),
                "TrainingInputMode": "File",
                "ContainerEntrypoint": list(PROGRAM),
                "ContainerArguments": self._words(one),
            },
            "HyperParameters": {
                name: joined("", self.parameters.get(key_of(name))) for name in one.words if not self._is_date(name)
            },
            "InputDataConfig": [self._channel(self.planned[name]) for name in one.node.inputs],
            "OutputDataConfig": {
                "S3OutputPath": joined(
                    "/", self.parameters.get("place"), {"Get": "Execution.PipelineExecutionId"}, one.name
                )
            },
            "ResourceConfig": resources,
            "Environment": self._environment(one),
            "StoppingCondition": {"MaxRuntimeInSeconds": _seconds(one)},
        }
        return _filled(arguments, "HyperParameters", "InputDataConfig") | _tags(one)

    def _channel(self, source: Planned) -> dict[str, Any]:
        data = {"S3DataType": "S3Prefix", "S3Uri": self._place(source), "S3DataDistributionType": "FullyReplicated"}
        return {"ChannelName": source.name, "DataSource": {"S3DataSource": data}, "InputMode": "File"}

    # -------------------------------------------------------------------------------------------- what both have

    def _place(self, source: Planned) -> dict[str, Any]:
        """Where the values of a step are, once it has run, or was found to have run before."""
        step = f"Steps.{source.name}"
        if not source.training:
            return {"Get": f"{step}.ProcessingOutputConfig.Outputs['values'].S3Output.S3Uri"}
        path, name = {"Get": f"{step}.OutputDataConfig.S3OutputPath"}, {"Get": f"{step}.TrainingJobName"}
        return joined("/", path, name, "output/output.tar.gz")

    def _instance(self, one: Planned) -> dict[str, str]:
        key = f"instance {one.name}"
        return self.parameters.get(key if key in self.parameters.names else "instance")

    def _disk(self, one: Planned) -> Any:
        asked = disk_for(one.job.step.resources.limits) if one.job else None
        return self.parameters.get("disk") if asked is None else asked

    def _image(self, one: Planned) -> dict[str, str]:
        named = one.job.step.resources.image if one.job else None
        return self.parameters.get("image" if named is None else f"image {named}")

    def _environment(self, one: Planned) -> dict[str, Any]:
        own: dict[str, Any] = {"NB2PIPE_STORE": self.parameters.get("store")}
        own |= {"CODE_DIGEST": one.code} if one.reusable and one.code else {}
        return own | dict(one.environment)

    def _is_date(self, name: str) -> bool:
        return name == self.settings.run_date

    def _words(self, one: Planned) -> list[Any]:
        root = _TRAINING if one.training else _PROCESSING
        inputs = "input/data" if one.training else "input"
        folders = [f"--nb2pipe-inputs={root}/{inputs}/{self.planned[name].name}" for name in one.node.inputs]
        values = f"--nb2pipe-outputs={_values_folder(one)}"
        if one.job is None:
            return ["--carry", "--", *folders, values]
        return [*self._own_words(one, one.job), "--", one.job.module, *folders, values, *self._step_words(one, one.job)]

    def _own_words(self, one: Planned, job: Job) -> Iterator[Any]:
        """What is asked of the program around the step."""
        step = job.step
        if step.retry:
            yield from ("--retry", str(step.retry), "--delay", f"{step.retry_delay:g}")
        if step.timeout is not None:
            yield from ("--timeout", f"{step.timeout:g}")
        yield from self._words_of_values(one, job)
        if step.gate is not None:
            yield from ("--gate", job.file, f"{_PROCESSING}/output/{GATE}/{GATE}.json")
        if one.model and one.training:
            yield from ("--model", one.model, f"{_TRAINING}/model")
        elif one.model:
            yield from ("--archive", one.model, f"{_PROCESSING}/output/model")
        if not one.training:
            yield from ("--config", f"{_TRAINING}/config/processingjobconfig.json")
        yield from ("--message", f"{_TRAINING}/output/{'failure' if one.training else 'message'}")

    def _words_of_values(self, one: Planned, job: Job) -> Iterator[Any]:
        """Where values come from that stand in no definition."""
        for tag in job.step.resources.secrets:
            yield from ("--secret", tag.variable, self.parameters.get(f"secret {tag.secret}"), tag.key)
        for name in one.secrets:
            yield from ("--secret-parameter", name, self.parameters.get(f"secret parameter {name}"))
        for name in filter(self._is_date, one.words):
            start = {"Get": "Execution.StartDateTime"}
            yield from ("--date", name, self.parameters.get(key_of(name)), start, self.settings.timezone or "UTC")

    def _step_words(self, one: Planned, job: Job) -> Iterator[Any]:
        """What is asked of the step."""
        yield "--nb2pipe-files"
        if one.node.carries:
            yield "--nb2pipe-carry"
        if job.gated:
            yield "--nb2pipe-gated"
        if job.step.metrics:
            yield f"--nb2pipe-metrics={_folder(one, 'metrics')}/metrics.json"
        if self.mode is Mode.NOTEBOOK:
            yield f"--nb2pipe-notebook={_folder(one, 'notebook')}/{job.file}.ipynb"
        if one.training and any(not self._is_date(name) for name in one.words):
            yield f"--nb2pipe-parameters={_TRAINING}/input/config/hyperparameters.json"
        elif not one.training:
            yield from (word_of(self.parameters, name) for name in one.words if not self._is_date(name))


def condition(name: str, steps: Sequence[Planned], inner: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Steps that run only if gates hold.

    Args:
        name: Of the step that decides.
        steps: Those with the gates.
        inner: Those that run then.
    """
    texts = [one.job.step.gate.text for one in steps if one.job and one.job.step.gate]
    conditions = [
        {
            "Type": "Equals",
            "LeftValue": {
                "Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{one.name}.PropertyFiles.{GATE}"}, "Path": GATE}
            },
            "RightValue": True,
        }
        for one in steps
    ]
    return {
        "Name": name,
        "Type": "Condition",
        "DisplayName": one_line(" and ".join(texts))[:250],
        "Arguments": {"Conditions": conditions, "IfSteps": list(inner), "ElseSteps": []},
    }


def expiry_of(one: Planned) -> str | None:
    """How long a result may be used again; None where that is said in no form of ISO 8601."""
    text = one.annotations.get(EXPIRY, _EXPIRES)
    return text if _DURATION.fullmatch(text) else None


def _cache(one: Planned) -> dict[str, Any]:
    if not one.reusable:
        return {"Enabled": False}
    return {"Enabled": True, "ExpireAfter": expiry_of(one) or _EXPIRES}


def _retries(job: Job) -> list[dict[str, Any]]:
    """What the platform's own faults are met with; a failure of the step's code is met in the job itself."""
    again = {
        "IntervalSeconds": max(1, math.ceil(job.step.retry_delay)),
        "BackoffRate": 2.0,
        "MaxAttempts": min(_MOST_ATTEMPTS, job.step.retry),
    }
    faults = (
        ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"],
    )
    return [{"ExceptionType": kinds, **again} for kinds in faults]


def _told(one: Planned) -> dict[str, str]:
    """What the page shows of a step."""
    if one.job is None:
        return {"Description": "Hands on what earlier steps left: a job has ten inputs at most."}
    step = one.job.step
    others = [f"{key}: {value}" for key, value in step.resources.annotations if key not in OWN]
    text = one_line("; ".join([*([step.description] if step.description else []), *others]))
    told = {} if one.job.name == one.name else {"DisplayName": one_line(one.job.name)[:250]}
    return told | ({"Description": text[:_LONGEST_DESCRIPTION]} if text else {})


def _outputs(one: Planned, mode: Mode) -> Iterator[str]:
    yield "values"
    if one.job is None:
        return
    if one.job.step.metrics:
        yield "metrics"
    if one.job.step.gate is not None:
        yield GATE
    if one.model:
        yield "model"
    if mode is Mode.NOTEBOOK:
        yield "notebook"


def _property_files(one: Planned) -> Iterator[dict[str, str]]:
    if one.training or one.job is None:
        return
    if one.job.step.metrics:
        yield {"PropertyFileName": "metrics", "OutputName": "metrics", "FilePath": "metrics.json"}
    if one.job.step.gate is not None:
        yield {"PropertyFileName": GATE, "OutputName": GATE, "FilePath": f"{GATE}.json"}


def _values_folder(one: Planned) -> str:
    return f"{_TRAINING}/output/data" if one.training else f"{_PROCESSING}/output/values"


def _folder(one: Planned, name: str) -> str:
    """Where a job leaves what stands beside its values."""
    return f"{_TRAINING}/output/data/{name}" if one.training else f"{_PROCESSING}/output/{name}"


def _seconds(one: Planned) -> int:
    """How long the job may run: as long as all attempts of its step may take."""
    if one.job is None or one.job.step.timeout is None:
        return _DAY
    step = one.job.step
    most = (step.timeout or 0) * (1 + step.retry) + step.retry_delay * step.retry
    return min(_LONGEST_JOB, math.ceil(most) + _MARGIN)


def _filled(arguments: dict[str, Any], *names: str) -> dict[str, Any]:
    """Arguments without those of these names that hold nothing."""
    return {name: value for name, value in arguments.items() if value or name not in names}


def _tags(one: Planned) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in one.tags]} if one.tags else {}
