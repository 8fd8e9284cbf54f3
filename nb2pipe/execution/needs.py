"""The artifacts that a step took and left: all that its record names, and the large memory of its variables."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.execution.recall import outputs_of
from nb2pipe.serializers.groups import Group, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.execution.model import StepCall
    from nb2pipe.records.model import RunRecord, StepRecord
    from nb2pipe.store.base import Store


@dataclass(frozen=True, slots=True)
class Needs:
    """What runs and steps need; each group is read once."""

    store: Store
    known: dict[Digest, tuple[Digest, ...]] = field(default_factory=dict)

    def of_run(self, record: RunRecord) -> Iterator[Digest]:
        """All that a run needs: what its steps took and left, and the files of its checkpoints."""
        for step in record.steps:
            yield from self.of_step(step)
        yield from (Digest(each.sha256) for each in record.checkpoints)

    def of_step(self, step: StepRecord) -> Iterator[Digest]:
        """What a step took and left."""
        yield from self.left_by(step)
        for group in step.inputs:
            yield from self._group(Group(names=group.names, digest=Digest(group.digest)))
        for digest in step.state_used.values():
            yield from self._state(Digest(digest))

    def left_by(self, step: StepRecord) -> Iterator[Digest]:
        """What a step left: variables, hidden state, files."""
        for group in outputs_of(step):
            yield from self._group(group)
        for digest in step.state.values():
            yield from self._state(Digest(digest))
        yield from (Digest(file.sha256) for file in (step.trace.writes.values() if step.trace else ()) if file.kept)

    def taken_by(self, call: StepCall) -> Iterator[Digest]:
        """What a step is given."""
        for group in call.inputs:
            yield from self._group(group)
        for digest in call.state.values():
            yield from self._state(Digest(digest))

    def _group(self, group: Group) -> tuple[Digest, ...]:
        if group.digest not in self.known:
            found: tuple[Digest, ...] = ()
            try:
                found = leaves(group, store=self.store)
            except StoreError:
                if self.store.has(group.digest):  # a newer version wrote it: what it needs is not known
                    raise
            self.known[group.digest] = (group.digest, *found)
        return self.known[group.digest]

    def _state(self, digest: Digest) -> tuple[Digest, ...]:
        """Some hidden state is stored as a group, the rest as bytes that only its library can read."""
        with suppress(StoreError):
            return self._group(Group(names=(), digest=digest))
        self.known[digest] = (digest,)
        return self.known[digest]
