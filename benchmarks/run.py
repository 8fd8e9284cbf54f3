"""Runs of small notebooks as whole processes, in turns with papermill on the whole notebook, which counts as 1.0.

`python benchmarks/run.py` measures all rows and prints them; `python benchmarks/run.py again` those that have the word
in their names, or the one whose whole name it is. What was measured last of each row is kept in `results.json`, and
from that `RESULTS.md` and its plot are made. Rows of other tools need environments of their own, which are installed
when they are first measured.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import peers
import report
from limits import limits
from timing import Side, compared, in_turns
from workloads import BUSY, chain, fan, large, sweep, training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from limits import Limits
    from timing import Compared
    from workloads import Workload

PAIRS = 5
BIN = Path(sys.executable).parent
NOTEBOOK = "n.ipynb"
HOME = ".nb2pipe"
STEPS = (10, 50)
RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table.

    Attributes:
        name: What is done.
        workload: The notebook.
        one: What is timed, given the folder of the notebook.
        other: Beside what; papermill if nothing is said.
        target: What the ratio is to reach, if it has one.
        unit: What is compared: time, or memory; or the seconds that each step beyond the first ten adds.
        limit: What stands in the way of less.
        floor: The seconds which that takes, given what nothing can be faster than and how long the other side took.
    """

    name: str
    workload: Workload
    one: Callable[[Path], Side]
    other: Callable[[Path], Side] | None = None
    target: float | None = None
    unit: Literal["time", "memory", "step"] = "time"
    limit: str = ""
    floor: Callable[[Limits, float], float] | None = None


def nb2pipe(*arguments: str, again: bool = False, jobs: int = 2, **variables: str) -> Callable[[Path], Side]:
    """A run in a home of its own; `again` is a second one."""
    command = (str(BIN / "nb2pipe"), "run", NOTEBOOK, "-q", "-j", str(jobs), *arguments)
    return lambda folder: Side(
        name="nb2pipe",
        commands=(command,),
        folder=folder,
        before=(command,) if again else (),
        afresh=(HOME,),
        variables=variables,
    )


def papermill(folder: Path) -> Side:
    """The whole notebook through papermill."""
    return Side(name="papermill", commands=(_papermill(),), folder=folder)


def _papermill(*arguments: str) -> tuple[str, ...]:
    return (str(BIN / "papermill"), "--no-progress-bar", NOTEBOOK, "out.ipynb", *arguments)


def runs_of(begin: tuple[str, ...], name: str, home: str = "") -> Callable[[Path], Side]:
    """So many runs, each with another value of the parameter."""
    commands = tuple((*begin, "-p", "value", str(value)) for value in range(RUNS))
    return lambda folder: Side(name=name, commands=commands, folder=folder, afresh=(home,) if home else ())


def peer(name: str, workload: Workload, *, again: bool = False) -> Callable[[Path], Side]:
    """Another tool."""

    def make(folder: Path) -> Side:
        side = peers.side(name, workload, folder / name)
        return Side(
            name=side.name,
            commands=side.commands,
            folder=side.folder,
            before=side.commands if again else (),  # all but the first find nothing to do
            afresh=() if again else side.afresh,
            variables=side.variables,
        )

    return make


