"""STAGE 3: a Dataflow becomes a Pipeline. Pure: nothing is read, nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Report
from nb2pipe.notebook.model import MetricsTag
from nb2pipe.pipeline.blocks import Cutter, cutter
from nb2pipe.pipeline.checks.all import diagnostics
from nb2pipe.pipeline.edges import edges
from nb2pipe.pipeline.model import Parameter, Pipeline, Step
from nb2pipe.pipeline.nested import embedded
from nb2pipe.pipeline.outline import outline
from nb2pipe.pipeline.ports import ports
from nb2pipe.pipeline.wishes import wishes
from nb2pipe.runtime.patches import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.analysis.model import Dataflow, ParameterFact
    from nb2pipe.pipeline.outline import Draft, Outline
    from nb2pipe.pipeline.ports import Ports


def build(dataflow: Dataflow, report: Report, nested: Mapping[str, Pipeline] | None = None) -> Pipeline:
    """The pipeline of a notebook.

    Args:
        dataflow: What analysis found.
        report: What was found before; the pipeline's report holds it too.
        nested: The pipelines of `notebook:` tags, by the path that the tag gives.

    Returns:
        The pipeline. Where the report holds errors it is as good as it can be, for looking at, not for running.
    """
    inner = nested or {}
    drawn = outline(dataflow)
    flowing = ports(drawn, inner)
    cut = cutter(drawn, flowing)
    notebook = dataflow.notebook
    drawn_edges = edges(drawn, flowing.links)
    steps = tuple(_step(drawn, draft, flowing, cut, inner) for draft in drawn.drafts)
    found = diagnostics(drawn, flowing, drawn_edges, inner)
    return Pipeline(
        name=notebook.settings.name or notebook.stem,
        notebook=notebook,
        settings=notebook.settings,
        parameters=tuple(_parameter(drawn, fact) for fact in dataflow.parameters),
        steps=steps,
        edges=drawn_edges,
        report=Report.of(report, found, *(step.nested.report for step in steps if step.nested is not None)),
        dataflow=dataflow,
    )


def _step(outline: Outline, draft: Draft, flowing: Ports, cut: Cutter, nested: Mapping[str, Pipeline]) -> Step:
    notebook = outline.notebook
    said = wishes(notebook, draft.cells)
    used = flowing.parameters[draft.name]
    inputs, outputs = tuple(flowing.inputs[draft.name].values()), tuple(flowing.outputs[draft.name].values())
    inner = nested.get(draft.nested) if draft.nested is not None else None
    if inner is not None:
        inner = embedded(inner, {port.name for port in inputs}, outputs)
    return Step(
        name=draft.name,
        cells=draft.cells,
        blocks=() if draft.nested is not None else cut.blocks(draft, used),
        inputs=inputs,
        outputs=outputs,
        parameters=tuple(fact.name for fact in outline.dataflow.parameters if fact.name in used),
        draws=frozenset[str]().union(*(fact.draws for fact in outline.facts[draft.name])),
        patched=frozenset(
            state.removeprefix(PREFIX)
            for fact in outline.facts[draft.name]
            for state in fact.sets
            if state.startswith(PREFIX)
        ),
        resources=said.resources,
        retry=said.retry,
        retry_delay=said.retry_delay,
        timeout=said.timeout,
        cache=said.cache,
        report=said.report,
        gate=said.gate,
        metrics=tuple(cell for cell in draft.cells if notebook.cell(cell).has(MetricsTag)),
        nested=inner,
        description=said.description,
        generated=draft.generated,
    )


def _parameter(outline: Outline, fact: ParameterFact) -> Parameter:
    return Parameter(
        name=fact.name,
        type=_type(fact),
        default=fact.value if fact.is_literal else fact.source,
        cell=fact.cell,
        line=fact.line,
        is_literal=fact.is_literal,
        repeatable=fact.name in outline.repeatable,
    )


def _type(fact: ParameterFact) -> str | None:
    """The type that given values have to have: the default's; `float` where an integer is annotated so."""
    if not fact.is_literal:
        return None
    if fact.value is None:
        return "None"
    if type(fact.value) is int and fact.annotation == "float":
        return "float"
    return type(fact.value).__name__
