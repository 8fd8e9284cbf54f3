"""Which steps make the same again from the same: what a platform may take from an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.pipeline.work import make_work

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Unit


def reusable_steps(pipeline: Pipeline) -> frozenset[str]:
    """The names of the steps that may be reused, as far as their text tells.

    Those that are tagged `cache:enabled`, and those without a tag whose code reads no clock and draws on no entropy.
    Whether one of these talks to a network or runs commands is seen when it runs: `repeatable` in `STEP.json`.

    Args:
        pipeline: Compiled, so that its cells' facts are known.
    """
    return frozenset(unit.name for unit in make_work(pipeline, Path()).units if _may_be(unit))


def _may_be(unit: Unit) -> bool:
    if unit.step.cache is not None:
        return unit.step.cache
    flow = unit.pipeline.dataflow
    facts = [flow.facts_of(cell) for cell in {block.cell for block in unit.step.blocks}] if flow else []
    return not any(each.outside for each in facts if each is not None)
