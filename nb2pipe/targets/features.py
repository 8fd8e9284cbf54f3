"""What a pipeline asks of the platform that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.pipeline.work import make_work
from nb2pipe.targets.model import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.pipeline.model import Pipeline, Step

_OF_STEPS: Mapping[Feature, Callable[[Step], object]] = {
    Feature.GATE: lambda step: step.gate,
    Feature.RETRY: lambda step: step.retry,
    Feature.TIMEOUT: lambda step: step.timeout,
    Feature.CACHE: lambda step: step.cache,
    Feature.REPORT: lambda step: step.report,
    Feature.LIMITS: lambda step: step.resources.limits,
    Feature.STEP_IMAGES: lambda step: step.resources.image,
    Feature.LABELS: lambda step: step.resources.labels or step.resources.annotations,
    Feature.SECRETS: lambda step: step.resources.secrets,
    Feature.NESTED: lambda step: step.nested,
}


def features(pipeline: Pipeline) -> dict[Feature, tuple[str, ...]]:
    """What a pipeline asks for, and the steps that do; none for the pipeline as a whole."""
    steps = [unit.step for unit in make_work(pipeline, Path()).units]
    found = {feature: tuple(step.name for step in steps if asks(step)) for feature, asks in _OF_STEPS.items()}
    used = {feature: names for feature, names in found.items() if names}
    return used | ({Feature.SCHEDULE: ()} if pipeline.settings.schedule else {})
