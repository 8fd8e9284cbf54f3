"""The target `jenkins`: a declarative Jenkinsfile with a stage for each step, and stashes between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import indent
from typing import TYPE_CHECKING

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.templates import Code, render
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.features import kind_of_limit
from nb2pipe.targets.jenkins.parameters import credentials_of, given_of, webhook_secret
from nb2pipe.targets.jenkins.stages import File, functions, stages
from nb2pipe.targets.jenkins.text import block, comment, cron, text
from nb2pipe.targets.jobs import jobs_of
from nb2pipe.targets.model import Feature, Level, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Bundle, Material

_PATH = "Jenkinsfile"
_SUPPORTS = dict.fromkeys(
    (
        Feature.PARAMETERS,
        Feature.RUN_DATE,
        Feature.PARALLEL,
        Feature.ORDER,
        Feature.GATE,
        Feature.NESTED,
        Feature.RETRY,
        Feature.RETRY_DELAY,
        Feature.TIMEOUT,
        Feature.ENVIRONMENT,
        Feature.SECRETS,
        Feature.STATE,
        Feature.FILES,
        Feature.MODULES,
        Feature.DATA,
        Feature.METRICS,
        Feature.RECORDS,
        Feature.NOTEBOOKS,
        Feature.NOTICE,
    ),
    Level.RUNS,
) | dict.fromkeys(
    (
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.CPU,
        Feature.MEMORY,
        Feature.GPU,
        Feature.IMAGE,
        Feature.STEP_IMAGES,
        Feature.OWNER,
    ),
    Level.EMITTED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JenkinsTarget:
    """A job of Jenkins runs the Jenkinsfile, each step in a container."""

    name: str = "jenkins"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        jobs = jobs_of(pipeline, material)
        file = File(
            target=self.name,
            pipeline=pipeline,
            material=material,
            jobs={job.name: job for job in jobs},
            given=given_of(pipeline, jobs),
            credentials=credentials_of(pipeline, jobs),
            webhook=webhook_secret(pipeline),
        )
        platform = Platform(
            definition=(EmittedFile(path=_PATH, text=_text(file)),),
            guide=_guide(file),
            diagnostics=tuple(_told(file)),
            command="see `With Jenkins` of README.md",
        )
        return base_bundle(pipeline, material, self, platform)


def _text(file: File) -> str:
    """The text of the Jenkinsfile."""
    settings = file.pipeline.settings
    head = [comment(f"The pipeline {file.pipeline.name}: made by nb2pipe from {file.material.plan.notebook}.")]
    head += [comment(f"Owner: {settings.owner}")] if settings.owner else []
    head += [
        comment("What a stage does stands in a function below: Jenkins makes one method of Java of all within"),
        comment("`pipeline { }`, and that may have 64 KB."),
    ]
    parts = [
        "agent none",
        block("options", ["timestamps()", "disableConcurrentBuilds()", "skipDefaultCheckout()"]),
        *_starts(file),
        block("environment", ['NB2PIPE_RUN = "${env.BUILD_TAG}"']),
        "stages {\n" + indent("\n".join(stages(file)), "  ") + "\n}",
        *(_ends() if settings.on_failure else []),
    ]
    return "\n".join([*head, "pipeline {", indent("\n\n".join(parts), "  "), "}", "", "\n\n".join(functions(file)), ""])


def _starts(file: File) -> Iterator[str]:
    """What starts a run, and with which parameters."""
    settings = file.pipeline.settings
    if settings.schedule:
        zone = settings.timezone or "UTC"
        yield block("triggers", [f"cron({text(f'TZ={zone}' + chr(10) + cron(settings.schedule))})"])
    if shown := [one.declaration() for one in file.given if not one.credential]:
        yield block("parameters", shown)


def _ends() -> list[str]:
    """What happens at the end of a run that failed; one that is out of time is aborted, as Jenkins sees it."""
    return [block("post", [block("unsuccessful", [block("script", ["tell_failure()"])])])]


def _guide(file: File) -> str:
    ids = {*file.credentials.values(), *(one.credential for one in file.given if one.credential)}
    date = next((one.variable for one in file.given if one.is_date), None)
    return render(
        "jenkins/guide.md.jinja",
        file.material.templates,
        python=Code(file.material.requirements.python),
        credentials=[Code(each) for each in sorted(ids)],
        date=Code(date) if date else None,
        notebooks=file.material.flags.mode is Mode.NOTEBOOK,
        gpu=any(
            kind_of_limit(name) is Feature.GPU for job in file.jobs.values() for name, _ in job.step.resources.limits
        ),
    )


def _told(file: File) -> Iterator[Diagnostic]:
    known = {parameter.name: parameter for parameter in file.pipeline.parameters}
    for one in file.given:
        if one.default is None and (one.credential or known[one.name].type != "None") and not one.is_date:
            yield parameter_not_in_definition(file.pipeline, file.target, known[one.name], _PATH)
    for job in file.jobs.values():
        for name, _ in job.step.resources.limits:
            if kind_of_limit(name) is Feature.GPU and "/" in name and not name.startswith("nvidia.com/"):
                reason = "Docker knows GPUs of NVIDIA only by number"
                yield left_out_of_definition(file.pipeline, file.target, f"the limit `{name}`", reason, job.name)
