"""Boxes and the lines between them as SVG: light and dark, without an outer program. Pipelines and lineages use it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nb2pipe.pipeline.escape import clipped, text_width, xml_text
from nb2pipe.pipeline.layout import Box, Layout, Line, layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A box to draw.

    Attributes:
        rows: Text and class of each row: `name`, `cells`, `parameters`, `gate`. Those that are too long are clipped.
        more: What only the tooltip says, beside the rows in full.
        kind: Classes of the whole.
        double: It has a second border.
        link: Where it leads; nowhere if it is empty.
    """

    rows: tuple[tuple[str, str], ...]
    more: tuple[str, ...] = ()
    kind: str = "step"
    double: bool = False
    link: str = ""

    @property
    def cut(self) -> tuple[tuple[str, str], ...]:
        """The rows as far as there is room."""
        return tuple((clipped(text, _size(kind), _WIDEST_BOX - 2 * _PAD), kind) for text, kind in self.rows)

    @property
    def width(self) -> float:
        """As its widest row needs it."""
        return max(max(text_width(text, _size(kind)) for text, kind in self.cut) + 2 * _PAD, _NARROWEST_BOX)

    @property
    def height(self) -> float:
        """As its rows need it."""
        return _LINE * len(self.rows) + 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A line to draw, from box to box by their numbers.

    Attributes:
        label: What stands at it; `fitting` makes it short enough.
        text: What its tooltips say.
        kind: Classes of the line: `line`, and `order` or `maybe`.
        quiet: The label is no name.
    """

    source: int
    target: int
    label: str = ""
    text: str = ""
    kind: str = "line"
    quiet: bool = False


def fitting(names: Sequence[str]) -> str:
    """As many names as there is room for at a line."""
    text = ", ".join(names)
    for shown in range(len(names), 0, -1):
        rest = len(names) - shown
        text = ", ".join(names[:shown]) + (f" +{rest}" if rest else "")
        if text_width(text, _SMALL_SIZE) <= _WIDEST_LABEL:
            break
    return clipped(text, _SMALL_SIZE, _WIDEST_LABEL)


def draw(title: str, label: str, cards: Sequence[Card], arrows: Sequence[Arrow]) -> str:
    """The picture.

    Args:
        title: What it is called.
        label: What it is, for those who do not see it.
        cards: The boxes, in an order in which no line goes back.
        arrows: The lines.
    """
    lines = [
        Line(source=each.source, target=each.target, label_width=text_width(each.label, _SMALL_SIZE) + 8)
        for each in arrows
    ]
    drawn = layout([Box(width=card.width, height=card.height) for card in cards], lines)
    return "\n".join(_document((title, label), cards, arrows, drawn)) + "\n"


def _size(kind: str) -> float:
    return _NAME_SIZE + 0.6 if kind == "name" else _SMALL_SIZE


def _document(named: tuple[str, str], cards: Sequence[Card], arrows: Sequence[Arrow], drawn: Layout) -> Iterator[str]:
    width, height = drawn.width + 2 * _MARGIN, max(drawn.height + 2 * _MARGIN, 2 * _MARGIN)
    title, label = map(xml_text, named)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nb2pipe-graph" role="img" aria-label="{label}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}">'
    )
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="page" x="{-_MARGIN:.0f}" y="{-_MARGIN:.0f}" width="{width:.0f}" height="{height:.0f}"/>'
    yield from _lines(cards, arrows, drawn)
    for arrow, center in zip(arrows, drawn.labels, strict=True):
        yield from _plate(arrow, center)
    for card, center in zip(cards, drawn.centers, strict=True):
        yield from _box(card, center)
    yield "</svg>"


def _lines(cards: Sequence[Card], arrows: Sequence[Arrow], drawn: Layout) -> Iterator[str]:
    """The trunks, then each line's own end with its tip."""
    kinds: dict[int, set[str]] = {}
    for arrow in arrows:
        kinds.setdefault(arrow.source, set()).add(arrow.kind)
    for source, points in drawn.trunks:
        kind = "line" if len(kinds[source]) > 1 else next(iter(kinds[source]))
        yield f'<path class="{kind}" d="{_curve((_foot(cards[source], drawn.centers[source]), *points))}"/>'
    tips = _tips(cards, arrows, drawn)
    for arrow, points, tip in zip(arrows, drawn.ends, tips, strict=True):
        path = list(points[:-1])
        if path[0][0] == drawn.centers[arrow.source][0]:
            path.insert(0, _foot(cards[arrow.source], drawn.centers[arrow.source]))
        title = xml_text(f"{cards[arrow.source].rows[0][0]} → {cards[arrow.target].rows[0][0]}: {arrow.text}")
        yield f'<g><title>{title}</title><path class="{arrow.kind}" d="{_curve((*path, _before(tip)))}"/>'
        yield f'<path class="tip" d="M{tip[0]:.1f} {tip[1]:.1f}l-4.5 -8h9z"/></g>'


