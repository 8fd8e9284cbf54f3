"""The checkpoints of a training in their folder: which are there, whole, and which are to stay."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.tensors import read
from nb2pipe.tracking.training.writer import BESIDE, TENSORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA = 2
WENT_ON = "went_on.json"
"""What is told of the checkpoint that a training went on from, beside its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a checkpoint.

    Attributes:
        name: Of its files, without the ending.
        place: Position among the epochs, and batches that are done in that epoch.
        told: As `loop` wrote it, with the SHA-256.
    """

    name: str
    place: tuple[int, int]
    told: Mapping[str, Any]

    def score(self, monitor: str, mode: str) -> float:
        """How good it is, more being better."""
        return score(self.told["metrics"], monitor, mode)


def score(metrics: Mapping[str, float], monitor: str, mode: str) -> float:
    """How good some numbers are, more being better; nothing known is the worst.

    >>> score({"loss": 0.5}, "loss", "min"), score({}, "loss", "min")
    (-0.5, -inf)
    """
    value = metrics.get(monitor)
    if value is None or math.isnan(value):
        return -math.inf
    return float(value) if mode == "max" else -float(value)


def name_of(place: tuple[int, int]) -> str:
    """The name of a checkpoint's files.

    >>> name_of((3, 120))
    'epoch-000003-batch-00000120'
    """
    return f"epoch-{place[0]:06}-batch-{place[1]:08}"


def checkpoints(folder: Path) -> list[Told]:
    """Those in a folder, as far as what is told of them can be read, the last first."""
    found = []
    for path in sorted(folder.glob(f"epoch-*{BESIDE}"), reverse=True):  # names have digits enough to be sorted by
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(path.read_bytes())
            if told["schema"] == SCHEMA:
                place = (int(told["position"]), int(told["batch"]))
                found.append(Told(name=path.stem, place=place, told=told))
    return found


def open_checkpoint(folder: Path, told: Told) -> tuple[dict[str, Any], Any] | None:
    """The tensors and the rest of a checkpoint; None where it is not as it was written."""
    try:
        data = (folder / f"{told.name}{TENSORS}").read_bytes()
        if hashlib.sha256(data).hexdigest() != told.told["sha256"]:
            return None
        tensors, text = read(data)
        return tensors, json.loads(text)
    except (OSError, ValueError, KeyError, TypeError, MemoryError):
        return None


def went_on_in(folder: Path) -> str | None:
    """Where the training went on whose checkpoints are in a folder, as a part of a sentence; None where it did not."""
    try:
        told = json.loads((folder / WENT_ON).read_bytes())
        batch = f", batch {int(told['batch'])}" if told["batch"] else ""
        return f"at its checkpoint of epoch {int(told['epoch'])}{batch}, step {int(told['step'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(slots=True, kw_only=True)
class Kept:
    """Which checkpoints stay: the last ones, the best one, and one from which the last part can be done again.

    Attributes:
        keep: How many of the last.
        monitor: The number that says which is the best; None where none is.
        mode: `max` or `min`.
        last: The number of epochs.
        structure: What who goes on is made of: one who makes models larger on the way begins with this.
    """

    keep: int
    monitor: str | None
    mode: str
    last: int
    structure: str
    there: list[Told] = field(default_factory=list)

    def is_best(self, metrics: Mapping[str, float]) -> bool:
        """Whether one with these numbers would be better than all that are there."""
        if self.monitor is None or self.monitor not in metrics:
            return False
        scores = [each.score(self.monitor, self.mode) for each in self.there]
        return score(metrics, self.monitor, self.mode) > max(scores, default=-math.inf)

    def add(self, told: Told) -> list[str]:
        """Notes a checkpoint that is about to be written; the names of those that go once it is there."""
        self.there = [each for each in self.there if each.name != told.name] + [told]
        self.there.sort(key=lambda each: each.place)
        stay = {each.name for each in self._staying()}
        gone = [each.name for each in self.there if each.name not in stay]
        self.there = [each for each in self.there if each.name in stay]
        return gone

    def _staying(self) -> Iterator[Told]:
        yield from self.there[-self.keep :]
        yield from [each for each in self.there if self._is_of_use(each)][-1:]
        rated = [each for each in self.there if self.monitor is not None and self.monitor in each.told["metrics"]]
        if rated and self.monitor is not None:
            best = max(each.score(self.monitor, self.mode) for each in rated)
            yield next(each for each in rated if each.score(self.monitor, self.mode) == best)

    def _is_of_use(self, told: Told) -> bool:
        """Whether a training can go on from it."""
        return told.place[0] < self.last and told.told["complete"] and told.told["structure"] == self.structure
