"""The target `azureml`: a pipeline job, a component for each step, and a schedule, for Azure Machine Learning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.templates import Code, render
from nb2pipe.notebook.model import SecretTag
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.targets.azureml.steps import SCHEMAS, Around, component_of, dockerfile_of, node_of, wants_gpu
from nb2pipe.targets.azureml.text import kind_of, name_problem, shown, value_of, vault_name
from nb2pipe.targets.azureml.zones import WINDOWS
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.checks.nb412_skipped_steps_complete import skipped_steps_complete
from nb2pipe.targets.cron import weekday_numbers
from nb2pipe.targets.jobs import jobs_of, slug_of
from nb2pipe.targets.model import Feature, Level
from nb2pipe.targets.reuse import reusable_steps
from nb2pipe.targets.texts import image_of, requirements_lock
from nb2pipe.targets.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Parameter, Pipeline
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.model import Bundle, Material

_FILE = "pipeline.yml"
_NOT_HERE = (Feature.CPU, Feature.MEMORY, Feature.LIMITS, Feature.REPORT)
_EMITTED = (
    *(Feature.SCHEDULE, Feature.TIMEZONE, Feature.CACHE, Feature.GPU, Feature.IMAGE, Feature.STEP_IMAGES),
    *(Feature.LABELS, Feature.ANNOTATIONS, Feature.SECRETS, Feature.OWNER),
)
_SUPPORTS = {
    feature: Level.EMITTED if feature in _EMITTED else Level.RUNS for feature in Feature if feature not in _NOT_HERE
}
_LOGS = ("azureml-mlflow", "mlflow-skinny")
_VAULT = ("azure-identity", "azure-keyvault-secrets")
_IGNORED = (".amlignore", "Dockerfile", "README.md", "ruff.toml", "tests/test_steps.py")
"""Files of every bundle that no step needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzuremlTarget:
    """Azure ML runs each step as a command job, and hands on folders of values."""

    name: str = "azureml"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        jobs = jobs_of(pipeline, material)
        around = _around(pipeline, material, jobs)
        platform = Platform(
            definition=_definition(pipeline, material, jobs, around),
            guide=_guide(pipeline, material, jobs, around),
            diagnostics=(
                *_left_out(pipeline, self.name),
                *_not_taken(pipeline, self.name),
                *_told_of_gates(pipeline, jobs, self.name),
            ),
            command=f"az ml job create --file {_FILE}",
        )
        return base_bundle(pipeline, material, self, platform)


def _around(pipeline: Pipeline, material: Material, jobs: Sequence[Job]) -> Around:
    known = [one for one in pipeline.parameters if _is_declared(pipeline, one)]
    settings = pipeline.settings
    secret = _secret_of(pipeline)
    notice = (secret.variable, vault_name(secret.secret, secret.key)) if secret else settings.on_failure or None
    return Around(
        names={job.name: job.slug.replace("-", "_") for job in jobs},
        inputs={one.name: _input(one) for one in known},
        dated=settings.run_date if settings.run_date in {one.name for one in known} else None,
        reusable=reusable_steps(pipeline),
        package=material.plan.name,
        notice=notice,
        mode=material.flags.mode,
    )


def _input(one: Parameter) -> dict[str, Any]:
    value = value_of(one)
    return {"type": kind_of(one), **({} if value is None else {"default": value})}


def _is_declared(pipeline: Pipeline, one: Parameter) -> bool:
    return _problem(pipeline, one) is None and value_of(one) is not None


def _problem(pipeline: Pipeline, one: Parameter) -> str | None:
    """Why a parameter cannot be an input."""
    names = [each.name for each in pipeline.parameters]
    same = [name for name in names[: names.index(one.name)] if name.casefold() == one.name.casefold()]
    return name_problem(one) or (
        f"names of inputs are the same in small and large letters: `{same[0]}`" if same else None
    )


def _secret_of(pipeline: Pipeline) -> SecretTag | None:
    asked = pipeline.settings.on_failure or ""
    tag = parse_tag(asked) if asked.startswith("secret:") else None
    return tag if isinstance(tag, SecretTag) else None


# ------------------------------------------------------------------------------------------------ the files


def _definition(pipeline: Pipeline, material: Material, jobs: Sequence[Job], around: Around) -> tuple[EmittedFile, ...]:
    """The files, and which of them do not come along with the code."""
    files = tuple(_files(pipeline, material, jobs, around))
    ignored = "".join(f"/{path}\n" for path in (*_IGNORED, *(file.path for file in files)))
    return (*files, EmittedFile(path=".amlignore", text=ignored), *_scripts(material, jobs, around))


def _files(pipeline: Pipeline, material: Material, jobs: Sequence[Job], around: Around) -> Iterator[EmittedFile]:
    head = (
        f"The pipeline `{pipeline.name}` for Azure Machine Learning: made by nb2pipe from `{material.plan.notebook}`."
    )
    change = "To change it, change the notebook and convert it again."
    yield EmittedFile(path=_FILE, text=yaml_text(_job(pipeline, jobs, around), head, change))
    for job in jobs:
        text = yaml_text(component_of(job, around), f"The step `{job.name}`.")
        yield EmittedFile(path=f"components/{around.names[job.name]}.yml", text=text)
    if pipeline.settings.schedule:
        yield EmittedFile(
            path="schedule.yml", text=yaml_text(_schedule(pipeline, around), f"When `{pipeline.name}` runs.")
        )
    yield from _environment(pipeline, material, jobs, around)


