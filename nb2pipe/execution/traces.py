"""What a step was seen to depend on and to leave outside of its variables: taken down, compared, brought back.

A step's process tells which files it opened; their digests are taken here, after its end.
"""

from __future__ import annotations

import mmap
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.execution.devices import VISIBLE
from nb2pipe.execution.model import Completed
from nb2pipe.execution.schedule import gpus_of
from nb2pipe.records.file_digests import state_of
from nb2pipe.records.model import StepTrace, WrittenFile
from nb2pipe.runtime.observing.contents import changed_only, contents_read
from nb2pipe.runtime.observing.observer import listing, masked_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.execution.installed import Installed
    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.records.file_digests import FileDigests
    from nb2pipe.store.base import Store

_FEW = 8
LARGEST = 1 << 28
"""Bytes of a file that is kept in the store; of a larger one only the digest is, and it has to stay where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What steps of the same run did to files: no change that anybody else made, and that they would be told of.

    Attributes:
        left: Digests of what steps left, by path.
        perhaps: Files that steps may have changed that did not run to their end.
    """

    left: Mapping[str, frozenset[str]] = field(default_factory=dict)
    perhaps: frozenset[str] = frozenset()

    def explains(self, path: str, digest: str | None) -> bool:
        """Whether a file has its content from a step of the run."""
        return path in self.perhaps or (digest is not None and digest in self.left.get(path, ()))

    def perhaps_new(self, folder: str) -> Iterator[tuple[str, ...]]:
        """The names that may be new in a folder by that: none of them, all, or where they are few, each choice."""
        paths = {*self.left, *self.perhaps}
        names = sorted(name for path in paths for parent, name in [os.path.split(path)] if parent == folder)
        sizes = range(len(names) + 1) if len(names) <= _FEW else (0, len(names))
        return chain.from_iterable(combinations(names, size) for size in sizes)


