"""From some content back to what it came from, or forward to what was made from it.

Within a run, what a step used is what the last earlier step of that run made of the same content. Only where no step
of the run made it, it came from another run, or from outside. So runs that only happen to make equal variables have
nothing to do with each other. Each run that stands in the lineage is read once, and no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError
from nb2pipe.lineage.model import Edge, EdgeKind, Lineage, Node, NodeKind
from nb2pipe.lineage.nodes import around, content, content_id, step_id, step_node
from nb2pipe.lineage.unfinished import with_seen
from nb2pipe.records.files import RunRecord, read_run
from nb2pipe.records.index import RUNS
from nb2pipe.records.links import EMPTY, is_outer, made_by, used_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nb2pipe.records.links import Links
    from nb2pipe.records.model import StepRecord


@dataclass(frozen=True, slots=True)
class _Run:
    """A run: its record, and which of its steps made and used what, by their places."""

    record: RunRecord
    steps: dict[str, int]
    made: dict[str, list[int]]
    used: dict[str, list[int]]

    def maker(self, sha256: str, step: str) -> str | None:
        """The last step before another one that made some content."""
        own = self.steps.get(step, len(self.record.steps))
        places = [place for place in self.made.get(sha256, ()) if place < own]
        return self.record.steps[places[-1]].name if places else None


@dataclass(slots=True)
class Walk:
    """Goes through runs, and keeps what it finds.

    Attributes:
        home: The folder `.nb2pipe`, or a copy of a store's records that is laid out so.
        links: Its index.
    """

    home: Path
    links: Links
    _runs: dict[str, _Run | None] = field(default_factory=dict)
    _nodes: dict[str, Node] = field(default_factory=dict)
    _edges: dict[Edge, None] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _forward_only: bool = False

    def back(self, digests: Sequence[str]) -> Lineage:
        """All that some content came from."""
        waiting: list[tuple[str, str]] = []
        for sha256 in digests:
            waiting += self._begin(sha256)
        while waiting:
            run, step = waiting.pop()
            waiting += self._back(run, step)
        return self._found(digests, forward=False)

    def forward(self, digests: Sequence[str]) -> Lineage:
        """All that was made from some content."""
        self._forward_only = True
        waiting: list[tuple[str, str]] = []
        for sha256 in digests:
            self._begin(sha256)
            waiting += [(link.run, link.step) for link in reversed(self.links.used(sha256))]
        asked = set(digests)
        while waiting:
            run, step = waiting.pop()
            waiting += self._forward(run, step, asked)
        self._link_used()
        return self._found(digests, forward=True)

    def _found(self, digests: Sequence[str], *, forward: bool) -> Lineage:
        for name, step in sorted(self._seen):
            self._describe(self._record(name, step))
        visited = {name for name, _ in self._seen}
        return Lineage(
            start=tuple(map(content_id, digests)),
            forward=forward,
            nodes=self._nodes,
            edges=tuple(self._edges),
            runs={name: run.record for name, run in self._runs.items() if run and name in visited},
        )

    # -- back

    def _begin(self, sha256: str) -> list[tuple[str, str]]:
        """The content that was asked for, and the step that made it, if one did."""
        link = self.links.maker(sha256)
        if link is None:
            used = self.links.used(sha256)
            kind, name = (used[0].kind, used[0].name) if used else ("file", "")
            self._add(content(sha256, kind, name, None))
            return []
        self._add(content(sha256, link.kind, link.name, link.run))
        return [(link.run, link.step)]

    def _back(self, name: str, step: str) -> Iterator[tuple[str, str]]:
        run, record = self._visit(name, step)
        if run is None or record is None:
            return
        self._add_made(run, record)
        for sha256, _, kind, path in used_by(record):
            maker = self._maker(run, record, sha256, path)
            # The folder of a file, or a variable, may have another name where it was made: that one is shown.
            self._add(content(sha256, kind, path, maker[0] if maker else None))
            self._link(content_id(sha256), step_id(name, step), EdgeKind.USED)
            if maker is not None:
                yield maker

    def _maker(self, run: _Run, step: StepRecord, sha256: str, path: str) -> tuple[str, str] | None:
        """The step that made what another one used."""
        own = run.maker(sha256, step.name)
        if own is not None:
            return run.record.run, own
        if sha256 == EMPTY:
            return None
        before = step.started or run.record.started
        link = self.links.maker(sha256, before=before, apart=run.record.run, path=path)
        return (link.run, link.step) if link else None

    # -- forward

    def _forward(self, name: str, step: str, asked: set[str]) -> Iterator[tuple[str, str]]:
        run, record = self._visit(name, step)
        if run is None or record is None:
            return
        for sha256 in self._add_made(run, record):
            yield from self._users_within(run, record, sha256)
            if sha256 not in asked and sha256 != EMPTY:
                asked.add(sha256)
                yield from self._users_elsewhere(run, sha256)

    def _users_within(self, run: _Run, maker: StepRecord, sha256: str) -> Iterator[tuple[str, str]]:
        for place in run.used.get(sha256, ()):
            later = run.record.steps[place].name
            if place > run.steps[maker.name] and run.maker(sha256, later) == maker.name:
                yield run.record.run, later

    def _users_elsewhere(self, run: _Run, sha256: str) -> Iterator[tuple[str, str]]:
        """The steps of other runs that used what this one made, and no step of their own."""
        for link in self.links.used(sha256, since=run.record.started):
            if link.run == run.record.run:
                continue
            other = self._read(link.run)
            if other is not None and other.maker(sha256, link.step) is None:
                yield link.run, link.step

    def _link_used(self) -> None:
        """Edges from what stands in the lineage to the steps in it that used it; what else they used stands apart."""
        for name, step in sorted(self._seen):
            for sha256, *_ in used_by(self._record(name, step)):
                if content_id(sha256) in self._nodes:
                    self._link(content_id(sha256), step_id(name, step), EdgeKind.USED)

    # -- what is kept

    def _record(self, name: str, step: str) -> StepRecord:
        """The record of a step that was visited."""
        run = self._read(name)
        assert run is not None
        return run.record.steps[run.steps[step]]

    def _describe(self, step: StepRecord) -> None:
        """Adds to content what only a step's record tells of it: a data set's name, when a checkpoint was saved."""
        for file in step.data:
            if file.name is not None and (node := self._nodes.get(content_id(file.sha256))) is not None:
                told = node.facts.get("data_sets", [])
                assert isinstance(told, list)
                self._tell_of(node, {"data_sets": list(dict.fromkeys((*told, file.name)))})
        for saved in step.checkpoints:
            if (node := self._nodes.get(content_id(saved.sha256))) is not None:
                self._tell_of(node, {"training_step": saved.step, "epoch": saved.epoch})

    def _tell_of(self, node: Node, facts: dict[str, object]) -> None:
        self._nodes[node.id] = replace(node, facts={**node.facts, **facts})

    def _visit(self, name: str, step: str) -> tuple[_Run | None, StepRecord | None]:
        """A step that has not been visited yet, with what it used beside data; nothing where it has."""
        run = self._read(name)
        if (name, step) in self._seen or run is None or step not in run.steps:
            return None, None
        self._seen.add((name, step))
        record = run.record.steps[run.steps[step]]
        self._add(step_node(run.record, record))
        for node in around(run.record, record, self.home / RUNS / name):
            self._add(node)
            self._link(node.id, step_id(name, step), EdgeKind.USED)
        return run, record

    def _add_made(self, run: _Run, step: StepRecord) -> list[str]:
        """What a step made, as nodes and edges; its digests."""
        digests = []
        for sha256, _, kind, name in made_by(step):
            self._add(content(sha256, kind, name, run.record.run))
            self._link(step_id(run.record.run, step.name), content_id(sha256), EdgeKind.MADE)
            digests.append(sha256)
        return digests

    def _add(self, node: Node) -> None:
        """Adds a node; of content that came from outside and was copied, `_outer` tells which of both it is."""
        known = self._nodes.get(node.id)
        if known is None:
            self._nodes[node.id] = node
        elif known.kind is not NodeKind.STEP:
            first, second = (node, known) if self._is_rather(node, known) else (known, node)
            self._nodes[node.id] = _merged(first, second)

    def _is_rather(self, node: Node, known: Node) -> bool:
        """Whether content is rather what a node says: back, what came from outside; forward, what was made."""
        if NodeKind.DATA not in {node.kind, known.kind} or node.kind is known.kind:
            return False
        return (node.kind is NodeKind.DATA) is not self._forward_only

    def _link(self, source: str, target: str, kind: EdgeKind) -> None:
        self._edges[Edge(source=source, target=target, kind=kind)] = None

    def _read(self, name: str) -> _Run | None:
        """A run, read once; None for one that was deleted or is damaged."""
        if name not in self._runs:
            try:
                self._runs[name] = _run(with_seen(self.home, read_run(self.home / RUNS / name)))
            except RecordsError:
                self._runs[name] = None
        return self._runs[name]


def _merged(first: Node, second: Node) -> Node:
    """A node that is told twice, with the names and facts of both."""
    names = [*_names(first), *_names(second), second.name]
    others = list(dict.fromkeys(name for name in names if name != first.name))
    facts = {**second.facts, **first.facts, **({"names": others} if others else {})}
    return replace(first, facts=facts)


def _names(node: Node) -> list[str]:
    found = node.facts.get("names", [])
    assert isinstance(found, list)
    return found


def _run(record: RunRecord) -> _Run:
    made: dict[str, list[int]] = {}
    used: dict[str, list[int]] = {}
    for place, step in enumerate(record.steps):
        if not is_outer(step.name, record):
            for sha256 in {each for each, *_ in made_by(step)}:
                made.setdefault(sha256, []).append(place)
            for sha256 in {each for each, *_ in used_by(step)}:
                used.setdefault(sha256, []).append(place)
    return _Run(record, {step.name: place for place, step in enumerate(record.steps)}, made, used)