def _scripts(material: Material, jobs: Sequence[Job], around: Around) -> Iterator[EmittedFile]:
    """What commands of steps call."""
    if any(job.step.metrics for job in jobs):
        text = render("azureml/log_metrics.py.jinja", material.templates)
        yield EmittedFile(path="log_metrics.py", text=text)
    if any(map(around.secrets, jobs)):
        text = render("azureml/with_secrets.py.jinja", material.templates, variable="KEY_VAULT_URL")
        yield EmittedFile(path="with_secrets.py", text=text)


def _job(pipeline: Pipeline, jobs: Sequence[Job], around: Around) -> dict[str, Any]:
    settings = pipeline.settings
    inputs = {one.name: value_of(one) for one in pipeline.parameters if one.name in around.inputs}
    inputs |= {around.vault: "https://NAME.vault.azure.net"} if any(map(around.secrets, jobs)) else {}
    return {
        "$schema": f"{SCHEMAS}/pipelineJob.schema.json",
        "type": "pipeline",
        "display_name": shown(pipeline.name),
        "experiment_name": slug_of(settings.experiment or pipeline.name),
        **({"description": shown(settings.description)} if settings.description else {}),
        **({"tags": {"owner": shown(settings.owner)}} if settings.owner else {}),
        "settings": {"default_compute": "azureml:cpu-cluster"},
        **({"inputs": inputs} if inputs else {}),
        "jobs": {around.names[job.name]: node_of(job, around) for job in jobs},
    }


def _schedule(pipeline: Pipeline, around: Around) -> dict[str, Any]:
    settings = pipeline.settings
    minute, hour, _, _, weekdays = (settings.schedule or "").split()
    zone = WINDOWS.get(settings.timezone or "UTC")
    inputs = {"inputs": {around.dated: "${{creation_context.trigger_time}}"}} if around.dated else {}
    return {
        "$schema": f"{SCHEMAS}/schedule.schema.json",
        "name": slug_of(pipeline.name),
        "display_name": shown(pipeline.name),
        "trigger": {
            "type": "cron",
            "expression": f"{minute} {hour} * * {weekday_numbers(weekdays)}",
            "time_zone": zone or "UTC",
        },
        "create_job": {"type": "pipeline", "job": f"./{_FILE}", **inputs} if inputs else f"./{_FILE}",
    }


def _environment(pipeline: Pipeline, material: Material, jobs: Sequence[Job], around: Around) -> Iterator[EmittedFile]:
    """What the images are made of: that of the pipeline, and those of steps that have one of their own."""
    installs = [*(_LOGS if any(job.step.metrics for job in jobs) else ())]
    installs += _VAULT if any(map(around.secrets, jobs)) else ()
    lock = material.requirements.lock
    images = {"Dockerfile": image_of(pipeline, material)}
    own = ((dockerfile_of(job, around), job.step.resources.image) for job in jobs)
    for path, image in (images | {path: image for path, image in own if image}).items():
        text = render(
            "azureml/Dockerfile.jinja",
            material.templates,
            title=pipeline.name,
            image=Code(image),
            has_lock=bool(lock),
            has_git=any((one.url or "").startswith("git+") for one in lock),
            installs=Code(" ".join(installs)),
        )
        yield EmittedFile(path=f"environment/{path}", text=text)
    if lock:
        yield EmittedFile(path="environment/requirements.lock", text=requirements_lock(material))


def _guide(pipeline: Pipeline, material: Material, jobs: Sequence[Job], around: Around) -> str:
    plain = next((one.name for one in pipeline.parameters if one.name in around.inputs), None)
    secrets = dict.fromkeys(secret for job in jobs for secret in around.secrets(job).values())
    lines = [f"az keyvault secret set --vault-name NAME --name {secret} --value ..." for secret in secrets]
    return render(
        "azureml/guide.md.jinja",
        material.templates,
        gpu=any(map(wants_gpu, jobs)),
        secrets=[Code(line) for line in lines],
        vault=around.vault,
        options=Code(f" --set inputs.{plain}=VALUE" if plain else ""),
        scheduled=pipeline.settings.schedule is not None,
        dated=around.dated is not None,
        gates=any(job.gates for job in jobs),
    )


# ------------------------------------------------------------------------------------------------ what is told


def _left_out(pipeline: Pipeline, target: str) -> Iterator[Diagnostic]:
    """Parameters without a value in the pipeline job."""
    for one in pipeline.parameters:
        problem = _problem(pipeline, one)
        if problem is not None:
            yield left_out_of_definition(pipeline, target, f"the parameter `{one.name}`", problem)
        elif value_of(one) is None:
            yield parameter_not_in_definition(pipeline, target, one, _FILE)


def _told_of_gates(pipeline: Pipeline, jobs: Sequence[Job], target: str) -> Iterator[Diagnostic]:
    gated = [job.name for job in jobs if job.gates]
    if gated:
        yield skipped_steps_complete(pipeline.notebook.path, target, gated)


def _not_taken(pipeline: Pipeline, target: str) -> Iterator[Diagnostic]:
    """What Azure ML does not know of schedules."""
    settings = pipeline.settings
    if not settings.schedule:
        return
    if settings.schedule.split()[2:4] != ["*", "*"]:
        reason = "Azure ML takes every day of every month; weekdays, hours and minutes hold"
        yield left_out_of_definition(
            pipeline, target, f"the days and months of the schedule `{settings.schedule}`", reason
        )
    if settings.timezone and settings.timezone not in WINDOWS:
        reason = "its name in Windows is not known here; until it stands in `schedule.yml`, times are those of UTC"
        yield left_out_of_definition(pipeline, target, f"the time zone `{settings.timezone}`", reason)
