"""Versions of data sets: which files steps read and made, by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.model import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.records.model import StepRecord

_CODE = (".py", ".pyi")


def data_of(steps: Iterable[StepRecord]) -> tuple[DataFile, ...]:
    """The versions of data sets that a run took from outside: what its steps read and no earlier one of them made.

    Args:
        steps: In notebook order.
    """
    made: set[str] = set()
    found: dict[tuple[str, str, str | None], DataFile] = {}
    for step in steps:
        for file in read_by(step):
            if file.sha256 not in made:
                found[file.path, file.sha256, file.name] = file
        made |= {file.sha256 for file in step.trace.writes.values()} if step.trace else set()
    named = {(path, sha256) for path, sha256, name in found if name is not None}
    return tuple(file for (path, sha256, name), file in found.items() if name or (path, sha256) not in named)


def read_by(step: StepRecord) -> Iterator[DataFile]:
    """The versions of data sets that a step read, as its code declared them and as it was seen to."""
    yield from step.data
    for path, sha256 in (step.trace.reads if step.trace else {}).items():
        if sha256 is not None and not is_module(path):
            yield DataFile(path=path, sha256=sha256)
    for path, sha256 in (step.trace.brought if step.trace else {}).items():
        yield DataFile(path=path, sha256=sha256)


def is_module(path: str) -> bool:
    """Whether a file that was read is code rather than data."""
    return path.endswith(_CODE)
