"""A pipeline as SVG: steps as boxes, what flows between them as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.pipeline.drawing import Arrow, Card, draw, fitting
from nb2pipe.pipeline.ports import CARRIED
from nb2pipe.pipeline.render_text import cells_text, edge_text, steps_text

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Edge, Pipeline, Step


def to_svg(pipeline: Pipeline, *, links: bool = False) -> str:
    """The pipeline as an SVG picture.

    Args:
        pipeline: The pipeline.
        links: Boxes lead to the `#step-NUMBER` of the page that the picture stands in.
    """
    numbers = {step.name: number for number, step in enumerate(pipeline.steps)}
    cards = [_card(step, f"#step-{numbers[step.name] + 1}" if links else "") for step in pipeline.steps]
    arrows = [
        Arrow(
            source=numbers[edge.source],
            target=numbers[edge.target],
            label=_label(edge),
            text=edge_text(edge),
            kind=_line_class(edge),
            quiet=not edge.names,
        )
        for edge in pipeline.edges
    ]
    return draw(pipeline.name, f"pipeline {pipeline.name}", cards, arrows)


def _card(step: Step, link: str) -> Card:
    rows = [(step.name, "name"), (cells_text(step.cells), "cells")]
    if step.nested is not None:
        rows.append((f"notebook: {steps_text(step.nested)}", "cells"))
    if step.parameters:
        rows.append((", ".join(step.parameters), "parameters"))
    if step.gate is not None:
        rows.append((f"gate: {step.gate.text}", "gate"))
    kinds = [name for name, holds in (("made", step.generated), ("gated", step.gate is not None)) if holds]
    return Card(
        rows=tuple(rows),
        more=(step.description,) if step.description else (),
        kind=" ".join(["step", *kinds]),
        double=step.nested is not None,
        link=link,
    )


def _label(edge: Edge) -> str:
    """The names that flow, as many as there is room for; the reasons where no names flow."""
    names = edge.names or (("functions",) if CARRIED & set(edge.kinds) else tuple(kind.value for kind in edge.kinds))
    return fitting(names) + ("" if edge.certain else " ?")


def _line_class(edge: Edge) -> str:
    if not edge.certain:
        return "line maybe"
    return "line" if CARRIED & set(edge.kinds) else "line order"
