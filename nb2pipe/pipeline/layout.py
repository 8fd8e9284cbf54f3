"""A layered drawing of a graph: layers, few crossings, coordinates (after Sugiyama, Tagawa and Toda, 1981).

Boxes stand on even rows. On the odd rows between, each edge has a point of its own that its label stands at, right
above the box that it ends at. The long edges of one box share a trunk, so that the drawing grows with boxes and rows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SWEEPS = 12
_ROUNDS = 24
_GAP = 26.0
_ROW_GAP = 20.0
_LABEL_HEIGHT = 18.0
_TRUNK_WIDTH = 8.0
_FAR = 1e9
_STRAIGHT = 6.0
"""How much more points of edges pull each other than boxes do: long edges are straight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box to place: its size."""

    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An edge to draw: from box to box, by their numbers, with the size of its label."""

    source: int
    target: int
    label_width: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A drawing.

    Attributes:
        centers: The center of each box.
        labels: The center of each line's label.
        ends: Of each line the part that it has alone: where it leaves the trunk or the box's row, its label's upper and
            lower end, the center of the box that it ends at.
        trunks: The part that the lines of a box share: the box's number, and the points from its row's lower border on.
        width: Of the whole.
        height: Of the whole.
    """

    centers: tuple[tuple[float, float], ...]
    labels: tuple[tuple[float, float], ...]
    ends: tuple[tuple[tuple[float, float], ...], ...]
    trunks: tuple[tuple[int, tuple[tuple[float, float], ...]], ...]
    width: float
    height: float


@dataclass(slots=True)
class _Rows:
    """Boxes and points in rows, and the pieces of edges between neighboring rows."""

    row: list[int] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    is_box: list[bool] = field(default_factory=list)
    above: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    below: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: int, width: float, *, is_box: bool) -> int:
        self.row.append(row)
        self.width.append(width)
        self.is_box.append(is_box)
        return len(self.row) - 1

    def connect(self, upper: int, lower: int) -> None:
        self.below[upper].append(lower)
        self.above[lower].append(upper)


def layout(boxes: Sequence[Box], lines: Sequence[Line]) -> Layout:
    """Places boxes and lines.

    Args:
        boxes: In an order in which no line goes back.
        lines: Between them.
    """
    layers = _layers(len(boxes), lines)
    rows = _Rows()
    for box, layer in zip(boxes, layers, strict=True):
        rows.add(2 * layer, box.width, is_box=True)
    trunks, labels = _points(rows, lines)
    order = _ordered(rows)
    x = _columns(rows, order)
    for points in trunks.values():
        _straighten(rows, order, x, points)
    left = min((x[item] - rows.width[item] / 2 for item in range(len(x))), default=0.0)
    x = [value - left for value in x]
    bands = _bands(rows, order, boxes)
    place = [(x[item], sum(bands[row]) / 2) for item, row in enumerate(rows.row)]
    through = {item: ((x[item], bands[row][0]), (x[item], bands[row][1])) for item, row in enumerate(rows.row)}
    return Layout(
        centers=tuple(place[: len(boxes)]),
        labels=tuple(place[label] for label in labels),
        ends=tuple(
            (through[_fork(trunks[line.source], line, rows, label)][1], *through[label], place[line.target])
            for line, label in zip(lines, labels, strict=True)
        ),
        trunks=tuple(
            (source, (through[source][1], *(point for item in points for point in through[item])))
            for source, points in trunks.items()
            if points
        ),
        width=max((x[item] + rows.width[item] / 2 for item in range(len(x))), default=0.0),
        height=bands[-1][1] if bands else 0.0,
    )


def _fork(trunk: Sequence[int], line: Line, rows: _Rows, label: int) -> int:
    """The last point of a trunk before a line's label; the box itself where there is none."""
    return next((item for item in reversed(trunk) if rows.row[item] < rows.row[label]), line.source)


