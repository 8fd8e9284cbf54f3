"""How commands are timed: as whole processes, two sides in turns; and how much memory one takes with its children."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = "NB2PIPE_BENCHMARK"
"""All processes of a command have this variable, so that they are found."""
BETWEEN_LOOKS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the things that are timed.

    Attributes:
        name: As tables have it.
        commands: They run one after another, in the folder, and are timed together.
        folder: Holds what they need.
        before: Commands that run first, and are not timed.
        afresh: Files and folders, relative to the folder, that are removed first.
        variables: Environment variables beside our own.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    folder: Path
    before: tuple[tuple[str, ...], ...] = ()
    afresh: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def seconds(self) -> float:
        """Runs it once."""
        self._prepare()
        begin = time.perf_counter()
        for command in self.commands:
            self._run(command)
        return time.perf_counter() - begin

    def peak_memory(self) -> int:
        """Runs it once; the most bytes that its processes took together, shared pages counted once (PSS)."""
        self._prepare()
        peak = 0
        for command in self.commands:
            mark = f"{os.getpid()}-{time.monotonic_ns()}"
            with subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self._environment(), MARK: mark},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as process:
                while process.poll() is None:
                    peak = max(peak, _memory(mark))
                    time.sleep(BETWEEN_LOOKS)
        return peak

    def _prepare(self) -> None:
        for name in self.afresh:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for command in self.before:
            self._run(command)

    def _environment(self) -> dict[str, str]:
        """Ours; compiled modules are kept, as they are where a program is installed."""
        own = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**own, **self.variables}

    def _run(self, command: tuple[str, ...]) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: {' '.join(command)} failed\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of two sides.

    Attributes:
        one: Seconds (or bytes) of the one, a median.
        other: Of the other.
        ratio: The median of the pairs' ratios.
        low: The lowest of them.
        high: The highest.
    """

    one: float
    other: float
    ratio: float
    low: float
    high: float


def in_turns(one: Side, other: Side, pairs: int) -> Compared:
    """Times two sides in turns."""
    return compared([(one.seconds(), other.seconds()) for _ in range(pairs)])


def compared(pairs: list[tuple[float, float]]) -> Compared:
    """The medians of pairs.

    >>> compared([(1.0, 2.0), (3.0, 4.0), (2.0, 2.0)]).ratio
    0.75
    """
    ratios = sorted(one / other for one, other in pairs)
    return Compared(
        one=statistics.median(one for one, _ in pairs),
        other=statistics.median(other for _, other in pairs),
        ratio=statistics.median(ratios),
        low=ratios[0],
        high=ratios[-1],
    )


def _memory(mark: str) -> int:
    """Bytes of the processes that have the mark."""
    sought, total = f"{MARK}={mark}".encode(), 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if sought in (entry / "environ").read_bytes().split(b"\0"):
                    total += _pss(entry)
            except OSError:  # it ended
                continue
    return total


def _pss(entry: Path) -> int:
    for line in (entry / "smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