def rows() -> Iterator[Row]:
    """All rows of the table."""
    few, many = (chain(steps) for steps in STEPS)
    run = (str(BIN / "nb2pipe"), "run", NOTEBOOK, "-q", "-j", "2")
    yield Row(
        name="10 trivial steps, first run",
        workload=few,
        one=nb2pipe(),
        target=1.3,
        limit="the program's start, the imports, 10 forked kernels",
        floor=lambda least, _: least.start + least.imports + 10 * least.kernel,
    )
    yield Row(
        name="each of 40 more such steps",
        workload=many,
        one=nb2pipe(),
        target=0.15,
        unit="step",
        limit="a forked kernel",
        floor=lambda least, _: least.kernel,
    )
    yield Row(
        name="10 trivial steps, again",
        workload=few,
        one=nb2pipe(again=True),
        target=0.2,
        limit="the start of Python and of a command line",
        floor=lambda least, _: least.start,
    )
    yield Row(
        name="6 steps of 3 s that sleep, -j 2",
        workload=fan(),
        one=nb2pipe(),
        target=0.62,
        limit="9 s and the imports",
        floor=lambda least, _: 9 + least.imports,
    )
    yield Row(
        name="6 steps of 3 s that compute, -j 2",
        workload=fan(BUSY),
        one=nb2pipe(),
        target=0.62,
        limit="9 s and the imports, on two idle processors",
        floor=lambda least, _: 9 + least.imports,
    )
    yield Row(
        name="1 GiB array and a table, time",
        workload=large(),
        one=nb2pipe(),
        target=1.5,
        limit="papermill's time, and SHA-256 of 1.07 GiB",
        floor=lambda least, other: other + 1.07 * least.hashing,
    )
    yield Row(name="1 GiB array and a table, memory", workload=large(), one=nb2pipe(), target=1.5, unit="memory")
    yield Row(
        name="10 runs with another parameter of the last of 3 steps",
        workload=sweep(),
        one=runs_of(run, "nb2pipe", HOME),
        other=runs_of(_papermill(), "papermill"),
        target=0.5,
        limit="9 s once, 3 s and the imports each time",
        floor=lambda least, _: 9 + 9 * 3 + RUNS * least.imports,
    )
    yield Row(
        name="2 training steps, -j 2 / -j 1",
        workload=training(),
        one=nb2pipe("--no-cache"),
        other=nb2pipe("--no-cache", jobs=1),
    )
    yield Row(
        name="10 trivial steps, forked / cold kernels",
        workload=few,
        one=nb2pipe("--no-cache"),
        other=nb2pipe("--no-cache", NB2PIPE_KERNELS="cold"),
    )
    for name in peers.PINS:
        yield Row(name=f"{name}: 10 trivial steps, first run", workload=few, one=peer(name, few))
        if name in peers.REUSING:
            yield Row(name=f"{name}: 10 trivial steps, again", workload=few, one=peer(name, few, again=True))
        yield Row(name=f"{name}: 6 steps of 3 s that sleep", workload=fan(), one=peer(name, fan()))


def measured(row: Row) -> Compared:
    """Measures a row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        row.workload.write(folder / NOTEBOOK)
        one, other = row.one(folder), (row.other or papermill)(folder)
        match row.unit:
            case "time":
                return in_turns(one, other, PAIRS)
            case "memory":
                return compared([(one.peak_memory(), other.peak_memory()) for _ in range(PAIRS)])
            case "step":
                return _per_step(one, folder)


def _per_step(many: Side, folder: Path) -> Compared:
    """The seconds of each step more, beside one second."""
    (folder / "few").mkdir()
    chain(STEPS[0]).write(folder / "few" / NOTEBOOK)
    few = nb2pipe()(folder / "few")
    more = STEPS[1] - STEPS[0]
    return compared([((many.seconds() - few.seconds()) / more, 1.0) for _ in range(PAIRS)])


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def _chosen(words: list[str]) -> list[Row]:
    """The row of a whole name, or those that have all the words in theirs."""
    every = list(rows())
    return [row for row in every if [row.name] == words] or [
        row for row in every if all(word in row.name for word in words)
    ]


def main() -> None:
    """Measures the chosen rows, prints them, and keeps them."""
    known = report.read()
    for row in _chosen(sys.argv[1:]):
        load = os.getloadavg()[0]
        result = measured(row)
        said = {"name": row.name, "unit": row.unit, "target": row.target, "limit": row.limit, "pairs": PAIRS}
        said["floor"] = round(row.floor(limits(), result.other), 3) if row.floor else None
        known[row.name] = said | report.figures(result) | {"load": round(load, 1), "day": _today()}
        print(report.line(known[row.name]), flush=True)
        report.write(known, [each.name for each in rows()])


if __name__ == "__main__":
    main()
