"""Scripts that train, run in the process of the tests as often as it takes."""

from __future__ import annotations

import itertools
import linecache
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.tracking.training import outside, where

if TYPE_CHECKING:
    from pathlib import Path


class StopError(Exception):
    """What a test raises in the middle of a loop."""


class Script:
    """A script that calls `trip` in each round of its loops.

    Args:
        folder: Where it is said to lie; its home is there.
        text: The script.
        names: Variables that it is given.

    Attributes:
        calls: How often `trip` was called in all runs.
    """

    def __init__(self, folder: Path, text: str, **names: object) -> None:
        self.file = str(folder / "train.py")
        self.text = text
        self.names = names
        self.home = folder / "home"
        self.calls = 0

    def run(self, stop: int = -1) -> dict[str, Any]:
        """Runs it up to a call of `trip`; its variables."""
        linecache.cache[self.file] = (len(self.text), None, self.text.splitlines(keepends=True), self.file)
        where._counts.clear()  # as in a new process
        counter = itertools.count()

        def trip() -> None:
            self.calls += 1
            if next(counter) == stop:
                raise StopError

        names: dict[str, Any] = {"__name__": "__main__", "trip": trip, **self.names}
        code = compile(self.text, self.file, "exec")
        if stop < 0:
            exec(code, names)
            outside.settle(None)
        else:
            with pytest.raises(StopError):
                exec(code, names)
            outside.settle(StopError())
        return names

    @property
    def folders(self) -> list[Path]:
        """The folders of its runs."""
        return sorted((self.home / "runs").iterdir())

    @property
    def checkpoints(self) -> list[Path]:
        """Those that it keeps."""
        return sorted(self.home.glob("runs/*/checkpoints/main/1/*.safetensors"))