_SAID = {"clock": "it reads the clock", "entropy": "it draws on the system's entropy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Takes traces down and compares them.

    Attributes:
        store: Keeps the content of files that steps leave.
        digests: Of files outside of the store.
        installed: Versions of distributions.
    """

    store: Store
    digests: FileDigests
    installed: Installed

    def take(self, unit: Unit, call: StepCall, done: Outcome, began: float) -> StepTrace:
        """The trace of a step that has just ended; of one that did not run to its end, no content is kept.

        Args:
            unit: The step.
            call: What it was given.
            done: What came of it.
            began: When it began, in seconds since 1970.
        """
        with self.digests.together():
            return self._taken(unit, call, done, began)

    def _taken(self, unit: Unit, call: StepCall, done: Outcome, began: float) -> StepTrace:
        seen, whole = done.seen, isinstance(done, Completed)
        read, wrote = _by_text(unit, call, done.state if isinstance(done, Completed) else {})
        written = {*seen["writes"], *(path for path in wrote if _is_newer(path, began))}
        reads, changed = contents_read(seen, self.digests.of)
        for path in (*seen["modules"]["files"], *read):
            if path not in written:
                reads.setdefault(path, self.digests.of(path))
        writes = {path: file for path in sorted(written) if (file := self._left(path, keep=whole)) is not None}
        reasons = [
            *seen["reasons"],
            *(f"it removes `{path}`" for path in seen["removed"]),
            *_outside(unit),
            *(f"`{path}` changed while it ran" for path in changed),
        ]
        return StepTrace(
            reads=reads,
            brought={path: digest for path in seen["brought"] if (digest := self.digests.of(path))},
            listed=dict(seen["listed"]),
            writes=changed_only(writes, reads),
            folders=tuple(path for path in seen["folders"] if Path(path).is_dir()),
            variables={name: digest for name, digest in seen["variables"].items() if not _is_given(name, unit)},
            packages=self.installed.versions(seen["modules"]["installed"], seen["modules"]["folders"]),
            libraries=tuple(seen["modules"]["folders"]),
            reasons=tuple(dict.fromkeys(reasons)),
        )

    def difference(self, trace: StepTrace, call: StepCall) -> str | None:
        """Why a trace does not hold any more; None if it does, and the files that the step left can be brought back."""
        if trace.reasons and call.step.cache is not True:
            return trace.reasons[0]
        return self.difference_within(trace, call, Own())

    def difference_within(self, trace: StepTrace, call: StepCall, own: Own) -> str | None:
        """As `difference`, for a step that ran in the run that goes on: what it did then, it did for this run."""
        with self.digests.together():
            return next(self._differences(trace, call, own), None)

    def bring_back(self, trace: StepTrace) -> bool:
        """Puts the files that a step left where they were; whether all of them are there."""
        try:
            for folder in trace.folders:
                Path(folder).mkdir(parents=True, exist_ok=True)
            for path, file in trace.writes.items():
                if self.digests.of(path) != file.sha256:
                    _write(Path(path), self.store, Digest(file.sha256))
        except (OSError, StoreError, ValueError):
            return False
        return True

    def _differences(self, trace: StepTrace, call: StepCall, own: Own) -> Iterator[str]:
        for path, digest in trace.reads.items():
            if (now := self.digests.of(path)) != digest and not own.explains(path, now):
                yield f"`{shown(path, call)}` {'is gone' if now is None else 'is new' if digest is None else 'changed'}"
        for path, digest in trace.listed.items():
            if digest not in (listing(path, names) for names in own.perhaps_new(path)):
                yield f"the names in the folder `{shown(path, call)}` changed"
        yield from _other_variables(trace, call)
        yield from self._other_packages(trace)
        for path, file in trace.writes.items():
            if not self._is_there(path, file):
                yield f"`{shown(path, call)}`, which it writes, changed, and was too large to be kept"

    def _other_packages(self, trace: StepTrace) -> Iterator[str]:
        for name, version in trace.packages.items():
            if (now := self.installed.version(name, trace.libraries)) != version:
                yield f"{name} is {now}, was {version}" if now else f"{name} is no longer installed"

    def _is_there(self, path: str, file: WrittenFile) -> bool:
        """Whether a file that the step left is there, or can be brought back."""
        return (file.kept and self.store.has(Digest(file.sha256))) or self.digests.of(path) == file.sha256

    def _left(self, path: str, *, keep: bool) -> WrittenFile | None:
        """A file that the step left, with its content in the store if it is to be kept; None if it is gone."""
        state = state_of(path)
        digest = self.digests.of(path) if state else None
        if state is None or digest is None:
            return None
        kept = keep and state[0] <= LARGEST
        if kept and not self.store.has(Digest(digest)):
            kept = self._put(path) == digest
        return WrittenFile(sha256=digest, size=state[0], kept=kept)

    def _put(self, path: str) -> str | None:
        try:
            with Path(path).open("rb") as stream:
                if not os.fstat(stream.fileno()).st_size:
                    return str(self.store.put(b""))
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    return str(self.store.put(content))  # type: ignore[arg-type]  # it is a buffer
        except (OSError, ValueError):
            return None


def _is_given(name: str, unit: Unit) -> bool:
    """Whether a variable says which GPU the step got, which is the schedule's choice."""
    return name == VISIBLE and gpus_of(unit.step) > 0


def _other_variables(trace: StepTrace, call: StepCall) -> Iterator[str]:
    variables = {**os.environ, **call.surroundings.variables}
    for name, value in trace.variables.items():
        if masked_variable(variables.get(name)) != value:
            yield f"the environment variable `{name}` changed"


def shown(path: str, call: StepCall) -> str:
    """A path as the author would write it."""
    return os.path.relpath(path, call.surroundings.folder) if path.startswith(str(call.surroundings.folder)) else path


def _outside(unit: Unit) -> Iterator[str]:
    """What the code of a step shows that it depends on, and that is another each time."""
    flow = unit.pipeline.dataflow
    for cell in sorted({block.cell for block in unit.step.blocks}) if flow else ():
        facts = flow.facts_of(cell) if flow else None
        for kind in sorted(facts.outside) if facts else ():
            yield f"{_SAID[kind]} (cell {cell})"


def _by_text(unit: Unit, call: StepCall, state: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """The files that the code of a step reads and writes, by its text; if it may run elsewhere, that tells nothing."""
    flow = unit.pipeline.dataflow
    if flow is None or "cwd" in {*call.state, *state}:
        return set(), set()
    facts = [found for cell in unit.step.cells if (found := flow.facts_of(cell))]
    folder = str(call.surroundings.folder)
    read = {os.path.normpath(os.path.join(folder, path)) for each in facts for path in each.files_read}  # noqa: PTH118
    wrote = written_by_text(unit)
    return {path for path in read - wrote if not Path(path).is_dir()}, wrote


def written_by_text(unit: Unit) -> set[str]:
    """The files that the code of a step writes, by its text, where it runs in its own folder."""
    flow = unit.pipeline.dataflow
    facts = [found for cell in unit.step.cells if (found := flow.facts_of(cell))] if flow else []
    folder = str(unit.folder)
    return {os.path.normpath(os.path.join(folder, path)) for each in facts for path in each.files_written}  # noqa: PTH118


def _is_newer(path: str, began: float) -> bool:
    state = state_of(path)
    return state is not None and state[1] >= int(began * 1e9)


def _write(path: Path, store: Store, digest: Digest) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_bytes(store.get(digest))
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
