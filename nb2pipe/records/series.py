"""What is recorded of training loops: files of rows and of checkpoints in `runs/RUN/series/STEP/`, and what they say.

There is one file of rows for each optimizer that steps, `loop-1.rows` and so on, a row for each step that it makes. The
first one gives the series `loss`, `lr`, `epoch`, `batch`, `epoch_loss` (means) and `examples_per_second`, a further one
`loss/NAME` and so on. What code logs under a name stands in `logged-1.rows` and so on, and counts rather than these.
"""

from __future__ import annotations

import json
import re
import shutil
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice
from os import link
from typing import TYPE_CHECKING, Any, overload

from nb2pipe.records.blocks import Table, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nb2pipe.records.model import Checkpoint

SERIES = "series"
"""The folder in that of a run that holds a folder for each step."""
CHECKPOINTS = "checkpoints.jsonl"
"""What a step saved, a line of JSON for each checkpoint, and one for each digest."""
COLUMNS = ("time", "loss", "losses", "epoch", "batch", "examples")
"""The columns of the rows of an optimizer; the learning rate of each group of parameters follows."""
LOGGED = ("time", "index", "value")
"""The columns of the rows of a series that code logs."""

_FILE = re.compile(r"(loop|logged)-[0-9]{1,4}\.rows")
ROWS = "lo*-*.rows"
"""The names of the files of rows."""
_AT_ONCE = 1000
"""Lines that are read at once."""
_WINDOW = 1.0
"""Seconds that examples are counted over."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points(Sequence[tuple[int, float]]):
    """The points of a series: (index, value) each, kept as columns.

    Attributes:
        indices: Their places.
        values: As many.
        times: When each was made, in seconds since 1970.
    """

    indices: Sequence[int]
    values: Sequence[float]
    times: Sequence[float]

    @overload
    def __getitem__(self, place: int) -> tuple[int, float]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[int, float]]: ...
    def __getitem__(self, place: int | slice) -> tuple[int, float] | list[tuple[int, float]]:
        """A point, or some."""
        if isinstance(place, slice):
            return list(zip(self.indices[place], self.values[place], strict=True))
        return self.indices[place], self.values[place]

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """One after the other."""
        return zip(self.indices, self.values, strict=True)

    def __len__(self) -> int:
        """Their number."""
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        """Whether another sequence holds the same points."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        """Of the number of points and the last one."""
        return hash((len(self), self[-1] if len(self) else None))


def recorded(folder: Path) -> dict[str, Points]:
    """The series of one step by name, out of its folder of `series`, as they are now; what is damaged is left out."""
    found: dict[str, Points] = {}
    for path in sorted(folder.glob(ROWS), key=_number):  # what code logs comes last, and counts
        with suppress(OSError, ValueError, KeyError):
            found |= series_of(read(path))
    return found


def recorded_counts(folder: Path) -> dict[str, int]:
    """The number of points of the series of one step by name."""
    return {name: len(points) for name, points in recorded(folder).items()}


def series_of(table: Table) -> dict[str, Points]:
    """The series that rows give, by name; those without points are left out."""
    columns = table.columns
    name = str(table.facts.get("name", ""))
    if "index" in columns:
        places = array("q", map(int, columns["index"]))
        return {name: Points(indices=places, values=columns["value"], times=columns["time"])}
    ending = f"/{name}" if name else ""
    rates = [column for column in columns if column == "lr" or column.startswith("lr/")]
    found = {"loss": _where(columns, "loss", "losses"), "epoch_loss": _by_epoch(columns)}
    found |= {rate: _numbers(columns, rate) for rate in rates}
    found |= {place: _where(columns, place, "epoch") for place in ("epoch", "batch")}
    found["examples_per_second"] = _speed(columns)
    return {f"{each}{ending}": points for each, points in found.items() if len(points)}


def _where(columns: Mapping[str, array[float]], name: str, known: str) -> Points:
    """A column where another one is not zero."""
    column, times, marks = columns[name], columns["time"], columns[known]
    if 0.0 not in marks:
        return Points(indices=range(1, len(column) + 1), values=column, times=times)
    places = [place for place, mark in enumerate(marks) if mark]
    return _chosen(column, times, places)


def _numbers(columns: Mapping[str, array[float]], name: str) -> Points:
    column, times = columns[name], columns["time"]
    places = [place for place, value in enumerate(column) if value == value]  # noqa: PLR0124  # it is a number
    if len(places) == len(column):
        return Points(indices=range(1, len(column) + 1), values=column, times=times)
    return _chosen(column, times, places)


def _chosen(column: array[float], times: array[float], places: Sequence[int]) -> Points:
    return Points(
        indices=[place + 1 for place in places],
        values=array("d", [column[place] for place in places]),
        times=array("d", [times[place] for place in places]),
    )


def _by_epoch(columns: Mapping[str, array[float]]) -> Points:
    """The mean of the losses of each pass, at the number of the pass."""
    times, losses, known = (columns[name] for name in ("time", "loss", "losses"))
    sums: dict[float, tuple[float, int, float]] = {}
    for epoch, begin, end in _passes(columns["epoch"]):
        found = [losses[place] for place in range(begin, end) if known[place]]
        if epoch and found:
            total, count, _ = sums.get(epoch, (0.0, 0, 0.0))
            sums[epoch] = total + sum(found), count + len(found), times[end - 1]
    return Points(
        indices=[int(epoch) for epoch in sums],
        values=array("d", [total / count for total, count, _ in sums.values()]),
        times=array("d", [time for _, _, time in sums.values()]),
    )


def _speed(columns: Mapping[str, array[float]]) -> Points:
    """Examples per second, over windows of at least a second within a pass; the time between passes does not count."""
    times, examples = columns["time"], columns["examples"]
    indices: list[int] = []
    values, ends = array("d"), array("d")
    for begin, end in _windows(times, columns["epoch"]):
        seconds = times[end] - times[begin]
        seen = sum(examples[begin + 1 : end + 1])
        if seconds > 0 and seen:
            indices.append(end + 1)
            values.append(seen / seconds)
            ends.append(times[end])
    return Points(indices=indices, values=values, times=ends)


def _windows(times: array[float], epochs: array[float]) -> Iterator[tuple[int, int]]:
    """The first and the last row of each window; work is done from the end of the first to that of the last."""
    for _, first, after in _passes(epochs):
        begin, last = first, after - 1
        if begin == last > 0:  # a pass of one step begins where the one before it ended
            yield begin - 1, begin
        while begin < last:
            end = min(bisect_left(times, times[begin] + _WINDOW, begin + 1), last)
            if times[last] - times[end] < _WINDOW:
                end = last
            yield begin, end
            begin = end


def _passes(epochs: array[float]) -> Iterator[tuple[float, int, int]]:
    """Rows that follow each other with one number of a pass: the number, their begin and their end."""
    begin = 0
    for epoch, rows in groupby(epochs):
        end = begin + sum(1 for _ in rows)
        yield epoch, begin, end
        begin = end


def recorded_checkpoints(folder: Path) -> tuple[Checkpoint, ...]:
    """What one step saved, in its order, out of its folder of `series`.

    A checkpoint is left out where something overwrote it before its digest was taken.
    """
    lines = list(lines_of(folder / CHECKPOINTS))
    if not lines:
        return ()
    from nb2pipe.records.model import Checkpoint  # noqa: PLC0415  # few steps save any, and it takes time

    saved: dict[int, Mapping[str, Any]] = {}
    digests: dict[int, str] = {}
    for line in lines:
        with suppress(KeyError, TypeError):
            if "path" in line:
                saved[line["number"]] = line
            elif "renamed" in line:
                saved[line["number"]] = {**saved[line["number"]], "path": line["renamed"]}
            else:
                digests.setdefault(line["number"], line["sha256"])
    return tuple(
        Checkpoint(path=line["path"], sha256=digests[number], step=line["step"], epoch=line["epoch"])
        for number, line in saved.items()
        if number in digests
    )


def is_recorded(name: str) -> bool:
    """Whether a file of this name is one of a step's folder of `series`.

    >>> is_recorded("loop-1.rows"), is_recorded("checkpoints.jsonl"), is_recorded("../loop-1.rows")
    (True, True, False)
    """
    return name == CHECKPOINTS or _FILE.fullmatch(name) is not None


def copy_recorded(source: Path, target: Path) -> None:
    """Gives a step what was recorded of another one that made the same; what cannot be copied is left out."""
    shutil.rmtree(target, ignore_errors=True)
    for path in (each for each in sorted(source.glob("*")) if is_recorded(each.name)):
        with suppress(OSError):
            target.mkdir(parents=True, exist_ok=True)
            try:
                link(path, target / path.name)
            except OSError:
                shutil.copyfile(path, target / path.name)


def lines_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a file of JSON that can be read; none where there is no file."""
    with suppress(OSError), path.open(encoding="utf-8") as stream:
        while lines := list(islice(stream, _AT_ONCE)):
            yield from (told for told in _read_lines(lines) if isinstance(told, dict))


def _read_lines(lines: Sequence[str]) -> Iterator[Any]:
    """What lines of JSON say; many at once are read in half the time."""
    try:
        found = json.loads(f"[{','.join(lines)}]")
        if len(found) == len(lines):
            yield from found
            return
    except ValueError:  # the process was killed while it wrote
        pass
    for line in lines:
        with suppress(ValueError):
            yield json.loads(line)


def rows_of(folder: Path) -> dict[int, Table]:
    """The rows of the optimizers of one step, by their numbers."""
    found: dict[int, Table] = {}
    for path in folder.glob("loop-*.rows"):
        with suppress(OSError, ValueError, KeyError):
            found[_number(path)[1]] = read(path)
    return found


def _number(path: Path) -> tuple[bool, int]:
    kind, _, digits = path.stem.partition("-")
    return kind == "logged", int(digits) if digits.isdigit() else 0
