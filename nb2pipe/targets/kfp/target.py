"""The target `kfp`: the definition of Kubeflow Pipelines in Python, and what its compiler makes of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.modules.words import one_line
from nb2pipe.codegen.templates import Code, render
from nb2pipe.notebook.model import ImageTag
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.jobs import jobs_of, slug_of
from nb2pipe.targets.kfp.model import TAKEN, components_of
from nb2pipe.targets.kfp.parameters import given_of
from nb2pipe.targets.kfp.schedule import schedule_py
from nb2pipe.targets.kfp.settings import Definition, left_out, notice_of, settings_of
from nb2pipe.targets.kfp.text import pipeline_py, sources
from nb2pipe.targets.kfp.yaml import KFP, pipeline_yaml
from nb2pipe.targets.model import Feature, Level
from nb2pipe.targets.reuse import reusable_steps
from nb2pipe.targets.texts import image_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.kfp.parameters import Given
    from nb2pipe.targets.model import Bundle, Material

_FILE = "pipeline.yaml"

_RUNS = (
    *(Feature.PARAMETERS, Feature.RUN_DATE, Feature.ORDER, Feature.GATE, Feature.NESTED, Feature.RETRY),
    *(Feature.RETRY_DELAY, Feature.CACHE, Feature.ENVIRONMENT, Feature.STATE, Feature.FILES, Feature.MODULES),
    *(Feature.DATA, Feature.METRICS, Feature.RECORDS, Feature.NOTEBOOKS, Feature.NOTICE, Feature.SECRETS),
)
_EMITTED = (
    *(
        Feature.SCHEDULE,
        Feature.PARALLEL,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.GPU,
        Feature.IMAGE,
    ),
    *(Feature.STEP_IMAGES, Feature.LABELS, Feature.ANNOTATIONS, Feature.OWNER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KfpTarget:
    """Components that pass artifacts to each other, on a cluster of Kubernetes."""

    name: str = "kfp"
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
        jobs = jobs_of(pipeline, material)
        definition = _definition(pipeline, material, jobs)
        text = pipeline_py(definition, material.templates)
        files = [
            EmittedFile(path="pipeline.py", text=text),
            EmittedFile(path=_FILE, text=pipeline_yaml(definition, sources(text))),
        ]
        if pipeline.settings.schedule:
            files.append(EmittedFile(path="schedule.py", text=schedule_py(pipeline, definition, material.templates)))
        platform = Platform(
            definition=tuple(files),
            guide=_guide(pipeline, material, definition),
            diagnostics=(
                *(found for job in jobs for found in left_out(pipeline, self.name, job)),
                *_without_default(pipeline, self.name, definition.given),
            ),
            command="python pipeline.py",
            installs=(f"kfp=={KFP}",),
        )
        return base_bundle(pipeline, material, self, platform)


def _definition(pipeline: Pipeline, material: Material, jobs: Sequence[Job]) -> Definition:
    given = given_of(pipeline, TAKEN)
    components = components_of(material, jobs, given)
    reusable = reusable_steps(pipeline)
    begun = next((tag.reference for tag in pipeline.settings.step_defaults if isinstance(tag, ImageTag)), "")
    title = one_line(material.plan.title)
    return Definition(
        name=slug_of(title),
        title=title,
        description=_description(pipeline, material),
        package=material.plan.name,
        image=image_name(material.plan.title),
        given=given,
        components=components,
        settings={
            each.task: settings_of(each.job, each.task, begun, caches=each.job.name in reusable) for each in components
        },
        titles={each.task: one_line(each.job.step.gate.text) for each in components if each.job.step.gate},
        notice=notice_of(pipeline),
    )


def _description(pipeline: Pipeline, material: Material) -> str:
    rows = [one_line(row) for row in material.plan.description.splitlines()]
    rows += ["", f"Owner: {one_line(pipeline.settings.owner)}"] if pipeline.settings.owner else []
    return "\n".join(rows).strip()


def _without_default(pipeline: Pipeline, target: str, given: Sequence[Given]) -> Iterator[Diagnostic]:
    told = {one.option for one in given if one.is_required or one.or_own}
    for one in pipeline.parameters:
        if one.name in told:
            yield parameter_not_in_definition(pipeline, target, one, _FILE)


def _guide(pipeline: Pipeline, material: Material, definition: Definition) -> str:
    images = sorted({each.image for each in definition.settings.values() if each.image})
    return render(
        "kfp/guide.md.jinja",
        material.templates,
        kfp=Code(KFP),
        image=Code(definition.image),
        name=Code(definition.name),
        images=Code(", ".join(f"`{image}`" for image in images)),
        has_schedule=bool(pipeline.settings.schedule),
        has_gates=any(definition.titles),
        has_secrets=any(one.is_required for one in definition.given),
        has_run_date=any(one.is_run_date for one in definition.given),
        run_date=pipeline.settings.run_date or "",
        has_notice=definition.notice is not None,
        has_notebooks=any(each.notebook for each in definition.components),
    )
