"""The target `argo`: a Workflow with a DAG of templates, or a CronWorkflow where the pipeline has a schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.templates import Code, render
from nb2pipe.notebook.model import SecretTag
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.records.values import is_masked_default
from nb2pipe.targets.argo.steps import (
    FILES,
    IMAGE,
    PIPELINE_IMAGE,
    RESTRICTED,
    STORE,
    Around,
    secret_variable,
    template_of,
)
from nb2pipe.targets.argo.text import (
    annotation_problem,
    label_problem,
    name_problem,
    resource_problem,
    secret_problem,
    shown,
    value_text,
)
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.cron import without_seven
from nb2pipe.targets.jobs import jobs_of, slug_of
from nb2pipe.targets.model import Feature, Level, Mode
from nb2pipe.targets.texts import image_name
from nb2pipe.targets.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Parameter, Pipeline
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.model import Bundle, Material

_FILE = "workflow.yaml"
_USER = 10001
"""The user of the Dockerfile."""
_NOT_YET = (Feature.CACHE, Feature.REPORT)
_EMITTED = (
    *(Feature.SCHEDULE, Feature.TIMEZONE, Feature.CPU, Feature.MEMORY, Feature.GPU, Feature.LIMITS, Feature.IMAGE),
    *(Feature.STEP_IMAGES, Feature.LABELS, Feature.ANNOTATIONS, Feature.OWNER),
)
_SUPPORTS = {
    feature: Level.EMITTED if feature in _EMITTED else Level.RUNS for feature in Feature if feature not in _NOT_YET
}
_DATE = "-".join(f"{{{{workflow.creationTimestamp.{part}}}}}" for part in "Ymd")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoTarget:
    """Argo Workflows runs each step in a pod of its own, and keeps what steps leave as artifacts."""

    name: str = "argo"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        jobs = jobs_of(pipeline, material)
        content = _manifest(pipeline, material, jobs)
        text = yaml_text(
            content,
            f"The pipeline `{pipeline.name}` for Argo Workflows: made by nb2pipe from `{material.plan.notebook}`.",
            "To change it, change the notebook and convert it again.",
        )
        platform = Platform(
            definition=(EmittedFile(path=_FILE, text=text),),
            guide=_guide(pipeline, material, jobs),
            diagnostics=(*_left_out(pipeline, self.name), *_not_taken(pipeline, jobs, self.name)),
            command=f"argo {'cron create' if pipeline.settings.schedule else 'submit'} {_FILE} -p {IMAGE}=IMAGE",
        )
        return base_bundle(pipeline, material, self, platform)


# ------------------------------------------------------------------------------------------------ the manifest


def _manifest(pipeline: Pipeline, material: Material, jobs: Sequence[Job]) -> dict[str, Any]:
    settings, name = pipeline.settings, slug_of(pipeline.name)
    annotations = {"workflows.argoproj.io/title": shown(pipeline.name)}
    if settings.description:
        annotations["workflows.argoproj.io/description"] = shown(settings.description)
    if settings.owner:
        annotations["owner"] = shown(settings.owner)
    spec = _spec(pipeline, material, jobs)
    head = {"apiVersion": "argoproj.io/v1alpha1"}
    if settings.schedule is None:
        metadata = {"generateName": f"{name}-", "annotations": annotations}
        return {**head, "kind": "Workflow", "metadata": metadata, "spec": spec}
    scheduled = {
        "schedules": [without_seven(settings.schedule)],
        **({"timezone": settings.timezone} if settings.timezone else {}),
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 0,  # a missed run is not made up for
        "workflowMetadata": {"annotations": annotations},
        "workflowSpec": spec,
    }
    metadata = {"name": name, "annotations": annotations}
    return {**head, "kind": "CronWorkflow", "metadata": metadata, "spec": scheduled}


def _spec(pipeline: Pipeline, material: Material, jobs: Sequence[Job]) -> dict[str, Any]:
    known = [one for one in pipeline.parameters if _is_declared(one)]
    around = Around(
        slugs={job.name: job.slug for job in jobs},
        types={one.name: one.type for one in known},
        data=any(not copy.module for copy in material.copies),
        mode=material.flags.mode,
    )
    notice = _notice(pipeline, material)
    whole = _free("pipeline", around)
    spec: dict[str, Any] = {
        "entrypoint": whole,
        **({"onExit": _free("on-exit", around)} if notice else {}),
        "arguments": {"parameters": [*_own_parameters(material), *(_argument(pipeline, one) for one in known)]},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": name, "emptyDir": {}} for name in _volumes(jobs)],
        "templateDefaults": {"container": _every_container()},
    }
    by_name = {job.name: job for job in jobs}
    tasks = [_task(job, by_name, around) for job in jobs]
    templates = [{"name": whole, "dag": {"tasks": tasks}}, *(template_of(job, around) for job in jobs)]
    if notice:
        told = _free("tell-failure", around)
        step = {"name": told, "template": told, "when": "{{workflow.status}} != Succeeded"}
        templates += [{"name": _free("on-exit", around), "steps": [[step]]}, {"name": told, "container": notice}]
    return {**spec, "templates": templates}


def _free(name: str, around: Around) -> str:
    """A name of ours that no step has: theirs have no two dashes."""
    return name if name not in around.slugs.values() else f"{name}--nb2pipe"


def _volumes(jobs: Sequence[Job]) -> tuple[str, ...]:
    own = any(job.step.resources.image is not None for job in jobs)
    return ("tmp", "files", *(["bundle"] if own else []))


def _every_container() -> dict[str, Any]:
    """What holds for the container of each step."""
    return {
        "imagePullPolicy": "IfNotPresent",
        "workingDir": FILES,
        "env": [
            {"name": "NB2PIPE_RUN", "value": "{{workflow.name}}"},
            {"name": "NB2PIPE_STORE", "value": f"{{{{workflow.parameters.{STORE}}}}}"},
        ],
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "files", "mountPath": FILES}],  # noqa: S108
    }


def _own_parameters(material: Material) -> Iterator[dict[str, Any]]:
    yield {
        "name": IMAGE,
        "value": image_name(material.plan.title),
        "description": "the image that was built with the Dockerfile, as nodes pull it",
    }
    yield {
        "name": STORE,
        "value": "",
        "description": "the URL of a store that gets the records of the run; empty for none",
    }


def _is_declared(one: Parameter) -> bool:
    """Whether the workflow has a parameter. One that is secret has no value, so whoever starts it has to give one."""
    return name_problem(one) is None and (value_text(one) is not None or _is_secret(one))


def _is_secret(one: Parameter) -> bool:
    return one.is_literal and is_masked_default(one.default)


def _argument(pipeline: Pipeline, one: Parameter) -> dict[str, Any]:
    text = _DATE if one.name == pipeline.settings.run_date else value_text(one)
    value = {} if text is None else {"value": text}
    choices = {"enum": ["true", "false"]} if one.type == "bool" else {}
    kind = "secret" if text is None else one.type
    return {"name": one.name, **value, **choices, **({"description": kind} if kind not in {None, "None"} else {})}


def _task(job: Job, jobs: Mapping[str, Job], around: Around) -> dict[str, Any]:
    """A task of the DAG; what it depends on has to have run, so what comes after one that was skipped is left out."""
    farther = {need for name in job.needs for need in jobs[name].needs}
    direct = [around.slugs[need] for need in job.needs if need not in farther]
    task: dict[str, Any] = {"name": job.slug, "template": job.slug}
    if direct:
        task["depends"] = " && ".join(f"{slug}.Succeeded" for slug in direct)
    if job.conditions:
        gates = (f"{{{{tasks.{around.slugs[gate]}.outputs.parameters.gate}}}} == true" for gate in job.conditions)
        task["when"] = " && ".join(gates)
    names = around.parameters(job)
    arguments: dict[str, Any] = {}
    if names:
        arguments["parameters"] = [{"name": each, "value": f"{{{{workflow.parameters.{each}}}}}"} for each in names]
    if job.needs:
        slugs = [around.slugs[need] for need in job.needs]
        arguments["artifacts"] = [
            {"name": slug, "from": f"{{{{tasks.{slug}.outputs.artifacts.values}}}}"} for slug in slugs
        ]
    return {**task, **({"arguments": arguments} if arguments else {})}


def _notice(pipeline: Pipeline, material: Material) -> dict[str, Any]:
    """The container that tells of a failure; empty where nobody wants to know."""
    asked = pipeline.settings.on_failure
    if not asked:
        return {}
    secret = _secret_of(asked)
    environment = [secret_variable(secret.secret, secret.key, secret.variable)] if secret else []
    return {
        "image": PIPELINE_IMAGE,
        "command": ["python", "-m", material.plan.name],
        "args": ["--nb2pipe-failed"],
        **({"env": environment} if environment else {}),
    }


def _secret_of(asked: str) -> SecretTag | None:
    tag = parse_tag(asked) if asked.startswith("secret:") else None
    return tag if isinstance(tag, SecretTag) else None


# ------------------------------------------------------------------------------------------------ what is told


def _left_out(pipeline: Pipeline, target: str) -> Iterator[Diagnostic]:
    """Parameters without a value in the workflow."""
    for one in pipeline.parameters:
        reason = name_problem(one)
        if reason is not None:
            yield left_out_of_definition(pipeline, target, f"the parameter `{one.name}`", reason)
        elif value_text(one) is None:
            yield parameter_not_in_definition(pipeline, target, one, _FILE)


def _not_taken(pipeline: Pipeline, jobs: Sequence[Job], target: str) -> Iterator[Diagnostic]:
    """What steps ask for and neither Argo nor Kubernetes takes."""
    for job in jobs:
        for what, reason in _problems(job):
            if reason is not None:
                yield left_out_of_definition(pipeline, target, what, reason, job.name)


def _problems(job: Job) -> Iterator[tuple[str, str | None]]:
    resources = job.step.resources
    yield from ((f"the label `{key}`", label_problem(key, value)) for key, value in resources.labels)
    yield from ((f"the annotation `{key}`", annotation_problem(key, value)) for key, value in resources.annotations)
    yield from ((f"the limit `{name}`", resource_problem(name)) for name, _ in resources.limits)
    yield from ((f"the secret `{each.secret}`", secret_problem(each.secret)) for each in resources.secrets)


def _guide(pipeline: Pipeline, material: Material, jobs: Sequence[Job]) -> str:
    """The chapter of the README."""
    plain = next((one.name for one in pipeline.parameters if _is_declared(one)), None)
    data = any(not copy.module for copy in material.copies)
    return render(
        "argo/guide.md.jinja",
        material.templates,
        image=Code(image_name(material.plan.title)),
        name=Code(slug_of(pipeline.name)),
        given=Code(f" -p {plain}=VALUE" if plain else ""),
        held=Code(", `/files` with the data files of the bundle" if data else ", empty at first"),
        scheduled=pipeline.settings.schedule is not None,
        dated=pipeline.settings.run_date is not None,
        gates=any(job.gates for job in jobs),
        images=any(job.step.resources.image for job in jobs),
        notebooks=material.flags.mode is Mode.NOTEBOOK,
        secrets=[Code(line) for line in _secret_lines(pipeline, jobs)],
    )


def _secret_lines(pipeline: Pipeline, jobs: Sequence[Job]) -> Iterator[str]:
    """The commands that make the secrets."""
    asked = _secret_of(pipeline.settings.on_failure or "")
    every = [each for job in jobs for each in job.step.resources.secrets] + ([asked] if asked else [])
    keys: dict[str, dict[str, None]] = {}
    for each in every:
        keys.setdefault(each.secret, {})[each.key] = None
    for secret, names in keys.items():
        yield f"kubectl create secret generic {secret} " + " ".join(f"--from-literal={key}=..." for key in names)