def _layers(count: int, lines: Iterable[Line]) -> list[int]:
    """The layer of each box: below all that it comes from, and no layer too wide."""
    sources: dict[int, list[int]] = defaultdict(list)
    targets: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        sources[line.target].append(line.source)
        targets[line.source].append(line.target)
    widest = 6 if count <= 60 else 8  # noqa: PLR2004  # by eye
    layers = [0] * count
    filled: dict[int, int] = defaultdict(int)
    for box in range(count):
        layer = max((layers[source] + 1 for source in sources[box]), default=0)
        while filled[layer] >= widest:
            layer += 1
        layers[box] = layer
        filled[layer] += 1
    for box in reversed(range(count)):
        if targets[box] and not sources[box]:
            layers[box] = _lowered(layers[box], min(layers[target] for target in targets[box]) - 1, filled, widest)
    return layers


def _lowered(layer: int, lowest: int, filled: dict[int, int], widest: int) -> int:
    """A layer nearer to what a box leads to, where there is room."""
    for other in range(lowest, layer, -1):
        if filled[other] < widest:
            filled[layer] -= 1
            filled[other] += 1
            return other
    return layer


def _points(rows: _Rows, lines: Sequence[Line]) -> tuple[dict[int, list[int]], list[int]]:
    """Adds the trunk of each box, and the point of each line's label; gives both."""
    by_source: dict[int, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        by_source[line.source].append(number)
    trunks: dict[int, list[int]] = {}
    labels = [0] * len(lines)
    for source, numbers in by_source.items():
        longest = max(rows.row[lines[number].target] for number in numbers)
        trunk = [source]
        for row in range(rows.row[source] + 1, longest - 1):
            trunk.append(rows.add(row, _TRUNK_WIDTH, is_box=False))
            rows.connect(trunk[-2], trunk[-1])
        for number in numbers:
            target = lines[number].target
            labels[number] = rows.add(rows.row[target] - 1, max(lines[number].label_width, _TRUNK_WIDTH), is_box=False)
            rows.connect(trunk[rows.row[target] - 2 - rows.row[source]], labels[number])
            rows.connect(labels[number], target)
        trunks[source] = trunk[1:]
    return trunks, labels


def _ordered(rows: _Rows) -> list[list[int]]:
    """The items of each row from left to right, with few crossings (by barycenters, the best of some sweeps)."""
    order: list[list[int]] = [[] for _ in range(max(rows.row, default=-1) + 1)]
    for item, row in enumerate(rows.row):
        order[row].append(item)
    best, fewest = [list(row) for row in order], _crossings(rows, order)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        _sweep(order, rows.above if down else rows.below, down=down)
        crossings = _crossings(rows, order)
        if crossings < fewest:
            best, fewest = [list(row) for row in order], crossings
    return best


def _sweep(order: list[list[int]], neighbors: Mapping[int, list[int]], *, down: bool) -> None:
    place = {item: index for row in order for index, item in enumerate(row)}
    for row in order if down else reversed(order):
        center = {item: _mean([place[other] for other in neighbors.get(item, ())], place[item]) for item in row}
        row.sort(key=lambda item: center[item])  # used at once
        place.update((item, index) for index, item in enumerate(row))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else float(otherwise)


def _crossings(rows: _Rows, order: list[list[int]]) -> int:
    """How many pieces of edges cross, counted as inversions."""
    place = {item: index for row in order for index, item in enumerate(row)}
    total = 0
    for upper, lower in pairwise(order):
        ends = [place[end] for item in upper for end in sorted(rows.below.get(item, ()), key=place.__getitem__)]
        total += _inversions(ends, len(lower))
    return total


def _inversions(values: Sequence[int], size: int) -> int:
    """How many pairs stand in the wrong order (with a Fenwick tree).

    >>> _inversions([2, 0, 1], 3)
    2
    """
    tree = [0] * (size + 1)
    found = 0
    for seen, value in enumerate(values):
        smaller, index = 0, value + 1
        while index:
            smaller += tree[index]
            index &= index - 1
        found += seen - smaller
        index = value + 1
        while index <= size:
            tree[index] += 1
            index += index & -index
    return found


def _columns(rows: _Rows, order: list[list[int]]) -> list[float]:
    """The center of each item: near to its neighbors above and below, without overlap."""
    x = [0.0] * len(rows.row)
    for row in order:
        _place(rows, row, x, dict.fromkeys(row, 0.0))
    for number in range(_ROUNDS):
        both = number >= _ROUNDS - 8
        for row in order if number % 2 == 0 else reversed(order):
            wanted = {}
            for item in row:
                near = rows.above.get(item, []) if number % 2 == 0 else rows.below.get(item, [])
                if both or not near:
                    near = [*rows.above.get(item, []), *rows.below.get(item, [])]
                wanted[item] = _pulled(rows, item, near, x)
            _place(rows, row, x, wanted)
    return x


def _pulled(rows: _Rows, item: int, near: Sequence[int], x: Sequence[float]) -> float:
    """Where the neighbors of an item pull it; points of one trunk pull each other most."""
    weights = [1.0 if rows.is_box[item] or rows.is_box[other] else _STRAIGHT for other in near]
    total = sum(weights)
    return sum(weight * x[other] for weight, other in zip(weights, near, strict=True)) / total if total else x[item]


def _place(rows: _Rows, row: Sequence[int], x: list[float], wanted: Mapping[int, float]) -> None:
    """Places a row as near to the wanted centers as order and gaps allow: least squares, by pooling neighbors."""
    pools: list[tuple[float, float, int]] = []
    offset, offsets, before = 0.0, [], None
    for item in row:
        if before is not None:
            offset += (rows.width[before] + rows.width[item]) / 2 + _GAP
        offsets.append(offset)
        weight = 1.0 if rows.is_box[item] else 2.0
        pool = ((wanted[item] - offset) * weight, weight, 1)
        while pools and pools[-1][0] / pools[-1][1] >= pool[0] / pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
        before = item
    centers = [total / weight for total, weight, count in pools for _ in range(count)]
    for item, center, shift in zip(row, centers, offsets, strict=True):
        x[item] = center + shift


def _straighten(rows: _Rows, order: list[list[int]], x: list[float], points: Sequence[int]) -> None:
    """Gives the points of a trunk one column, for as many rows at a time as there is room."""
    run: list[int] = []
    low, high = -_FAR, _FAR
    for point in points:
        left, right = _room(rows, order[rows.row[point]], x, point)
        if run and max(low, left) > min(high, right):
            _align(x, run, low, high)
            run, low, high = [], -_FAR, _FAR
        run.append(point)
        low, high = max(low, left), min(high, right)
    _align(x, run, low, high)


def _align(x: list[float], run: Sequence[int], low: float, high: float) -> None:
    if run:
        column = min(max(sum(x[point] for point in run) / len(run), low), high)
        for point in run:
            x[point] = column


def _room(rows: _Rows, row: Sequence[int], x: Sequence[float], item: int) -> tuple[float, float]:
    """Between which columns an item may move without touching its neighbors."""
    index = row.index(item)
    low, high = -_FAR, _FAR
    if index:
        other = row[index - 1]
        low = x[other] + (rows.width[other] + rows.width[item]) / 2 + _GAP
    if index + 1 < len(row):
        other = row[index + 1]
        high = x[other] - (rows.width[other] + rows.width[item]) / 2 - _GAP
    return min(low, x[item]), max(high, x[item])


def _bands(rows: _Rows, order: list[list[int]], boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """The upper and lower border of each row."""
    found: list[tuple[float, float]] = []
    top = 0.0
    for number, row in enumerate(order):
        height = max((boxes[item].height for item in row if rows.is_box[item]), default=0.0)
        if number % 2:
            height = _LABEL_HEIGHT
        found.append((top, top + height))
        top += height + _ROW_GAP
    return found
