"""The target `github-actions`: a workflow with a job for each step, artifacts between them, and a cache by content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.templates import Code, render
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.cron import without_seven
from nb2pipe.targets.github_actions.inputs import inputs_of, secret_names, webhook_secret
from nb2pipe.targets.github_actions.jobs import FIND, Workflow, find_job, notice_job, step_job, variables_of_all
from nb2pipe.targets.github_actions.text import plain, workflow_text
from nb2pipe.targets.jobs import jobs_of, slug_of
from nb2pipe.targets.model import Feature, Level, Mode
from nb2pipe.targets.reuse import reusable_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Bundle, Material

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
        Feature.NOTICE,
    ),
    Level.RUNS,
) | dict.fromkeys(
    (Feature.SCHEDULE, Feature.TIMEZONE, Feature.IMAGE, Feature.STEP_IMAGES, Feature.OWNER), Level.EMITTED
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubActionsTarget:
    """GitHub runs the workflow: by hand with inputs, and on a schedule."""

    name: str = "github-actions"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        jobs = jobs_of(pipeline, material)
        name = material.plan.name.removesuffix("_pipeline")
        path = f".github/workflows/{name}.yml"
        secrets = secret_names(pipeline, jobs)
        workflow = Workflow(
            target=self.name,
            path=path,
            slug=slug_of(name),
            jobs={job.name: job for job in jobs},
            inputs=inputs_of(pipeline, frozenset(secrets.values())),
            secrets=secrets,
            webhook=webhook_secret(pipeline),
            reusable=reusable_steps(pipeline),
            material=material,
            settings=pipeline.settings,
        )
        return base_bundle(
            pipeline,
            material,
            self,
            Platform(
                definition=(EmittedFile(path=path, text=_text(pipeline, workflow)),),
                guide=_guide(workflow),
                diagnostics=tuple(_told(pipeline, workflow)),
                command=f"gh workflow run {name}.yml",
            ),
        )


def _text(pipeline: Pipeline, workflow: Workflow) -> str:
    """The text of the workflow: what starts it, and its jobs."""
    owner = pipeline.settings.owner
    head = [
        f"The pipeline {pipeline.name}: made by nb2pipe from {workflow.material.plan.notebook}.",
        *([f"Owner: {owner}"] if owner else []),
        "GitHub reads it in `.github/workflows` at the top of a repository only; the README says more.",
    ]
    by_hand = {"inputs": one} if (one := {each.id: each.form() for each in workflow.inputs if each.id}) else None
    starts: dict[str, Any] = {"workflow_dispatch": by_hand}
    if pipeline.settings.schedule:
        starts["schedule"] = [_schedule(pipeline)]
    group = "${{ github.workflow }}-${{ github.event_name == 'schedule' && github.ref || github.run_id }}"
    steps = {job.slug: step_job(job, workflow) for job in workflow.jobs.values()}
    notice = notice_job(workflow)
    return workflow_text(
        head,
        {
            "name": plain(pipeline.name),
            "on": starts,
            "permissions": {"contents": "read"},
            "concurrency": {"group": group},
            "env": variables_of_all(),
            "jobs": {FIND: find_job(workflow), **steps, **notice},
        },
    )


def _schedule(pipeline: Pipeline) -> dict[str, str]:
    cron = {"cron": without_seven(pipeline.settings.schedule or "")}
    return cron | ({"timezone": pipeline.settings.timezone} if pipeline.settings.timezone else {})


def _guide(workflow: Workflow) -> str:
    shown = next((each for each in workflow.inputs if each.id and each.default not in {None, ""}), None)
    settings = workflow.settings
    return render(
        "github-actions/guide.md.jinja",
        workflow.material.templates,
        path=Code(workflow.path),
        file=Code(workflow.path.rpartition("/")[2]),
        option=Code(f" -f {shown.id}=VALUE" if shown else ""),
        date=next((Code(each.id) for each in workflow.inputs if each.name == settings.run_date and each.id), None),
        secrets=[Code(name) for name in _secrets(workflow)],
        schedule=bool(settings.schedule),
        runners=[Code(name) for job in workflow.jobs.values() if (name := workflow.runner(job))],
        notebooks=workflow.material.flags.mode is Mode.NOTEBOOK,
    )


def _secrets(workflow: Workflow) -> list[str]:
    """The secrets that the repository has to have."""
    return sorted({*workflow.secrets.values(), *(one.secret for one in workflow.inputs if one.secret)})


def _told(pipeline: Pipeline, workflow: Workflow) -> Iterator[Diagnostic]:
    known = {parameter.name: parameter for parameter in pipeline.parameters}
    for one in workflow.inputs:
        if one.default is None and (one.secret or known[one.name].type != "None"):
            yield parameter_not_in_definition(pipeline, workflow.target, known[one.name], workflow.path)
        if not one.id and not one.secret:
            reason = "GitHub shows at most 25 inputs; the notebook's own default counts"
            yield left_out_of_definition(pipeline, workflow.target, f"the parameter `{one.name}`", reason)
    for job in workflow.jobs.values():
        for variable in workflow.environment(job)[1]:
            reason = "another of its variables has the same letters, and GitHub does not tell them apart"
            yield left_out_of_definition(
                pipeline, workflow.target, f"the environment variable `{variable}`", reason, job.name
            )
