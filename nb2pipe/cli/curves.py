"""Series of numbers as small curves in a terminal, and in words elsewhere."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from nb2pipe.cli.text import number, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Points = Sequence[tuple[int, float]]

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 40
_GAP = " "


def curve_rows(series: Mapping[str, Points], *, drawn: bool) -> list[tuple[str, ...]]:
    """A row of a table for each series: its name, its curve where it is to be drawn, and what it says in numbers."""
    return [
        (one_line(name), *((sparkline([value for _, value in points]),) if drawn else ()), *_words(points))
        for name, points in series.items()
        if points
    ]


def sparkline(values: Sequence[float], width: int = _WIDTH) -> str:
    """A curve of blocks, each the mean of as many values; a gap where there is none that is finite.

    >>> sparkline([0, 1, 2, 3, float("nan"), 7])
    '▁▂▃▄ █'
    """
    means = [_mean(part) for part in _parts(values, width)]
    known = [mean for mean in means if mean is not None]
    if not known:
        return _GAP * len(means)
    low, high = min(known), max(known)
    half = (high / 2 - low / 2) or 1.0  # the whole may be too large for a float
    top = len(_BARS) - 1
    return "".join(_GAP if mean is None else _BARS[round((mean / 2 - low / 2) / half * top)] for mean in means)


def _parts(values: Sequence[float], width: int) -> list[Sequence[float]]:
    if len(values) <= width:
        return [[value] for value in values]
    places = [round(place * len(values) / width) for place in range(width + 1)]
    return [values[begin:end] for begin, end in pairwise(places)]


def _mean(values: Sequence[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(value / len(finite) for value in finite) if finite else None


def _words(points: Points) -> tuple[str, ...]:
    values = [value for _, value in points]
    finite = [value for value in values if math.isfinite(value)]
    count = "1 point" if len(points) == 1 else f"{len(points)} points"
    extent = f"min {number(min(finite))}, max {number(max(finite))}" if finite else ""
    return f"{number(values[0])} to {number(values[-1])}", extent, count
