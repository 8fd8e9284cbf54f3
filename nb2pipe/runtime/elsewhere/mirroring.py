"""What the process does that brings checkpoints to a store as a training takes them.

What it needs is imported while the step waits for what an earlier attempt left, so that it has little to do once it
gives way to a training that takes all processors.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.records.file_digests import state_of
from nb2pipe.records.series import is_recorded
from nb2pipe.runtime.elsewhere import apart
from nb2pipe.runtime.elsewhere.mirror import DONE, REACHED, READY
from nb2pipe.runtime.elsewhere.mirrored import BESIDE, FILES, SERIES, fetch
from nb2pipe.runtime.resuming import DONE as OVER
from nb2pipe.store.place import place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.store.place import Place

_EVERY = 0.3
"""Seconds after which it looks again."""
_NICE = 19
_TENSORS = ".safetensors"
_SAID = "said.jsonl"
_SMALL = 1 << 23
"""Bytes of series that are brought with each checkpoint, however small that is."""
_MINUTE = 60.0
_TRIES = 20
"""Looks in a row at which the store may not be reached."""


def main(facts: Mapping[str, Any]) -> None:
    """Brings what an earlier attempt left, and then what is new until the step ends.

    Raises:
        StoreError: The store could not be reached.
    """
    mirroring = Mirroring(
        to=place(facts["url"]),
        path=facts["path"],
        folder=Path(facts["folder"]),
        series=Path(facts["series"]),
        work=Path(facts["work"]),
    )
    mirroring.to.names(mirroring.path)
    apart.answer(REACHED)
    if facts["fetches"]:
        fetch(facts)
    if facts["knows"]:
        mirroring.learn()
    apart.answer(READY)
    _give_way()
    failed = 0
    while (word := apart.heard(_EVERY)) is None:
        try:
            mirroring.look()
            failed = 0
        except (StoreError, OSError):
            failed += 1
            if failed > _TRIES:
                raise
    mirroring.look()
    if word == DONE:
        mirroring.done()


def _give_way() -> None:
    with suppress(OSError):
        os.nice(_NICE)
    # Linux may share processors out among sessions first, and this process has one of its own: `man 7 sched`.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")


@dataclass(slots=True, kw_only=True)
class Mirroring:
    """The checkpoints of a step, here and there.

    Attributes:
        to: The store.
        path: Where they lie in it.
        folder: Where they are taken.
        series: What is recorded of the trainings.
        work: The step's working directory.
        there: The paths of what is known to be in the store, below `path`.
    """

    to: Place
    path: str
    folder: Path
    series: Path
    work: Path
    there: set[str] = field(default_factory=set)
    _digests: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    _recorded: float = 0.0

    def learn(self) -> None:
        """What an earlier attempt left is there already; all of that was brought here as this one began."""
        for training in self.to.names(self.path):
            names = self.to.names(f"{self.path}/{training}")
            self.there.update(f"{training}/{name}" for name in names if name.endswith(BESIDE))

    def look(self) -> None:
        """Brings the newest checkpoint that is not there, and the next one, and removes those that are not kept.

        Raises:
            StoreError: The store cannot be reached.
        """
        while (found := self._newest()) is not None:
            with suppress(FileNotFoundError):  # a newer one has taken its place meanwhile
                self._bring(*found)
        here = {f"{training}/{name}" for training, name in self._here()}
        for gone in sorted(self.there - here, key=lambda path: not path.endswith(BESIDE)):
            self._remove(gone)

    def done(self) -> None:
        """Nobody has to go on from there any more."""
        for training in {training for training, _ in self._here()}:
            self.to.write(f"{self.path}/{training}/{OVER}", b"")
        for name in self.to.names(f"{self.path}/{SERIES}"):
            self.to.remove(f"{self.path}/{SERIES}/{name}")

    def _here(self) -> Iterator[tuple[str, str]]:
        for path in self.folder.glob(f"*/epoch-*{BESIDE}"):
            yield path.parent.name, path.name

    def _newest(self) -> tuple[str, str] | None:
        new = [each for each in self._here() if "/".join(each) not in self.there]
        return max(new, key=lambda each: (self._when(*each), each), default=None)

    def _when(self, training: str, name: str) -> float:
        try:
            return (self.folder / training / name).stat().st_mtime
        except OSError:
            return 0.0

    def _bring(self, training: str, name: str) -> None:
        source, target = self.folder / training, f"{self.path}/{training}"
        told = json.loads((source / name).read_bytes())
        tensors = name.removesuffix(BESIDE) + _TENSORS
        size = (source / tensors).stat().st_size
        if not any(path.startswith(f"{training}/") for path in self.there):
            self.to.remove(f"{target}/{OVER}")
        self.to.write(f"{target}/{_SAID}", (source / _SAID).read_bytes())
        self._bring_series(size)
        _upload(self.to, source / tensors, f"{target}/{tensors}")
        content = {**told, FILES: dict(self._contents(told.get("reads", {})))}
        self.to.write(f"{target}/{name}", json.dumps(content).encode())
        self.there.add(f"{training}/{name}")

    def _bring_series(self, size: int) -> None:
        """Brings what was recorded so far, unless that is much, beside the checkpoint, and was brought just now."""
        files = [path for path in self.series.glob("*") if is_recorded(path.name)]
        much = sum(path.stat().st_size for path in files) > max(size, _SMALL)
        if much and time.monotonic() - self._recorded < _MINUTE:
            return
        self._recorded = time.monotonic()
        for path in files:
            self.to.write(f"{self.path}/{SERIES}/{path.name}", path.read_bytes())

    def _contents(self, reads: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
        """The SHA-256 of each file that was read; paths of the working directory are relative to it."""
        for path, state in reads.items():
            own = Path(path)
            name = str(own.relative_to(self.work)) if own.is_relative_to(self.work) else path
            yield name, None if state is None else self._digest(path, tuple(state))

    def _digest(self, path: str, state: tuple[int, ...]) -> str:
        found = self._digests.get((path, state))
        if found is None:
            now = state_of(path)
            same = now is not None and tuple(now) == state
            found = self._digests[path, state] = str(Digest.of_file(Path(path))) if same else ""
        return found

    def _remove(self, path: str) -> None:
        full = f"{self.path}/{path}"
        self.to.remove(full)
        self.to.remove(full.removesuffix(BESIDE) + _TENSORS)
        self.there.discard(path)


def _upload(to: Place, source: Path, target: str) -> None:
    """Brings a file, also where it is removed meanwhile."""
    with source.open("rb") as stream:
        to.upload(Path(f"/dev/fd/{stream.fileno()}"), target)
