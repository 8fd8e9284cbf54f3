"""Where jobs of SageMaker take their values from: a job has ten inputs at most, and a step may need more.

Some jobs then carry on what they were given, in the same folder as what they make; and where more than ten branches
meet, jobs that do nothing else gather them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nb2pipe.targets.jobs import Job

MOST: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A job, or one that only gathers.

    Attributes:
        name: The job's; of one that gathers, a name that no job has.
        inputs: The nodes whose folders it takes, in an order in which they can run.
        carries: What it was given stands in its own folder, too.
        holds: The jobs whose values are in its folder.
        gates: The jobs whose gates have to hold, so that it is started; empty where it is started always.
        job: None for one that gathers.
    """

    name: str
    inputs: tuple[str, ...] = ()
    carries: bool = False
    holds: frozenset[str] = frozenset()
    gates: tuple[str, ...] = ()
    job: Job | None = None


def layout_of(jobs: Sequence[Job]) -> tuple[Node, ...]:
    """The nodes of a pipeline, in an order in which they can run.

    Args:
        jobs: In notebook order.
    """
    nodes: dict[str, Node] = {}
    for job in jobs:
        inputs = _inputs(job.needs, nodes, {each.name: each for each in jobs})
        while len(inputs) > MOST:
            inputs = _gathered(inputs, nodes, job.conditions)
        held = frozenset([job.name])
        nodes[job.name] = Node(name=job.name, inputs=inputs, holds=held, gates=job.conditions, job=job)
    return tuple(nodes.values())


def _inputs(needs: Sequence[str], nodes: dict[str, Node], jobs: Mapping[str, Job]) -> tuple[str, ...]:
    """The nodes that hold all that is needed; some of them carry from now on, where that takes fewer."""
    found = _cover(needs, needs, nodes)
    if len(found) <= MOST:
        return found
    above = {each for name in needs for each in jobs[name].needs}
    last = [name for name in needs if name not in above]
    for name in last:
        held = frozenset([name]).union(*(nodes[each].holds for each in nodes[name].inputs))
        nodes[name] = replace(nodes[name], carries=bool(nodes[name].inputs), holds=held)
    return _cover(needs, last, nodes)


def _cover(needs: Sequence[str], begin: Collection[str], nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """Nodes that together hold what is needed: those to begin with, then the latest of what is missing."""
    chosen: list[str] = []
    held: set[str] = set()
    for name in [*(each for each in reversed(needs) if each in begin), *reversed(needs)]:
        if name not in held:
            chosen.append(name)
            held |= nodes[name].holds
    return _in_order(chosen, nodes)


def _gathered(inputs: Sequence[str], nodes: dict[str, Node], gates: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs, the first ten of them by way of one node; others that want the same ten take the same node."""
    first, rest = tuple(inputs[:MOST]), inputs[MOST:]
    gathering = [node for node in nodes.values() if node.job is None]
    known = next((node.name for node in gathering if (node.inputs, node.gates) == (first, gates)), None)
    name = known or f"gather {len(gathering) + 1}"
    if known is None:
        held = frozenset[str]().union(*(nodes[each].holds for each in first))
        nodes[name] = Node(name=name, inputs=first, carries=True, holds=held, gates=gates)
    return (*rest, name)


def _in_order(names: Iterable[str], nodes: Mapping[str, Node]) -> tuple[str, ...]:
    places = {name: place for place, name in enumerate(nodes)}
    return tuple(sorted(names, key=places.__getitem__))
