"""The target `dvc`: a stage for each step, values in folders that DVC caches, parameters in `params.yaml`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.templates import render
from nb2pipe.records.values import is_masked_default
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.jobs import jobs_of
from nb2pipe.targets.model import Feature, Level, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Parameter, Pipeline
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.model import Bundle, Material

_PARAMETERS = "params.yaml"


_SUPPORTS = dict.fromkeys(
    (
        Feature.PARAMETERS,
        Feature.ORDER,
        Feature.GATE,
        Feature.NESTED,
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
    ),
    Level.RUNS,
) | dict.fromkeys((Feature.IMAGE, Feature.LABELS, Feature.ANNOTATIONS), Level.EMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DvcTarget:
    """`dvc repro` runs what has changed, on this machine."""

    name: str = "dvc"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        jobs = jobs_of(pipeline, material)
        known = {one.name: one.default for one in pipeline.parameters if _is_written(one)}
        stages = {job.slug: _stage(job, known.keys(), material.flags.mode) for job in jobs}
        definition = (
            EmittedFile(path="dvc.yaml", text=_yaml({"stages": stages})),
            EmittedFile(path=_PARAMETERS, text=_yaml(known)),
        )
        guide = render("dvc/guide.md.jinja", material.templates, notebooks=material.flags.mode is Mode.NOTEBOOK)
        found = tuple(_left_out(pipeline, self.name))
        platform = Platform(
            definition=definition, guide=guide, diagnostics=found, command="dvc init --no-scm && dvc repro"
        )
        return base_bundle(pipeline, material, self, platform)


def _is_written(parameter: Parameter) -> bool:
    return parameter.is_literal and parameter.type in _TYPES and not is_masked_default(parameter.default)


_TYPES = frozenset({"int", "float", "str", "bool", "list", "dict", "None"})
"""What YAML has a form for that reads back as the same."""


def _left_out(pipeline: Pipeline, target: str) -> Iterator[Diagnostic]:
    for one in pipeline.parameters:
        if not _is_written(one):
            yield parameter_not_in_definition(pipeline, target, one, _PARAMETERS)


def _stage(job: Job, known: Any, mode: Mode) -> dict[str, Any]:
    """A stage; its folders of values are its outputs, and those of the jobs above it what it depends on."""
    parameters = sorted(name for name in job.parameters if name in known)
    stage: dict[str, Any] = {"cmd": _plain(shlex.join(_command(job, mode)))}
    if job.step.description:
        stage["desc"] = _plain(job.step.description)
    facts = ["pipeline.json"] if job.step.gate is not None or job.step.metrics else []  # it says what is measured
    stage["deps"] = [*(_values(name) for name in _files(job)), *map(_plain, (*job.sources, *job.data)), *facts]
    if parameters:
        stage["params"] = parameters
    stage["outs"] = [_values(job.file), *([_executed(job)] if mode is Mode.NOTEBOOK else [])]
    if job.step.metrics:
        stage["metrics"] = [{_metrics(job): {"cache": False}}]
    if job.step.cache is False:
        stage["always_changed"] = True
    resources = job.step.resources
    if resources.labels or resources.annotations:
        pairs = {"labels": resources.labels, "annotations": resources.annotations}
        stage["meta"] = {kind: {key: _plain(value) for key, value in each} for kind, each in pairs.items()}
    return stage


def _command(job: Job, mode: Mode) -> Iterator[str]:
    if variables := job.step.resources.environment:
        yield from ("env", *(f"{name}={value}" for name, value in variables))
    yield from ("python", "-m", job.module)
    for name in _files(job):
        yield from ("--nb2pipe-inputs", _values(name))
    yield from ("--nb2pipe-outputs", _values(job.file), "--nb2pipe-files")
    if job.parameters:
        yield from ("--nb2pipe-parameters", _PARAMETERS)
    if job.step.metrics:
        yield from ("--nb2pipe-metrics", _metrics(job))
    if job.gates:
        yield "--nb2pipe-gated"
    if mode is Mode.NOTEBOOK:
        yield from ("--nb2pipe-notebook", _executed(job))


def _files(job: Job) -> tuple[str, ...]:
    return tuple(name.replace("/", ".") for name in job.needs)


def _values(name: str) -> str:
    return f"values/{name}"


def _metrics(job: Job) -> str:
    return f"metrics/{job.file}.json"


def _executed(job: Job) -> str:
    return f"executed/{job.file}.ipynb"


def _plain(text: str) -> str:
    r"""A text in which DVC sees no template.

    >>> print(_plain("${x}"))
    \${x}
    """
    return text.replace("${", "\\${")


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10_000)
