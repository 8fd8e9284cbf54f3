"""The target `sagemaker`: a pipeline definition of processing and training jobs, with values in S3 between them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.templates import Code, render
from nb2pipe.digest import Digest
from nb2pipe.pipeline.work import make_work
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.jobs import jobs_of, slug_of
from nb2pipe.targets.model import Feature, Level
from nb2pipe.targets.reuse import reusable_steps
from nb2pipe.targets.sagemaker.events import PLACE_OF_ROLE, is_address, notice, place_of, schedules
from nb2pipe.targets.sagemaker.jobs import EXPIRY, GROUP, INFERENCE, KIND, MODEL, Planned, Writer, condition, expiry_of
from nb2pipe.targets.sagemaker.layout import layout_of
from nb2pipe.targets.sagemaker.parameters import LONGEST_WORD, Wanted, camel, declared, key_of, of_notebook, secrets_of
from nb2pipe.targets.sagemaker.register import registration
from nb2pipe.targets.sagemaker.resources import MOST_WORDS, NO_TAG, is_tag, is_variable, left_out, tags_of
from nb2pipe.targets.sagemaker.sizes import DEFAULT, instance_for
from nb2pipe.targets.sagemaker.text import json_text
from nb2pipe.targets.sagemaker.training import trains
from nb2pipe.targets.texts import image_name, requirements_lock, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.model import Bundle, Material

DEFINITION: Final = "sagemaker/pipeline.json"

_RUNS = (
    Feature.PARAMETERS,
    Feature.RUN_DATE,
    Feature.PARALLEL,
    Feature.ORDER,
    Feature.GATE,
    Feature.NESTED,
    Feature.RETRY,
    Feature.RETRY_DELAY,
    Feature.TIMEOUT,
    Feature.CACHE,
    Feature.ENVIRONMENT,
    Feature.SECRETS,
    Feature.STATE,
    Feature.FILES,
    Feature.MODULES,
    Feature.DATA,
    Feature.METRICS,
    Feature.RECORDS,
    Feature.NOTEBOOKS,
)
_EMITTED = (
    Feature.SCHEDULE,
    Feature.TIMEZONE,
    Feature.CPU,
    Feature.MEMORY,
    Feature.GPU,
    Feature.LIMITS,
    Feature.IMAGE,
    Feature.STEP_IMAGES,
    Feature.LABELS,
    Feature.ANNOTATIONS,
    Feature.NOTICE,
    Feature.OWNER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SagemakerTarget:
    """Each step is a job in a container; SageMaker Pipelines starts them, and S3 holds what they leave."""

    name: str = "sagemaker"
    supports: Mapping[Feature, Level] = field(
        default_factory=lambda: dict.fromkeys(_RUNS, Level.RUNS) | dict.fromkeys(_EMITTED, Level.EMITTED)
    )
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        draft = _Draft(pipeline=pipeline, material=material, units=make_work(pipeline, Path()).by_name)
        planned = {one.node.name: one for one in draft.planned()}
        parameters = declared(draft.wanted(planned))
        writer = Writer(parameters=parameters, planned=planned, settings=pipeline.settings, mode=material.flags.mode)
        name = slug_of(pipeline.name)
        platform = Platform(
            definition=tuple(_files(draft, writer, name)),
            guide=_guide(draft, writer, name),
            diagnostics=tuple(draft.told(planned)),
            command=f"aws sagemaker create-pipeline --pipeline-name {name} --role-arn ROLE "
            f"--pipeline-definition file://{DEFINITION}",
        )
        return base_bundle(pipeline, material, self, platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What a definition is made of."""

    pipeline: Pipeline
    material: Material
    units: Mapping[str, Unit]

    def planned(self) -> Iterator[Planned]:
        """The nodes, with what their steps need to know."""
        jobs = jobs_of(self.pipeline, self.material)
        known = {one.key for one in of_notebook(self.pipeline)[0]}
        secrets = frozenset(secrets_of(self.pipeline))
        reusable = reusable_steps(self.pipeline)
        taken = {job.slug for job in jobs}
        for node in layout_of(jobs):
            if node.job is None:
                yield Planned(node=node, name=_free(slug_of(node.name), taken), reusable=True)
                continue
            job = node.job
            yield Planned(
                node=node,
                name=job.slug,
                training=self.is_training(job),
                words=tuple(name for name in job.parameters if key_of(name) in known)[:MOST_WORDS],
                secrets=tuple(name for name in job.parameters if name in secrets),
                environment=tuple(pair for pair in job.step.resources.environment if is_variable(*pair)),
                tags=tuple(tags_of(self.pipeline, job)),
                model=self.model_of(job) or "",
                code=self.digest_of(job),
                reusable=job.name in reusable,
            )

    def is_training(self, job: Job) -> bool:
        """Whether a step becomes a training job; one with a gate cannot: conditions read files of processing jobs."""
        if job.step.gate is not None:
            return False
        asked = dict(job.step.resources.annotations).get(KIND)
        return asked == _TRAINING if asked in _KINDS else trains(self.units[job.name], self.material.types)

    def model_of(self, job: Job) -> str | None:
        """The file that is a step's model: the one that is named, or the only one that its code writes.

        None where a model is asked for, and nobody knows its file.
        """
        said = dict(job.step.resources.annotations)
        if MODEL in said or GROUP not in said:
            return said.get(MODEL, "")[:LONGEST_WORD]
        flow = self.units[job.name].pipeline.dataflow
        facts = [flow.facts_of(cell) for cell in job.step.cells] if flow else []
        written = {path for fact in facts if fact is not None for path in fact.files_written}
        return next(iter(written)) if len(written) == 1 and "*" not in str(written) else None

    def digest_of(self, job: Job) -> str:
        """What a step's results depend on beside its inputs and parameters."""
        texts = {file.path: str(Digest.of_bytes(file.text.encode())) for file in self.material.package}
        texts |= {copy.path: str(copy.digest) for copy in self.material.copies}
        content = {path: texts[path] for path in (*job.sources, *job.data)}
        lock = requirements_lock(self.material)
        return Digest.of("sagemaker step", [content, lock, self.material.flags.mode]).hex[:16]

    def wanted(self, planned: Mapping[str, Planned]) -> Iterator[Wanted]:
        """The parameters of the pipeline."""
        yield from of_notebook(self.pipeline)[0]
        yield Wanted(key="role", name="RoleArn")
        yield Wanted(key="image", name="ImageUri")
        yield Wanted(key="place", name="S3Uri")
        yield Wanted(key="store", name="StoreUri", default="")
        yield Wanted(key="instance", name="InstanceType", default=DEFAULT)
        yield Wanted(key="disk", name="VolumeSizeInGB", type="Integer", default=30)
        for one in planned.values():
            if one.job is not None:
                yield from self._of_job(one, one.job)

    def _of_job(self, one: Planned, job: Job) -> Iterator[Wanted]:
        resources = job.step.resources
        instance = instance_for(resources.limits)
        if resources.limits and instance is not None:
            yield Wanted(key=f"instance {one.name}", name=camel(one.name, "InstanceType"), default=instance)
        if resources.image is not None:
            name = camel(one.name, "ImageUri")
            default = resources.image if _REGISTRY.match(resources.image) else None
            yield Wanted(key=f"image {resources.image}", name=name, default=default)
        for tag in resources.secrets:
            name = camel(re.sub(r"[^a-z0-9]+", "-", tag.secret.lower()), "SecretId")
            yield Wanted(key=f"secret {tag.secret}", name=name, default=tag.secret)
        for parameter in one.secrets:
            name = camel(slug_of(parameter), "SecretId")
            default = f"{slug_of(self.pipeline.name)}/{parameter}"
            yield Wanted(key=f"secret parameter {parameter}", name=name, default=default)
        if one.group:
            yield Wanted(key="inference", name="InferenceImageUri", default=one.annotations.get(INFERENCE))
            yield Wanted(key="approval", name="ModelApprovalStatus", default="PendingManualApproval")

    # -------------------------------------------------------------------------------------------- what is told

    def told(self, planned: Mapping[str, Planned]) -> Iterator[Diagnostic]:
        """What the definition does not say."""
        for parameter in of_notebook(self.pipeline)[1]:
            yield parameter_not_in_definition(self.pipeline, "sagemaker", parameter, DEFINITION)
        for one in planned.values():
            if one.job is not None:
                for what, reason in (*left_out(one, one.job), *self._of_annotations(one, one.job)):
                    yield left_out_of_definition(self.pipeline, "sagemaker", what, reason, one.job.name)
        address = self.pipeline.settings.on_failure
        if address and not address.startswith(_SECRET) and not is_address(address):
            reason = "EventBridge posts to addresses that begin with https:// alone"
            yield left_out_of_definition(self.pipeline, "sagemaker", "the failure notice", reason)
        owner = self.pipeline.settings.owner
        if owner and not is_tag("owner", owner):
            yield left_out_of_definition(self.pipeline, "sagemaker", "the owner", NO_TAG)

    def _of_annotations(self, one: Planned, job: Job) -> Iterator[tuple[str, str]]:
        said = one.annotations
        if KIND in said and said[KIND] not in _KINDS:
            yield f"`{KIND}`", "it is neither `training` nor `processing`"
        elif said.get(KIND) == _TRAINING and not one.training:
            yield f"`{KIND}`", "only processing jobs have the file that its gate is read from"
        if GROUP in said and self.model_of(job) is None:
            yield f"`{GROUP}`", f"it is not known which file is the model; the annotation `{MODEL}` names it"
        elif GROUP in said and not one.group:
            yield f"`{GROUP}`", "names of groups have letters, digits and dashes, 63 at most"
        if EXPIRY in said and expiry_of(one) is None:
            yield f"`{EXPIRY}`", "it is no duration of ISO 8601, such as `P30D` or `PT12H`"


