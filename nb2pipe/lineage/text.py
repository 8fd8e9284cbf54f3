"""A lineage for people: what was asked for, the runs and steps that it leads through, and what stands at its ends."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from nb2pipe.lineage.model import FILES, EdgeKind, NodeKind, made, used
from nb2pipe.lineage.nodes import step_id
from nb2pipe.records.files import DIFFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from nb2pipe.lineage.model import Lineage, Node
    from nb2pipe.records.model import RunRecord, StepRecord

_FLOWS = (*FILES, NodeKind.DATA, NodeKind.ARTIFACT)
_MANY = 6
_ALIKE = 3
"""Further names of one content that are shown."""


def to_text(
    lineage: Lineage,
    shown: Callable[[str], str] = str,
    code: Callable[[RunRecord, StepRecord], Mapping[int, str]] = lambda *_: {},
) -> str:
    """A lineage as text.

    Args:
        lineage: The lineage.
        shown: A path as people are shown it.
        code: The texts of a step's cells by their positions, as far as they are to be shown.
    """
    flows = _Flows(used(lineage), made(lineage), shown, code)
    return "\n".join(_lines(lineage, flows))


def _lines(lineage: Lineage, flows: _Flows) -> Iterator[str]:
    shown = flows.shown
    for start in lineage.start:
        node = lineage.nodes[start]
        yield f"{_name(node, shown)} ({', '.join((node.kind, *_when(node)))})"
        yield f"  sha256  {node.sha256}"
    if not lineage.runs:
        yield "  no step made it: it came from outside" if not lineage.forward else "  no step used it"
    for run in _ordered(lineage):
        yield ""
        yield from _run(lineage, run, flows)
    yield from _ends(lineage, shown)


@dataclass(frozen=True, slots=True)
class _Flows:
    """What steps used and made, by their ids, and how paths and code are shown."""

    used: Mapping[str, Sequence[Node]]
    made: Mapping[str, Sequence[Node]]
    shown: Callable[[str], str]
    code: Callable[[RunRecord, StepRecord], Mapping[int, str]]


def _ordered(lineage: Lineage) -> list[RunRecord]:
    """The runs: back from the newest, forward from the oldest."""
    return sorted(lineage.runs.values(), key=lambda run: (run.started, run.run), reverse=not lineage.forward)


def _run(lineage: Lineage, run: RunRecord, flows: _Flows) -> Iterator[str]:
    who = " on ".join(filter(None, (run.user, run.machine.host)))
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started))
    yield ", ".join(filter(None, (f"run {run.run}", run.name, when, who, run.status.value)))
    yield f"  notebook  {flows.shown(run.notebook)}"
    if run.git is not None and run.git.commit is not None:
        yield f"  commit    {run.git.commit}{f' on {run.git.branch}' if run.git.branch else ''}{_changes(lineage, run)}"
    yield f"  python    {run.python}, {len(run.packages)} packages"
    steps = [step for step in run.steps if step_id(run.run, step.name) in lineage.nodes]
    for step in steps if lineage.forward else reversed(steps):
        yield from _step(step_id(run.run, step.name), step, flows, forward=lineage.forward)
        for cell, text in flows.code(run, step).items():
            yield f"    cell {cell}:"
            yield from (f"      {line}".rstrip() for line in text.splitlines())


def _changes(lineage: Lineage, run: RunRecord) -> str:
    """How what ran differs from the commit."""
    kept = any(node.run == run.run for node in lineage.of_kind(NodeKind.DIFFERENCE))
    changes = f", with changes: {DIFFERENCE} in the run's folder" if kept else ""
    untracked = run.git.untracked if run.git is not None else ()
    return f"{changes}; not in git: {_some(untracked)}" if untracked else changes


def _step(own: str, step: StepRecord, flows: _Flows, *, forward: bool) -> Iterator[str]:
    who = " on ".join(filter(None, (step.user, step.host)))
    status = f"{step.status} from {step.source}" if step.source else str(step.status)
    cells = ", ".join(map(str, step.cells))
    yield f"  step {step.name}  {', '.join(filter(None, (f'cells {cells}' if cells else '', status, who)))}"
    taken = flows.used[own]
    rows = (
        ("made", [_name(node, flows.shown) for node in flows.made[own] if node.kind in _FLOWS]),
        ("used", [_name(node, flows.shown) for node in taken if node.kind in _FLOWS]),
        ("with", [f"{node.name}={node.facts.get('value')!r}" for node in taken if node.kind is NodeKind.PARAMETER]),
        ("code", [flows.shown(node.name) for node in taken if node.kind is NodeKind.MODULE]),
        ("note", list(step.trace.reasons) if step.trace else []),
    )
    for word, names in rows if not forward else (rows[1], rows[0], *rows[2:]):
        if names:
            yield f"    {word}  {_some(names)}"


def _some(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    rest = len(names) - _MANY
    return ", ".join(names[:_MANY]) + (f" and {rest} more" if rest > 0 else "")


def _ends(lineage: Lineage, shown: Callable[[str], str]) -> Iterator[str]:
    """Where the lineage ends, with each SHA-256 as `sha256sum` prints it."""
    if not lineage.forward:
        yield from _digests("data", lineage.of_kind(NodeKind.DATA), shown)
        yield from _digests("modules", lineage.of_kind(NodeKind.MODULE), shown)
        return
    ends = {edge.target for edge in lineage.edges if edge.kind is EdgeKind.MADE}
    nodes = [node for node in lineage.nodes.values() if node.id in ends]
    yield from _digests("files made from it", [node for node in nodes if node.kind in FILES], shown)
    yield from _digests("artifacts made from it", [node for node in nodes if node.kind is NodeKind.ARTIFACT], shown)


def _digests(title: str, nodes: Iterable[Node], shown: Callable[[str], str]) -> Iterator[str]:
    lines = sorted(
        (shown(name) if node.kind is not NodeKind.ARTIFACT else f"{name} ({node.run})", f"{node.sha256}  ")
        for node in nodes
        if node.sha256  # a value that was never stored has none
        for name in (node.name, *_others(node))
    )
    if lines:
        yield f"\n{title}:"
        for name, group in groupby(lines, key=lambda line: line[0]):
            for _, digest in group:
                yield digest + name


def _others(node: Node) -> list[str]:
    found = node.facts.get("names", [])
    return [str(name) for name in found] if isinstance(found, list) else []


def _name(node: Node, shown: Callable[[str], str]) -> str:
    if node.kind is NodeKind.ARTIFACT:
        return node.name
    name = " = ".join(map(shown, (node.name, *_others(node)[:_ALIKE])))
    sets = node.facts.get("data_sets")
    return f"{name} ({', '.join(map(str, sets))})" if isinstance(sets, list) and sets != [node.name] else name


def _when(node: Node) -> Iterator[str]:
    """When a checkpoint was saved, as far as that is known."""
    for word, fact in (("step", "training_step"), ("epoch", "epoch")):
        if node.facts.get(fact) is not None:
            yield f"{word} {node.facts[fact]}"