def _tips(cards: Sequence[Card], arrows: Sequence[Arrow], drawn: Layout) -> list[tuple[float, float]]:
    """Where each line reaches its box: spread over the middle of the upper border, in the order that they come in."""
    incoming: dict[int, list[int]] = {}
    for number, arrow in enumerate(arrows):
        incoming.setdefault(arrow.target, []).append(number)
    tips = [(0.0, 0.0)] * len(arrows)
    for number, card in enumerate(cards):
        coming = sorted(incoming.get(number, []), key=lambda arrow: drawn.labels[arrow][0])
        x, y = drawn.centers[number]
        gap = min(22.0, 0.7 * card.width / max(len(coming), 1))
        for place, arrow_number in enumerate(coming):
            shift = (place - (len(coming) - 1) / 2) * gap
            tips[arrow_number] = (x + shift, y - card.height / 2)
    return tips


def _foot(card: Card, center: tuple[float, float]) -> tuple[float, float]:
    """Where lines leave a box."""
    return (center[0], center[1] + card.height / 2)


def _before(end: tuple[float, float]) -> tuple[float, float]:
    return (end[0], end[1] - 7)


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


def _plate(arrow: Arrow, center: tuple[float, float]) -> Iterator[str]:
    width = text_width(arrow.label, _SMALL_SIZE) + 6
    quiet = " quiet" if arrow.quiet else ""
    x, y = center
    yield (
        f'<g><title>{xml_text(arrow.text)}</title><rect class="plate" x="{x - width / 2:.1f}" y="{y - 8:.1f}" '
        f'width="{width:.1f}" height="16" rx="3"/><text class="label{quiet}" x="{x:.1f}" y="{y + 4:.1f}" '
        f'text-anchor="middle">{xml_text(arrow.label)}</text></g>'
    )


def _box(card: Card, center: tuple[float, float]) -> Iterator[str]:
    left, top = center[0] - card.width / 2, center[1] - card.height / 2
    if card.link:
        yield f'<a href="{xml_text(card.link)}">'
    full = "\n".join([*(text for text, _ in card.rows), *card.more])
    yield f'<g class="{card.kind}"><title>{xml_text(full)}</title>'
    yield f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{card.width:.1f}" height="{card.height:.1f}" rx="7"/>'
    if card.double:
        yield (
            f'<rect class="inner" x="{left + 3:.1f}" y="{top + 3:.1f}" width="{card.width - 6:.1f}" '
            f'height="{card.height - 6:.1f}" rx="5"/>'
        )
    for number, (text, kind) in enumerate(card.cut):
        y = top + 8 + _LINE * number + 12
        yield f'<text class="{kind}" x="{center[0]:.1f}" y="{y:.1f}" text-anchor="middle">{xml_text(text)}</text>'
    yield "</g>" + ("</a>" if card.link else "")
