"""What an earlier part of a run left: finished steps whose key still holds need not run again."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.execution.drive import Recalled
from nb2pipe.execution.keys import GENERATORS
from nb2pipe.execution.model import Completed
from nb2pipe.execution.traces import Own, written_by_text
from nb2pipe.records.events import StepStatus
from nb2pipe.records.files import step_path, write_atomically
from nb2pipe.serializers.groups import Group, leaves

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.execution.model import StepCall
    from nb2pipe.execution.traces import Traces
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.model import RunRecord, StepRecord
    from nb2pipe.store.base import Store


@dataclass(frozen=True, kw_only=True)
class Recall:
    """Finds what a step made before.

    Attributes:
        record: The earlier part of the run, or None.
        folder: The run's folder.
        work: The steps of the run.
    """

    record: RunRecord | None
    store: Store
    folder: Path
    work: Work
    traces: Traces

    def __call__(self, unit: Unit, call: StepCall) -> Recalled | None:
        """The results of a step, if they still hold and are all there."""
        step = self._find(unit.name)
        if step is None or not step.finished or step.key != call.key or not drew_alike(step, call):
            return None
        if not has_all(step, self.store) or not renumbered(step_path(self.folder, unit.name, ".ipynb"), unit):
            return None
        if not self._is_as_it_was(step, call):
            return None
        done = Completed(
            outputs=outputs_of(step),
            state=step.state,
            metrics=step.metrics,
            types=step.types,
            trace=step.trace,
            summaries=step.summaries,
        )
        return Recalled(done=done, seconds=step.seconds, reused=step.status is StepStatus.REUSED)

    def _is_as_it_was(self, step: StepRecord, call: StepCall) -> bool:
        """Whether nobody changed what the step read; the files that it left are put back."""
        if step.trace is None:
            return True
        if self.traces.difference_within(step.trace, call, self._own) is not None:
            return False
        return self.traces.bring_back(step.trace)

    @cached_property
    def _own(self) -> Own:
        """What the steps of this run did to files so far."""
        left: dict[str, set[str]] = defaultdict(set)
        perhaps: set[str] = set()
        for step in self.record.steps if self.record else ():
            for path, file in step.trace.writes.items() if step.trace else ():
                left[path].add(file.sha256)
            if step.attempt and not step.finished and step.name in self.work.by_name:
                perhaps |= written_by_text(self.work.by_name[step.name])
        return Own(left={path: frozenset(digests) for path, digests in left.items()}, perhaps=frozenset(perhaps))

    def _find(self, name: str) -> StepRecord | None:
        steps = self.record.steps if self.record else ()
        return next((step for step in steps if step.name == name), None)


def outputs_of(step: StepRecord) -> tuple[Group, ...]:
    """The groups that a step left."""
    return tuple(Group(names=group.names, digest=Digest(group.digest)) for group in step.outputs)


def has_all(step: StepRecord, store: Store) -> bool:
    """Whether the store still holds what a step made, undamaged, the large memory of its variables included."""
    outputs = outputs_of(step)
    digests = [*(Digest(digest) for digest in step.state.values()), *(group.digest for group in outputs)]
    if not all(map(store.holds, digests)):
        return False
    try:
        return all(store.holds(leaf) for group in outputs for leaf in leaves(group, store=store))
    except StoreError:
        return False


def drew_alike(step: StepRecord, call: StepCall) -> bool:
    """Whether the generators that the step turned out to draw from, seen in its text or not, begin as they did."""
    return all(step.state_used.get(kind) == call.state.get(kind) for kind in GENERATORS & step.state.keys())


def renumbered(path: Path, unit: Unit) -> bool:
    """Gives the cells of a kept step notebook the positions that they have in the notebook now.

    Equal code has equal cells in equal order, but other cells may have come or gone between them. Where there is no
    step notebook there is nothing to do; one that does not fit is of no use, and the step runs again.
    """
    if not path.exists():
        return True
    try:
        content = json.loads(path.read_bytes())
        ours = [cell["metadata"].get("nb2pipe", {}) for cell in content["cells"]]
        places = [place for place in ours if "cell" in place]
        wanted = [block.cell for block in unit.step.blocks]
        if [place["cell"] for place in places] == wanted:
            return True
        if len(places) != len(wanted):
            return False
        for place, position in zip(places, wanted, strict=True):
            place["cell"] = position
        write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True
