"""A step as a template of an Argo Workflow: its container, what comes in and what goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.targets.argo.text import (
    BRACE,
    annotation_problem,
    expanded,
    label_problem,
    resource_problem,
    secret_problem,
    shown,
)
from nb2pipe.targets.model import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.targets.jobs import Job

IMAGE, STORE = "pipeline-image", "pipeline-store"
"""Parameters of ours; those of a notebook have no dash."""

FILES = "/files"
_BUNDLE = "/bundle"
_INPUTS = "/nb2pipe/inputs"
_OUTPUTS = "/tmp/nb2pipe/values"  # noqa: S108  # in the container
_METRICS = "/tmp/nb2pipe/metrics.json"  # noqa: S108  # as above
_GATE = "/tmp/nb2pipe/gate"  # noqa: S108  # as above
_NOTEBOOK = "/tmp/nb2pipe/notebook.ipynb"  # noqa: S108  # as above
_WORDS = frozenset({"int", "float", "bool"})
"""Types whose values Kubernetes cannot take for references to variables."""

RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""What the security standards of Kubernetes want of a container, and a root that nobody writes to."""

PIPELINE_IMAGE = f"{{{{workflow.parameters.{IMAGE}}}}}"

_OWN_IMAGE = {
    "PYTHONPATH": _BUNDLE,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "HOME": "/tmp",  # noqa: S108  # in the container
}
"""What the pipeline's image sets by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What steps have in common.

    Attributes:
        slugs: The name of each job in the workflow.
        types: The types of the parameters that the workflow has, by name.
        data: Data files come with the pipeline's image.
        mode: What is run for a step.
    """

    slugs: Mapping[str, str]
    types: Mapping[str, str | None]
    data: bool
    mode: Mode

    def parameters(self, job: Job) -> tuple[str, ...]:
        """The parameters that a job is given."""
        return tuple(name for name in job.parameters if name in self.types)


def template_of(job: Job, around: Around) -> dict[str, Any]:
    """The template of a job."""
    step, names = job.step, around.parameters(job)
    template: dict[str, Any] = {"name": job.slug}
    metadata = _metadata(job)
    if metadata:
        template["metadata"] = metadata
    inputs: dict[str, Any] = {}
    if names:
        inputs["parameters"] = [{"name": name} for name in names]
    if job.needs:
        slugs = [around.slugs[need] for need in job.needs]
        inputs["artifacts"] = [{"name": slug, "path": f"{_INPUTS}/{slug}"} for slug in slugs]
    if inputs:
        template["inputs"] = inputs
    template["outputs"] = _outputs(job, around.mode)
    if step.timeout is not None:
        template["activeDeadlineSeconds"] = max(1, round(step.timeout))
    if step.retry:
        backoff = {"backoff": {"duration": f"{step.retry_delay:g}s"}} if step.retry_delay else {}
        template["retryStrategy"] = {"limit": str(step.retry), "retryPolicy": "Always", **backoff}
    first = list(_first(job, around))
    if first:
        template["initContainers"] = first
    template["container"] = _container(job, around)
    return template


def _metadata(job: Job) -> dict[str, Any]:
    resources = job.step.resources
    labels = {key: value for key, value in resources.labels if label_problem(key, value) is None}
    annotations = {key: value for key, value in resources.annotations if annotation_problem(key, value) is None}
    if job.step.description:
        annotations = {"workflows.argoproj.io/description": shown(job.step.description), **annotations}
    kinds = {"labels": labels, "annotations": annotations}
    return {kind: pairs for kind, pairs in kinds.items() if pairs}


def _outputs(job: Job, mode: Mode) -> dict[str, Any]:
    """What goes out: the folder of values as an artifact; metrics and the gate, for pages and conditions."""
    parameters = [{"name": "metrics", "valueFrom": {"path": _METRICS}}] if job.step.metrics else []
    parameters += [{"name": "gate", "valueFrom": {"path": _GATE}}] if job.step.gate is not None else []
    artifacts: list[dict[str, Any]] = [{"name": "values", "path": _OUTPUTS}]
    if mode is Mode.NOTEBOOK:
        artifacts.append({"name": "notebook", "path": _NOTEBOOK, "archive": {"none": {}}})
    return {**({"parameters": parameters} if parameters else {}), "artifacts": artifacts}


def _first(job: Job, around: Around) -> Iterator[dict[str, Any]]:
    """What runs before the step: volumes hide what the pipeline's image holds, and another image does not hold it."""
    if job.step.resources.image is not None:
        yield _copying("bundle", "/app", _BUNDLE)
    if around.data:
        yield _copying("files", FILES, f"/copied{FILES}")


def _copying(volume: str, source: str, target: str) -> dict[str, Any]:
    return {
        "name": f"copy-{volume}",
        "image": PIPELINE_IMAGE,
        "command": ["cp", "-R", f"{source}/.", target],
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": volume, "mountPath": target}],
    }


def _container(job: Job, around: Around) -> dict[str, Any]:
    own = job.step.resources.image
    container: dict[str, Any] = {
        "image": own or PIPELINE_IMAGE,
        "command": ["python", "-m", job.module],
        "args": list(_arguments(job, around)),
    }
    environment = _environment(job)
    if environment:
        container["env"] = environment
    limits = {
        "nvidia.com/gpu" if name == "gpu" else name: quantity
        for name, quantity in job.step.resources.limits
        if resource_problem(name) is None
    }
    if limits:
        container["resources"] = {"limits": limits}
    if own is not None:
        container["volumeMounts"] = [{"name": "bundle", "mountPath": _BUNDLE}]
    return container


def _arguments(job: Job, around: Around) -> Iterator[str]:
    yield from (f"--nb2pipe-inputs={_INPUTS}/{around.slugs[need]}" for need in job.needs)
    yield f"--nb2pipe-outputs={_OUTPUTS}"
    yield "--nb2pipe-files"
    if job.gated:
        yield "--nb2pipe-gated"
    if around.mode is Mode.NOTEBOOK:
        yield f"--nb2pipe-notebook={_NOTEBOOK}"
    if job.step.metrics:
        yield f"--nb2pipe-metrics={_METRICS}"
    if job.step.gate is not None:
        yield f"--nb2pipe-gate={_GATE}"
    for name in around.parameters(job):
        value = f"inputs.parameters.{name}"
        quoted = f"=replace({value}, '$', '$$')"  # Kubernetes would take `$(NAME)` for a variable
        yield f"--{name}={{{{{value if around.types[name] in _WORDS else quoted}}}}}"


def _environment(job: Job) -> list[dict[str, Any]]:
    """The variables of a step; of two with one name the later one holds."""
    resources = job.step.resources
    texts = {name: expanded(value) for name, value in resources.environment}
    found = dict(_OWN_IMAGE) if resources.image is not None else {}
    found |= {BRACE: "{"} if any(f"$({BRACE})" in text for text in texts.values()) else {}
    variables = {name: {"name": name, "value": value} for name, value in (found | texts).items()}
    secrets = [each for each in resources.secrets if secret_problem(each.secret) is None]
    secret = {each.variable: secret_variable(each.secret, each.key, each.variable) for each in secrets}
    return list((variables | secret).values())


def secret_variable(secret: str, key: str, variable: str) -> dict[str, Any]:
    """A variable that comes from a key of a secret of Kubernetes."""
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
