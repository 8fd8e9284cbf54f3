"""The target `python`: step modules, and all that is needed to run them with plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.targets.base import base_bundle
from nb2pipe.targets.model import Feature, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Bundle, Material


_SUPPORTS = dict.fromkeys(
    (
        Feature.PARAMETERS,
        Feature.ORDER,
        Feature.GATE,
        Feature.NESTED,
        Feature.SECRETS,
        Feature.STATE,
        Feature.FILES,
        Feature.MODULES,
        Feature.DATA,
        Feature.METRICS,
        Feature.RECORDS,
    ),
    Level.RUNS,
) | {Feature.IMAGE: Level.EMITTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonTarget:
    """One process, or one process a step, wherever Python runs."""

    name: str = "python"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = ()

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        return base_bundle(pipeline, material, self)
