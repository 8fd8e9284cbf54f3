"""A lineage: entities, steps, and which used and made which (after W3C PROV: entity, activity, used, generated)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.records.model import RunRecord

SCHEMA = 1

Json = dict[str, object]


class NodeKind(StrEnum):
    """What stands in a lineage; all but `step` are entities."""

    DATA = "data"
    FILE = "file"
    CHECKPOINT = "checkpoint"
    MODEL = "model"
    ARTIFACT = "artifact"
    STATE = "state"
    STEP = "step"
    CELL = "cell"
    MODULE = "module"
    PARAMETER = "parameter"
    COMMIT = "commit"
    DIFFERENCE = "difference"
    ENVIRONMENT = "environment"


FILES = frozenset({NodeKind.FILE, NodeKind.CHECKPOINT, NodeKind.MODEL})
"""What steps left as files."""


class EdgeKind(StrEnum):
    """How a step stands to an entity."""

    USED = "used"
    MADE = "made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An entity, or a step.

    Attributes:
        id: The same for the same content: `sha256:...` where there is some.
        sha256: Of the content, as `sha256sum` prints it for a file; of an artifact as the store names it.
        run: The run that made it, or that it belongs to; None for what came from outside.
        name: For people: a path, the names of variables, the step.
        facts: What else is known of it, as JSON.
    """

    id: str
    kind: NodeKind
    sha256: str | None = None
    run: str | None = None
    name: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From what was used to the step, from the step to what it made: in the direction in which data flow."""

    source: str
    target: str
    kind: EdgeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """A lineage, from where it was asked for.

    Attributes:
        start: The ids of what was asked for.
        forward: It tells what was made from that; else what that came from.
        nodes: By id, in the order in which they were found.
        edges: In the order in which they were found.
        runs: The records of the runs that stand in it, in that order too.
    """

    start: tuple[str, ...]
    forward: bool
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    runs: Mapping[str, RunRecord]

    def of_kind(self, *kinds: NodeKind) -> list[Node]:
        """The nodes of some kinds."""
        return [node for node in self.nodes.values() if node.kind in kinds]


def used(lineage: Lineage) -> dict[str, list[Node]]:
    """What each step used, by the step's id."""
    found: dict[str, list[Node]] = {node.id: [] for node in lineage.of_kind(NodeKind.STEP)}
    for edge in lineage.edges:
        if edge.kind is EdgeKind.USED:
            found[edge.target].append(lineage.nodes[edge.source])
    return found


def made(lineage: Lineage) -> dict[str, list[Node]]:
    """What each step made, by the step's id."""
    found: dict[str, list[Node]] = {node.id: [] for node in lineage.of_kind(NodeKind.STEP)}
    for edge in lineage.edges:
        if edge.kind is EdgeKind.MADE:
            found[edge.source].append(lineage.nodes[edge.target])
    return found


def to_json(lineage: Lineage) -> Json:
    """A lineage as `nb2pipe lineage --format json` prints it."""
    return {
        "schema": SCHEMA,
        "start": list(lineage.start),
        "direction": "forward" if lineage.forward else "back",
        "nodes": [
            {"id": node.id, "kind": node.kind.value, "sha256": node.sha256, "run": node.run, "name": node.name}
            | dict(node.facts)
            for node in lineage.nodes.values()
        ],
        "edges": [{"source": edge.source, "target": edge.target, "kind": edge.kind.value} for edge in lineage.edges],
    }
