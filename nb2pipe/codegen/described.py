"""`pipeline.json` of a package: the pipeline, with how each step stands in the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.codegen.metric_names import metric_names
from nb2pipe.pipeline.schema import StepModule, to_text
from nb2pipe.pipeline.work import make_work

if TYPE_CHECKING:
    from nb2pipe.codegen.model import PackagePlan, StepPlan
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Unit


def described(pipeline: Pipeline, plan: PackagePlan) -> str:
    """The text of `pipeline.json`.

    Args:
        pipeline: The pipeline.
        plan: Its plan.
    """
    units = make_work(pipeline, Path()).by_name
    return to_text(pipeline, plan.name, {step.name: _module(step, units[step.name]) for step in plan.steps})


def _module(plan: StepPlan, unit: Unit) -> StepModule:
    notebook = unit.pipeline.notebook
    return StepModule(
        module=plan.module,
        function=plan.function,
        form=plan.form.value,
        gates=plan.gates,
        metrics={place: metric_names(notebook.cell(place).python) for place in unit.step.metrics},
        given_by={one.name: one.step for one in plan.arguments if one.name in unit.step.parameters and one.step},
    )
