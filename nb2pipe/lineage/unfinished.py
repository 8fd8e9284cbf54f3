"""What a step that still runs, or was killed with its run, was seen to read: its processes left that behind."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.records.events import StepStatus
from nb2pipe.records.file_digests import FileDigests
from nb2pipe.records.files import step_path
from nb2pipe.records.index import RUNS
from nb2pipe.records.model import StepTrace
from nb2pipe.runtime.observing.contents import contents_read
from nb2pipe.runtime.observing.seen import left_in

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.records.model import RunRecord, StepRecord

_OPEN = frozenset({StepStatus.RUNNING, StepStatus.INTERRUPTED})


def with_seen(home: Path, record: RunRecord) -> RunRecord:
    """A run, its steps that have no end with the files that they were seen to read and that did not change since.

    Args:
        home: The folder `.nb2pipe`.
        record: The run.
    """
    if all(step.status not in _OPEN or step.trace is not None for step in record.steps):
        return record
    return replace(record, steps=tuple(_step(home, record, step) for step in record.steps))


def _step(home: Path, record: RunRecord, step: StepRecord) -> StepRecord:
    if step.status not in _OPEN or step.trace is not None:
        return step
    path = step_path(home / RUNS / record.run, step.name)
    pattern = re.compile(rf"\.step-{re.escape(path.stem)}-\w+")
    folders = path.parent.iterdir() if path.parent.is_dir() else ()
    for folder in filter(lambda each: pattern.fullmatch(each.name), folders):
        told = left_in(str(folder))
        if told:
            reads, changed = contents_read(told, FileDigests(home / "files.db").of)
            kept = {each: digest for each, digest in reads.items() if each not in changed}
            return replace(step, trace=StepTrace(reads=kept, reasons=tuple(told["reasons"])))
    return step
