"""What a pipeline asks of the platform that runs it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.pipeline.work import make_work
from nb2pipe.targets.model import Feature, Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.notebook.model import Settings
    from nb2pipe.pipeline.model import Pipeline, Step
    from nb2pipe.pipeline.work import Work
    from nb2pipe.targets.model import Material

CPU, MEMORY, GPU = "cpu", "memory", "gpu"


def kind_of_limit(resource: str) -> Feature:
    """What a limit is of, by the name of its resource.

    >>> [kind_of_limit(each).value for each in ("cpu", "nvidia.com/gpu", "ephemeral-storage")]
    ['cpu', 'gpu', 'other limits']
    """
    name = resource.rpartition("/")[2]
    return {CPU: Feature.CPU, MEMORY: Feature.MEMORY, GPU: Feature.GPU}.get(name, Feature.LIMITS)


def _limits(feature: Feature) -> Callable[[Step], object]:
    return lambda step: [name for name, _ in step.resources.limits if kind_of_limit(name) is feature]


_OF_STEPS: Mapping[Feature, Callable[[Step], object]] = {
    Feature.GATE: lambda step: step.gate,
    Feature.RETRY: lambda step: step.retry,
    Feature.RETRY_DELAY: lambda step: step.retry_delay,
    Feature.TIMEOUT: lambda step: step.timeout,
    Feature.CACHE: lambda step: step.cache,
    Feature.REPORT: lambda step: step.report,
    **{each: _limits(each) for each in (Feature.CPU, Feature.MEMORY, Feature.GPU, Feature.LIMITS)},
    Feature.STEP_IMAGES: lambda step: step.resources.image,
    Feature.ENVIRONMENT: lambda step: step.resources.environment,
    Feature.LABELS: lambda step: step.resources.labels,
    Feature.ANNOTATIONS: lambda step: step.resources.annotations,
    Feature.SECRETS: lambda step: step.resources.secrets,
    Feature.NESTED: lambda step: step.nested,
    Feature.METRICS: lambda step: step.metrics,
}

_OF_SETTINGS: Mapping[Feature, Callable[[Settings], object]] = {
    Feature.SCHEDULE: lambda settings: settings.schedule,
    Feature.TIMEZONE: lambda settings: settings.schedule and settings.timezone,
    Feature.RUN_DATE: lambda settings: settings.run_date,
    Feature.NOTICE: lambda settings: settings.on_failure,
    Feature.OWNER: lambda settings: settings.owner,
}

_OF_MATERIAL: Mapping[Feature, Callable[[Material], object]] = {
    Feature.MODULES: lambda material: any(copy.module for copy in material.copies),
    Feature.DATA: lambda material: any(not copy.module for copy in material.copies),
    Feature.IMAGE: lambda material: material.flags.image,
    Feature.NOTEBOOKS: lambda material: material.flags.mode is Mode.NOTEBOOK,
}


def features(pipeline: Pipeline, material: Material | None = None) -> dict[Feature, tuple[str, ...]]:
    """What a pipeline asks for, and the steps that do; none for the pipeline as a whole.

    Args:
        pipeline: Without errors.
        material: What else a bundle of it is made of.
    """
    work = make_work(pipeline, Path())
    steps = [unit.step for unit in work.units]
    found = {feature: tuple(step.name for step in steps if asks(step)) for feature, asks in _OF_STEPS.items()}
    used = {feature: names for feature, names in found.items() if names}
    whole = [feature for feature, asks in _OF_SETTINGS.items() if asks(pipeline.settings)]
    whole += [feature for feature, asks in _OF_MATERIAL.items() if material is not None and asks(material)]
    whole += [Feature.PARAMETERS] if pipeline.parameters else []
    whole += [] if _is_chain(work) else [Feature.PARALLEL]
    return used | dict.fromkeys(whole, ())


def _is_chain(work: Work) -> bool:
    """Whether each step needs the one before it, so that no two can run side by side."""
    edges = {(edge.source, edge.target) for edge in work.edges}
    return all(pair in edges for pair in pairwise(work.names))
