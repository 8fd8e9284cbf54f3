"""A lineage as a picture, in SVG and in Mermaid's language: files, artifacts and steps, and what leads to what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.lineage.model import Edge, EdgeKind, Lineage, Node, NodeKind, used
from nb2pipe.pipeline.drawing import Arrow, Card, draw
from nb2pipe.pipeline.render_mermaid import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DRAWN = frozenset(
    {NodeKind.DATA, NodeKind.FILE, NodeKind.CHECKPOINT, NodeKind.MODEL, NodeKind.ARTIFACT, NodeKind.STEP}
)
"""Kinds that get a box; parameters and the commit stand in the boxes of steps, the rest in the other formats."""

_APART = frozenset({NodeKind.ARTIFACT, NodeKind.STEP})
"""Kinds that are no files."""

_SHORT = 12
_MANY = 8
"""Files of one folder that each get a box; of more, all get one."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """Boxes in an order in which no line goes back, and the lines between them by their numbers."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int, EdgeKind], ...]


def to_svg(lineage: Lineage) -> str:
    """A lineage as an SVG picture."""
    picture = _picture(lineage)
    taken = used(lineage)
    cards = [_card(node, lineage, taken.get(node.id, ())) for node in picture.nodes]
    arrows = [
        Arrow(source=source, target=target, text=kind.value, kind=f"line{' order' if kind is EdgeKind.USED else ''}")
        for source, target, kind in picture.edges
    ]
    title = _title(lineage)
    return draw(title, title, cards, arrows)


def to_mermaid(lineage: Lineage) -> str:
    """A lineage in Mermaid's language."""
    return "\n".join(_mermaid(lineage)) + "\n"


def _mermaid(lineage: Lineage) -> Iterator[str]:
    picture = _picture(lineage)
    taken = used(lineage)
    yield "flowchart TD"
    for number, node in enumerate(picture.nodes):
        text = "<br/>".join(escaped(row) for row, _ in _rows(node, taken.get(node.id, ())))
        yield f'    n{number}["{text}"]' if node.kind is NodeKind.STEP else f'    n{number}(["{text}"])'
    for source, target, kind in picture.edges:
        yield f"    n{source} -->|{kind.value}| n{target}"


def _picture(lineage: Lineage) -> _Picture:
    drawn, places = _gathered(lineage)
    ends = ((places.get(edge.source), places.get(edge.target), edge.kind) for edge in lineage.edges)
    edges = list(dict.fromkeys(Edge(source=one, target=two, kind=kind) for one, two, kind in ends if one and two))
    order = _order(list(drawn), edges)
    numbers = {key: number for number, key in enumerate(order)}
    forward = [edge for edge in edges if numbers[edge.source] < numbers[edge.target]]
    return _Picture(
        tuple(drawn[key] for key in order),
        tuple((numbers[edge.source], numbers[edge.target], edge.kind) for edge in forward),
    )


def _gathered(lineage: Lineage) -> tuple[dict[str, Node], dict[str, str]]:
    """The nodes that get boxes, and the box of each node: many files of a folder that one step took or left get one."""
    around: dict[str, set[str]] = defaultdict(set)
    for edge in lineage.edges:
        around[edge.source].add(edge.target)
        around[edge.target].add(edge.source)
    alike: dict[object, list[Node]] = defaultdict(list)
    for node in lineage.nodes.values():
        if node.kind in _DRAWN:
            apart = node.kind in _APART or node.id in lineage.start
            place = (node.kind, str(Path(node.name).parent), frozenset(around[node.id]))
            alike[node.id if apart else place].append(node)
    drawn: dict[str, Node] = {}
    places: dict[str, str] = {}
    for nodes in alike.values():
        for node in [_folder(nodes)] if len(nodes) > _MANY else nodes:
            drawn[node.id] = node
        places |= {node.id: nodes[0].id if len(nodes) > _MANY else node.id for node in nodes}
    return drawn, places


def _folder(nodes: Sequence[Node]) -> Node:
    """What stands for many files of a folder."""
    first = nodes[0]
    return Node(id=first.id, kind=first.kind, name=f"{Path(first.name).parent}/", facts={"files": len(nodes)})


def _order(keys: list[str], edges: list[Edge]) -> list[str]:
    """An order in which lines go forward; content that comes back as it was closes a circle, which is cut."""
    before: dict[str, set[str]] = {key: set() for key in keys}
    for edge in edges:
        before[edge.target].add(edge.source)
    while True:
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            circle = error.args[1]
            before[circle[1]].discard(circle[0])


def _card(node: Node, lineage: Lineage, taken: Sequence[Node]) -> Card:
    kind = "step" if node.kind is NodeKind.STEP else "step made"
    more = [f"sha256 {node.sha256}"] if node.sha256 else []
    return Card(rows=_rows(node, taken), more=tuple(more), kind=kind, double=node.id in lineage.start)


def _rows(node: Node, taken: Sequence[Node]) -> tuple[tuple[str, str], ...]:
    if node.kind is not NodeKind.STEP:
        name = node.name if node.kind is NodeKind.ARTIFACT else Path(node.name).name
        if "files" in node.facts:
            return ((f"{name}/", "name"), (f"{node.facts['files']} {node.kind.value} files", "cells"))
        return ((name or node.kind.value, "name"), (f"{node.kind.value} {(node.sha256 or '')[:_SHORT]}", "cells"))
    rows = [(str(node.facts["step"]), "name"), (str(node.run), "cells")]
    cells = node.facts.get("cells")
    if isinstance(cells, list) and cells:
        rows.append((f"cells {', '.join(map(str, cells))}", "cells"))
    parameters = [f"{each.name}={each.facts.get('value')!r}" for each in taken if each.kind is NodeKind.PARAMETER]
    if parameters:
        rows.append((", ".join(parameters), "parameters"))
    commits = [each.name[:_SHORT] for each in taken if each.kind is NodeKind.COMMIT]
    return (*rows, *((f"commit {commit}", "cells") for commit in commits))


def _title(lineage: Lineage) -> str:
    names = ", ".join(Path(lineage.nodes[start].name).name for start in lineage.start)
    return f"made from {names}" if lineage.forward else f"lineage of {names}"
