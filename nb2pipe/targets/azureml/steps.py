"""A step as a component of Azure ML, and as a job of the pipeline that binds what comes in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nb2pipe.targets.azureml.text import is_plain, shown, vault_name, word
from nb2pipe.targets.features import kind_of_limit
from nb2pipe.targets.model import Feature, Mode
from nb2pipe.targets.shell import Place, step_script
from nb2pipe.targets.yaml_text import Script

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.targets.jobs import Job

SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
GPU_CLUSTER = "azureml:gpu-cluster"
_KILLED_AFTER = 30
_GIVEN = "AZUREML_PARAMETER_"
"""What the names of the variables begin with that hold the inputs of a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What steps have in common.

    Attributes:
        names: The name of each job in the pipeline.
        inputs: The component's input for each parameter that the pipeline has, by name.
        dated: The parameter that is a date of the schedule; None where there is none.
        reusable: The steps that make the same again from the same.
        package: The package's name.
        notice: Where a failure is told: a URL, or the variable of its secret with the secret's name in the vault; None
            where nobody wants to know.
        mode: What is run for a step.
    """

    names: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, Any]]
    dated: str | None
    reusable: frozenset[str]
    package: str
    notice: tuple[str, str] | str | None
    mode: Mode

    @property
    def vault(self) -> str:
        """The input that names the Key Vault."""
        return _free("key_vault_url", self.inputs)

    def above(self, need: str) -> str:
        """The input that takes what a step above left."""
        return _free(f"from_{self.names[need]}", self.inputs)

    def parameters(self, job: Job) -> tuple[str, ...]:
        """The parameters that a job is given."""
        return tuple(name for name in job.parameters if name in self.inputs)

    def secrets(self, job: Job) -> dict[str, str]:
        """The names of secrets in the vault, by the variable that they go to."""
        own = {each.variable: vault_name(each.secret, each.key) for each in job.step.resources.secrets}
        return own | ({self.notice[0]: self.notice[1]} if isinstance(self.notice, tuple) else {})


def _free(name: str, taken: Mapping[str, object]) -> str:
    """A name of ours that no parameter has, in whatever case."""
    while name in {each.casefold() for each in taken}:
        name += "_"
    return name


def component_of(job: Job, around: Around) -> dict[str, Any]:
    """The component of a job."""
    resources = job.step.resources
    pairs = (*resources.labels, *resources.annotations)
    folder = {"type": "uri_folder", "mode": "download"}
    inputs: dict[str, Any] = {around.above(need): folder for need in job.needs}
    inputs |= {name: around.inputs[name] for name in around.parameters(job)}
    inputs |= {around.vault: {"type": "string"}} if around.secrets(job) else {}
    file = {"dockerfile_path": dockerfile_of(job, around)} if resources.image else {}
    return {
        "$schema": f"{SCHEMAS}/commandComponent.schema.json",
        "type": "command",
        "name": around.names[job.name],
        "display_name": shown(job.name),
        **({"description": shown(job.step.description)} if job.step.description else {}),
        **({"tags": {key: shown(value) for key, value in pairs}} if pairs else {}),
        "is_deterministic": job.name in around.reusable,
        **({"inputs": inputs} if inputs else {}),
        "outputs": {"values": {"type": "uri_folder", "mode": "upload"}},
        "code": "..",
        "environment": {"build": {"path": "../environment", **file}},
        "command": Script("".join(_command(job, around))),
    }


def dockerfile_of(job: Job, around: Around) -> str:
    """The file in `environment` that makes the image of a step with one of its own."""
    return f"{around.names[job.name]}.Dockerfile"


def _command(job: Job, around: Around) -> Iterator[str]:
    """The lines of a step's command; no text of the notebook or of a user stands in it but as a quoted word."""
    yield 'export NB2PIPE_RUN="${AZUREML_ROOT_RUN_ID:-$AZUREML_RUN_ID}"\n'
    for name, value in job.step.resources.environment:
        if not is_plain(value):
            yield f"export {name}={word(value)}\n"
    if around.dated in around.parameters(job):
        variable = f"{_GIVEN}{around.dated}"
        yield f'export {variable}="$(date --utc --date="${variable}" +%F)"\n'
    python = "python"
    secrets = around.secrets(job)
    if secrets:
        yield f'export KEY_VAULT_URL="${_GIVEN}{around.vault}"\n'
        pairs = " ".join(f"{variable}={secret}" for variable, secret in secrets.items())
        python = f"python with_secrets.py {pairs} -- python"
    if around.notice is not None:
        told = f"{python} -m {around.package} --nb2pipe-failed"
        yield f"trap 'code=$?; if [ $code -ne 0 ]; then {told}; fi; exit $code' EXIT\n"
    yield "set -e\n"
    place = Place(
        values='"${{outputs.values}}"',
        above=tuple(f'"${{{{inputs.{around.above(need)}}}}}"' for need in job.needs),
        more=("--nb2pipe-gated",) if job.gates else (),
    )
    if around.mode is Mode.NOTEBOOK:
        place = replace(place, notebook=f"{place.values}/told/{job.file}.ipynb")
    variables = {name: f"{_GIVEN}{name}" for name in around.parameters(job)}
    yield step_script(job, place, variables, python=python)
    if job.step.metrics:
        yield f"python log_metrics.py {place.metrics}\n"


def node_of(job: Job, around: Around) -> dict[str, Any]:
    """The job of the pipeline that runs a component."""
    step, resources = job.step, job.step.resources
    inputs = {around.above(need): f"${{{{parent.jobs.{around.names[need]}.outputs.values}}}}" for need in job.needs}
    inputs |= {name: f"${{{{parent.inputs.{name}}}}}" for name in around.parameters(job)}
    secret = bool(around.secrets(job))
    inputs |= {around.vault: f"${{{{parent.inputs.{around.vault}}}}}"} if secret else {}
    node: dict[str, Any] = {"type": "command", "component": f"./components/{around.names[job.name]}.yml"}
    if inputs:
        node["inputs"] = inputs
    variables = {name: value for name, value in resources.environment if is_plain(value)}
    if variables:
        node["environment_variables"] = variables
    if step.timeout is not None:
        once = step.timeout + _KILLED_AFTER
        node["limits"] = {"timeout": math.ceil(once * (step.retry + 1) + step.retry_delay * step.retry)}
    if wants_gpu(job):
        node["compute"] = GPU_CLUSTER
    if secret:
        node["identity"] = {"type": "managed"}
    return node


def wants_gpu(job: Job) -> bool:
    """Whether a step asks for a GPU."""
    return any(kind_of_limit(name) is Feature.GPU for name, _ in job.step.resources.limits)
