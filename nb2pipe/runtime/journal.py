"""What the author's code logs while a step runs: numbers, series of numbers, and parameters.

Points of series go to files as they come, so that a million of them costs no memory, and what a step logged before it
failed, or was killed, is there. Single numbers and parameters are few, and are kept here.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from json import dumps
from typing import IO, TYPE_CHECKING, Any

from nb2pipe.records.blocks import Rows
from nb2pipe.records.series import LOGGED
from nb2pipe.records.values import encode, masked
from nb2pipe.runtime.new_secrets import secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nb2pipe.runtime.resuming import Resuming

POINTS = "points.jsonl"
"""The file beside a step's result that holds the points of its series."""

_MOST_ROWS = 200
"""Series that have a file of rows each; those of further names share the file of lines."""
_EXACT = 2**53
"""The places that a row can hold."""

_EVERY = 1.0
"""Seconds after which points are written, so that a process that is killed loses little."""

_journals: list[Journal] = []
"""The journals of steps that run in this process, the newest last; mostly one, or none."""


class Journal:
    """Takes what one step logs. It may be used from several threads.

    Args:
        path: Where points go, one line of JSON each; None counts them only.
        rows: The folder of files of rows that they go to instead, as long as there are not too many series.

    Attributes:
        resuming: Where trainings of the step are saved; None where they are not.
        trainings: How many there were, by what they are within.
    """

    def __init__(self, path: Path | None = None, rows: Path | None = None) -> None:
        self.metrics: dict[str, float] = {}
        self.parameters: dict[str, object] = {}
        self.series: dict[str, int] = {}
        self.data: list[dict[str, str | None]] = []
        self.figures: list[dict[str, Any]] = []
        self.last: dict[str, float] = {}
        self.resuming: Resuming | None = None
        self.trainings: dict[str, int] = {}
        self._path = path
        self._folder = rows
        self._rows: dict[str, Rows] = {}
        self._stream: IO[str] | None = None
        self._names: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._written = 0.0
        self._lock = threading.Lock()
        self._process = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is the process that the step runs in, rather than one that it forked."""
        return self._process == os.getpid()

    def log(self, values: Mapping[str, float], index: int | None) -> None:
        """Takes numbers.

        Args:
            values: By name.
            index: Their place in their series; None for numbers of the step as a whole.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            if index is None:
                self.metrics.update(
                    {self._shown.get(name) or self._show(name): value for name, value in values.items()}
                )
                return
            now = time.time()
            for given, value in values.items():
                name = self._shown.get(given) or self._show(given)
                self.series[name] = self.series.get(name, 0) + 1
                self.last[name] = value
                self._point(name, value, index, now)

    def set(self, values: Mapping[str, object]) -> None:
        """Takes parameters; the last value of a name counts."""
        with self._lock:
            self.parameters.update(values)

    def use(self, path: str, sha256: str, name: str | None = None) -> None:
        """Takes data that the code declares, as `records.model.DataFile` has it."""
        with self._lock:
            self.data.append({"path": path, "sha256": sha256, "name": name})

    def figure(self, name: str, path: Path, index: int | None) -> None:
        """Takes a figure that the code keeps, as `records.events.FigureLogged` has it."""
        with self._lock:
            self.figures.append({"name": name, "path": str(path), "index": index, "time": time.time()})

    def begin(self) -> None:
        """From now on it takes what is logged in this process.

        Raises:
            OSError: The points of an earlier attempt cannot be removed.
        """
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        _journals.append(self)

    def flush(self) -> None:
        """Writes all points that it took so far."""
        with self._lock:
            if self._stream is not None:
                self._stream.flush()

    def end(self) -> None:
        """It takes nothing any more, and all of it is written."""
        with self._lock:
            if self in _journals:
                _journals.remove(self)
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def told(self) -> dict[str, Any]:
        """What it took, without the points, as JSON; secrets are masked."""
        encoded = {name: encode(value) for name, value in masked(self.parameters).items()}
        return {
            "metrics": dict(self.metrics),
            "series": dict(self.series),
            "parameters": encoded,
            "data": self.data,
            "figures": self.figures,
        }

    def _show(self, name: str) -> str:
        """A name as it may be kept: secrets of the environment and of the notebook's variables are masked in it."""
        return self._shown.setdefault(name, secrets_in(vars(sys.modules["__main__"])).text(name))

    def _point(self, name: str, value: float, index: int, now: float) -> None:
        rows = self._rows.get(name) or self._made(name)
        if rows is not None and -_EXACT <= index <= _EXACT:
            rows.add((now, index, value))
        elif self._path is not None:
            self._line(name, value, index, now)

    def _made(self, name: str) -> Rows | None:
        if self._folder is None or len(self._rows) >= _MOST_ROWS:
            return None
        path = self._folder / f"logged-{len(self._rows) + 1}.rows"
        try:
            return self._rows.setdefault(name, Rows(path, LOGGED, {"name": name}))
        except OSError:  # some file systems have no shared memory
            if self._path is None:
                raise
            self._folder = None
            return None

    def _line(self, name: str, value: float, index: int, now: float) -> None:
        if self._path is None:
            return
        if self._stream is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("w", encoding="ascii")
        quoted = self._names.get(name) or self._names.setdefault(name, dumps(name))
        number = repr(value) if math.isfinite(value) else f'"{value}"'
        self._stream.write(f'{{"name":{quoted},"index":{index},"value":{number},"time":{now!r}}}\n')
        if now - self._written > _EVERY:
            self._written = now
            self._stream.flush()


def current() -> Journal | None:
    """The journal of the step that runs in this process, if one does."""
    return _journals[-1] if _journals and _journals[-1].is_here else None


@contextlib.contextmanager
def recording(path: Path | None = None) -> Iterator[Journal]:
    """A journal that takes what is logged inside of a block."""
    journal = Journal(path)
    journal.begin()
    try:
        yield journal
    finally:
        journal.end()
