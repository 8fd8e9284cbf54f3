"""How often a training is to be saved: `1 epoch`, `200 steps`, `30 s`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(epochs?|steps?|batch(?:es)?|s|seconds?|m|min|minutes?|h|hours?)\s*")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """A distance between two checkpoints; one of the three is given.

    Attributes:
        epochs: In epochs.
        steps: In batches, counted over all epochs.
        seconds: In time.
    """

    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0

    @property
    def within_epochs(self) -> bool:
        """Whether a checkpoint may be due in the middle of an epoch."""
        return not self.epochs


def parse_every(text: object) -> Every:
    """What `every=` means.

    >>> parse_every("1 epoch"), parse_every("200 steps").steps, parse_every("1.5 min").seconds
    (Every(epochs=1, steps=0, seconds=0.0), 200, 90.0)

    Raises:
        TypeError: It is no text.
        ValueError: It says nothing of the kind.
    """
    if not isinstance(text, str):
        raise TypeError(f"`every` is a text such as '1 epoch', '200 steps' or '30 s', not {text!r}")
    found = _FORM.fullmatch(text)
    number = float(found[1]) if found else 0.0
    if found is None or not number:
        raise ValueError(f"`every` is a text such as '1 epoch', '200 steps' or '30 s', not {text!r}")
    if found[2][0] not in "eb" and not found[2].startswith("st"):
        return Every(seconds=number * _SECONDS[found[2][0]])
    if number != int(number):
        raise ValueError(f"`every` counts whole epochs or steps, not {text!r}")
    return Every(epochs=int(number)) if found[2][0] == "e" else Every(steps=int(number))


@dataclass(slots=True)
class Clock:
    """Says when a checkpoint is due.

    Attributes:
        every: The distance.
        steps: Batches since the last one.
        epochs: Epochs since the last one.
        time: When the last one was taken.
    """

    every: Every
    steps: int = 0
    epochs: int = 0
    time: float = field(default_factory=time.monotonic)

    @property
    def is_due(self) -> bool:
        """Whether one is."""
        if self.every.epochs:
            return self.epochs >= self.every.epochs
        if self.every.steps:
            return self.steps >= self.every.steps
        return time.monotonic() - self.time >= self.every.seconds

    def reset(self) -> None:
        """One was taken."""
        self.steps, self.epochs, self.time = 0, 0, time.monotonic()