_SECRET: Final = "secret:"  # noqa: S105  # what such a setting begins with
_TRAINING: Final = "training"
_KINDS: Final = frozenset({_TRAINING, "processing"})
_REGISTRY: Final = re.compile(r"[0-9]{12}\.dkr\.ecr\.|public\.ecr\.aws/", re.ASCII)


def _free(name: str, taken: set[str]) -> str:
    """A name for a step that no other has."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


# ------------------------------------------------------------------------------------------------ files


def _files(draft: _Draft, writer: Writer, name: str) -> Iterator[EmittedFile]:
    settings, templates = draft.pipeline.settings, draft.material.templates
    yield EmittedFile(path=DEFINITION, text=_json(_definition(draft.pipeline, writer)))
    yield EmittedFile(path="sagemaker/job.py", text=render("sagemaker/job.py.jinja", templates))
    yield EmittedFile(path="sagemaker/Dockerfile", text=render("sagemaker/Dockerfile.jinja", templates))
    if settings.schedule:
        found = list(schedules(name, settings, writer.parameters))
        for path, content in zip(_schedule_paths(len(found)), found, strict=True):
            yield EmittedFile(path=path, text=_json(content))
    address = _address(settings.on_failure)
    if address:
        yield EmittedFile(path=_NOTICE, text=_json(notice(name, draft.pipeline.name, settings, address)))


_NOTICE: Final = "sagemaker/on_failure.json"


def _schedule_paths(count: int) -> Sequence[str]:
    return [f"sagemaker/schedule{'' if number == 1 else f'_{number}'}.json" for number in range(1, count + 1)]


def _address(asked: str | None) -> str | None:
    """Where a failure is told; one that is a secret is resolved by CloudFormation, and stands nowhere."""
    if not asked:
        return None
    if asked.startswith(_SECRET):
        secret, key, _variable = asked.removeprefix(_SECRET).rsplit(":", 2)
        return f"{{{{resolve:secretsmanager:{secret}:SecretString:{key}}}}}"
    return asked if is_address(asked) else None


def _definition(pipeline: Pipeline, writer: Writer) -> dict[str, Any]:
    experiment = pipeline.settings.experiment
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": list(writer.parameters.declared),
        "PipelineExperimentConfig": {
            "ExperimentName": slug_of(experiment) if experiment else {"Get": "Execution.PipelineName"},
            "TrialName": {"Get": "Execution.PipelineExecutionId"},
        },
        "Steps": list(_steps(writer)),
    }


def _steps(writer: Writer) -> Iterator[dict[str, Any]]:
    """The steps; those behind the same gates stand in one condition, where the first of them would."""
    names = {one.name for one in writer.planned.values()}
    waiting = list(writer.planned.values())
    while waiting:
        gates = waiting[0].node.gates
        group = [one for one in waiting if one.node.gates == gates] if gates else waiting[:1]
        waiting = [one for one in waiting if one not in group]
        inner = [step for one in group for step in _with_model(writer, one, names)]
        if gates:
            deciding = [writer.planned[gate] for gate in gates]
            yield condition(_free(f"{'-and-'.join(one.name for one in deciding)[:50]}-gate", names), deciding, inner)
        else:
            yield from inner


def _with_model(writer: Writer, one: Planned, names: set[str]) -> Iterator[dict[str, Any]]:
    yield writer.step(one)
    if one.group:
        yield registration(writer.parameters, one, _free(f"{one.name}-register", names))


def _json(content: object) -> str:
    return json_text(content) + "\n"


def _images(writer: Writer) -> Iterator[tuple[str, str]]:
    """The parameters with images of steps, and what the notebook says for them."""
    for key, name in writer.parameters.names.items():
        if key.startswith("image "):
            yield name, key.removeprefix("image ")


def _guide(draft: _Draft, writer: Writer, name: str) -> str:
    settings = draft.pipeline.settings
    needed = [row["Name"] for row in writer.parameters.declared if "DefaultValue" not in row]
    example = next(row["Name"] for row in writer.parameters.declared if "DefaultValue" in row)
    count = len(list(schedules(name, settings, writer.parameters))) if settings.schedule else 0
    return render(
        "sagemaker/guide.md.jinja",
        draft.material.templates,
        name=Code(name),
        names={key: Code(each) for key, each in writer.parameters.names.items()},
        image=Code(image_name(draft.material.plan.title)),
        given=Code(" ".join(f"Name={each},Value=..." for each in [*needed, example])),
        schedules=[Code(path) for path in _schedule_paths(count)],
        role=Code(PLACE_OF_ROLE),
        places=[(Code(place_of(each)), Code(each)) for each in needed],
        date=Code(writer.parameters.names.get(key_of(settings.run_date or ""), "")),
        has_notice=bool(_address(settings.on_failure)),
        trainings=[Code(one.name) for one in writer.planned.values() if one.training],
        has_models=any(one.group for one in writer.planned.values()),
        images=[(Code(key), Code(span(value))) for key, value in _images(writer)],
        has_secrets=any(one.secrets or (one.job and one.job.step.resources.secrets) for one in writer.planned.values()),
    )
