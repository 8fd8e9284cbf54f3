"""A pipeline as SVG: steps as boxes, what flows between them as lines; light and dark, without an outer program."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nb2pipe.pipeline.escape import clipped, text_width, xml_text
from nb2pipe.pipeline.layout import Box, Layout, Line, layout
from nb2pipe.pipeline.ports import CARRIED
from nb2pipe.pipeline.render_text import cells_text, edge_text, steps_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nb2pipe.pipeline.model import Edge, Pipeline, Step

_MARGIN = 24.0
_NAME_SIZE = 14.0
_SMALL_SIZE = 11.0
_WIDEST_BOX = 230.0
_NARROWEST_BOX = 96.0
_WIDEST_LABEL = 170.0
_PAD = 14.0
_LINE = 16.0

_STYLE = """
.nb2pipe-graph { font-family: system-ui, -apple-system, "Segoe UI", Arial, sans-serif; color-scheme: light dark }
.nb2pipe-graph .page { fill: #ffffff }
.nb2pipe-graph .box { fill: #f5f8fc; stroke: #4a76a8; stroke-width: 1.4 }
.nb2pipe-graph .made .box { fill: #f7f7f7; stroke: #8a8f98; stroke-dasharray: 5 3 }
.nb2pipe-graph .gated .box { stroke: #b7791f; stroke-width: 2 }
.nb2pipe-graph .inner { fill: none; stroke: #4a76a8; stroke-width: 1 }
.nb2pipe-graph .name { font-size: 14px; font-weight: 600; fill: #16263a }
.nb2pipe-graph .cells { font-size: 11px; fill: #5d6b7c }
.nb2pipe-graph .parameters { font-size: 11px; fill: #7a4a9e }
.nb2pipe-graph .gate { font-size: 11px; fill: #8a5a10 }
.nb2pipe-graph .line { fill: none; stroke: #6b7a8c; stroke-width: 1.5 }
.nb2pipe-graph .order { stroke: #a0a9b4; stroke-dasharray: 6 4 }
.nb2pipe-graph .maybe { stroke: #b06a52; stroke-dasharray: 2 4 }
.nb2pipe-graph .tip { fill: #6b7a8c }
.nb2pipe-graph .label { font-size: 11px; fill: #33445a }
.nb2pipe-graph .quiet { fill: #7a8696; font-style: italic }
.nb2pipe-graph .plate { fill: #ffffff; opacity: 0.92 }
.nb2pipe-graph a:focus-visible .box { stroke-width: 4 }
@media (prefers-color-scheme: dark) {
.nb2pipe-graph .page { fill: #14181d }
.nb2pipe-graph .box { fill: #1e2936; stroke: #7fa8d6 }
.nb2pipe-graph .made .box { fill: #20242a; stroke: #8f98a3 }
.nb2pipe-graph .gated .box { stroke: #e0a94a }
.nb2pipe-graph .inner { stroke: #7fa8d6 }
.nb2pipe-graph .name { fill: #eef3f9 }
.nb2pipe-graph .cells { fill: #a3b0bf }
.nb2pipe-graph .parameters { fill: #cfa6ee }
.nb2pipe-graph .gate { fill: #e6bd74 }
.nb2pipe-graph .line { stroke: #95a3b3 }
.nb2pipe-graph .order { stroke: #66717d }
.nb2pipe-graph .maybe { stroke: #d08e76 }
.nb2pipe-graph .tip { fill: #95a3b3 }
.nb2pipe-graph .label { fill: #ccd6e2 }
.nb2pipe-graph .quiet { fill: #8e9baa }
.nb2pipe-graph .plate { fill: #14181d }
}
"""


def to_svg(pipeline: Pipeline, *, links: bool = False) -> str:
    """The pipeline as an SVG picture.

    Args:
        pipeline: The pipeline.
        links: Boxes lead to the `#step-NUMBER` of the page that the picture stands in.
    """
    numbers = {step.name: number for number, step in enumerate(pipeline.steps)}
    cards = [_card(step) for step in pipeline.steps]
    labels = [_label(edge) for edge in pipeline.edges]
    lines = [
        Line(source=numbers[edge.source], target=numbers[edge.target], label_width=text_width(label, _SMALL_SIZE) + 8)
        for edge, label in zip(pipeline.edges, labels, strict=True)
    ]
    drawn = layout([Box(width=card.width, height=card.height) for card in cards], lines)
    return "\n".join(_document(pipeline, cards, labels, drawn, links=links)) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    """What a box shows.

    Attributes:
        rows: Text and class of each row; clipped where they are too long.
        full: All of it, for the tooltip.
    """

    rows: tuple[tuple[str, str], ...]
    full: str
    width: float
    height: float
    kind: str


def _card(step: Step) -> _Card:
    rows = [(step.name, "name"), (cells_text(step.cells), "cells")]
    if step.nested is not None:
        rows.append((f"notebook: {steps_text(step.nested)}", "cells"))
    if step.parameters:
        rows.append((", ".join(step.parameters), "parameters"))
    if step.gate is not None:
        rows.append((f"gate: {step.gate.text}", "gate"))
    inside = _WIDEST_BOX - 2 * _PAD
    cut = tuple((clipped(text, _size(kind), inside), kind) for text, kind in rows)
    widest = max(text_width(text, _size(kind)) for text, kind in cut)
    kinds = [name for name, holds in (("made", step.generated), ("gated", step.gate is not None)) if holds]
    return _Card(
        rows=cut,
        full="\n".join([text for text, _ in rows] + ([step.description] if step.description else [])),
        width=max(widest + 2 * _PAD, _NARROWEST_BOX),
        height=_LINE * len(rows) + 16,
        kind=" ".join(["step", *kinds]),
    )


def _size(kind: str) -> float:
    return _NAME_SIZE + 0.6 if kind == "name" else _SMALL_SIZE


def _label(edge: Edge) -> str:
    """The names that flow, as many as there is room for; the reasons where no names flow."""
    text = ", ".join(edge.names)
    if not edge.names:
        text = "functions" if CARRIED & set(edge.kinds) else ", ".join(kind.value for kind in edge.kinds)
    else:
        for shown in range(len(edge.names), 0, -1):
            rest = len(edge.names) - shown
            text = ", ".join(edge.names[:shown]) + (f" +{rest}" if rest else "")
            if text_width(text, _SMALL_SIZE) <= _WIDEST_LABEL:
                break
    return clipped(text, _SMALL_SIZE, _WIDEST_LABEL) + ("" if edge.certain else " ?")


def _document(
    pipeline: Pipeline, cards: Sequence[_Card], labels: Sequence[str], drawn: Layout, *, links: bool
) -> Iterator[str]:
    width, height = drawn.width + 2 * _MARGIN, max(drawn.height + 2 * _MARGIN, 2 * _MARGIN)
    name = xml_text(pipeline.name)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nb2pipe-graph" role="img" aria-label="pipeline {name}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}">'
    )
    yield f"<title>{name}</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="page" x="{-_MARGIN:.0f}" y="{-_MARGIN:.0f}" width="{width:.0f}" height="{height:.0f}"/>'
    yield from _lines(pipeline, cards, drawn)
    for edge, label, center in zip(pipeline.edges, labels, drawn.labels, strict=True):
        yield from _plate(edge, label, center)
    for number, (card, center) in enumerate(zip(cards, drawn.centers, strict=True)):
        yield from _box(card, center, nested=pipeline.steps[number].nested is not None, link=number if links else None)
    yield "</svg>"


def _lines(pipeline: Pipeline, cards: Sequence[_Card], drawn: Layout) -> Iterator[str]:
    """The trunks, then each line's own end with its tip."""
    kinds: dict[int, set[str]] = {}
    numbers = {step.name: number for number, step in enumerate(pipeline.steps)}
    for edge in pipeline.edges:
        kinds.setdefault(numbers[edge.source], set()).add(_line_class(edge))
    for source, points in drawn.trunks:
        kind = "line" if len(kinds[source]) > 1 else next(iter(kinds[source]))
        yield f'<path class="{kind}" d="{_curve((_foot(cards[source], drawn.centers[source]), *points))}"/>'
    tips = _tips(pipeline, cards, drawn)
    for edge, points, tip in zip(pipeline.edges, drawn.ends, tips, strict=True):
        source = numbers[edge.source]
        path = list(points[:-1])
        if path[0][0] == drawn.centers[source][0]:
            path.insert(0, _foot(cards[source], drawn.centers[source]))
        title = xml_text(f"{edge.source} → {edge.target}: {edge_text(edge)}")
        yield f'<g><title>{title}</title><path class="{_line_class(edge)}" d="{_curve((*path, _before(tip)))}"/>'
        yield f'<path class="tip" d="M{tip[0]:.1f} {tip[1]:.1f}l-4.5 -8h9z"/></g>'


def _tips(pipeline: Pipeline, cards: Sequence[_Card], drawn: Layout) -> list[tuple[float, float]]:
    """Where each line reaches its box: spread over the middle of the upper border, in the order that they come in."""
    incoming: dict[str, list[int]] = {}
    for number, edge in enumerate(pipeline.edges):
        incoming.setdefault(edge.target, []).append(number)
    tips = [(0.0, 0.0)] * len(pipeline.edges)
    for number, step in enumerate(pipeline.steps):
        coming = sorted(incoming.get(step.name, []), key=lambda edge: drawn.labels[edge][0])
        x, y = drawn.centers[number]
        gap = min(22.0, 0.7 * cards[number].width / max(len(coming), 1))
        for place, edge_number in enumerate(coming):
            shift = (place - (len(coming) - 1) / 2) * gap
            tips[edge_number] = (x + shift, y - cards[number].height / 2)
    return tips


def _foot(card: _Card, center: tuple[float, float]) -> tuple[float, float]:
    """Where lines leave a box."""
    return (center[0], center[1] + card.height / 2)


def _before(end: tuple[float, float]) -> tuple[float, float]:
    return (end[0], end[1] - 7)


def _line_class(edge: Edge) -> str:
    if not edge.certain:
        return "line maybe"
    return "line" if CARRIED & set(edge.kinds) else "line order"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A path through points, from row to row, that leaves and reaches each of them upright."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        if abs(x1 - x2) < 0.5:  # noqa: PLR2004  # half a pixel is straight
            parts.append(f"L{x2:.1f} {y2:.1f}")
        else:
            middle = (y1 + y2) / 2
            parts.append(f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}")
    return "".join(parts)


def _plate(edge: Edge, label: str, center: tuple[float, float]) -> Iterator[str]:
    width = text_width(label, _SMALL_SIZE) + 6
    quiet = "" if edge.names else " quiet"
    x, y = center
    yield (
        f'<g><title>{xml_text(edge_text(edge))}</title><rect class="plate" x="{x - width / 2:.1f}" y="{y - 8:.1f}" '
        f'width="{width:.1f}" height="16" rx="3"/><text class="label{quiet}" x="{x:.1f}" y="{y + 4:.1f}" '
        f'text-anchor="middle">{xml_text(label)}</text></g>'
    )


def _box(card: _Card, center: tuple[float, float], *, nested: bool, link: int | None) -> Iterator[str]:
    left, top = center[0] - card.width / 2, center[1] - card.height / 2
    if link is not None:
        yield f'<a href="#step-{link + 1}">'
    yield f'<g class="{card.kind}"><title>{xml_text(card.full)}</title>'
    yield f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{card.width:.1f}" height="{card.height:.1f}" rx="7"/>'
    if nested:
        yield (
            f'<rect class="inner" x="{left + 3:.1f}" y="{top + 3:.1f}" width="{card.width - 6:.1f}" '
            f'height="{card.height - 6:.1f}" rx="5"/>'
        )
    for number, (text, kind) in enumerate(card.rows):
        y = top + 8 + _LINE * number + 12
        yield f'<text class="{kind}" x="{center[0]:.1f}" y="{y:.1f}" text-anchor="middle">{xml_text(text)}</text>'
    yield "</g>" + ("</a>" if link is not None else "")
