"""Runs of small notebooks as whole processes, in turns with papermill on the whole notebook.

Rows: ten and fifty trivial steps that import torch, pandas and scikit-learn; six independent steps of 3 s, which sleep
or compute, two at a time; two steps of training side by side against one after the other; forked kernels against cold
ones. Each is a median of ratios; reuse is off, so that every run does all its work. `python benchmarks/run.py trivial`
prints the rows that have the word in their names.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from start import PROGRAM, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PAIRS = 5
PAPERMILL = [str(Path(sys.executable).parent / "papermill"), "--no-progress-bar", "-k", "python3"]
IMPORTS = '# %% tags=["imports"]\nimport time\nimport torch\nimport pandas as pd\nimport sklearn.linear_model\n'
WORK = {
    "sleep": "time.sleep(3)",
    "compute": "begin = time.process_time()\nwhile time.process_time() - begin < 3:\n    pass",
}
TRAINING = """
torch.manual_seed({n})
net_{n} = torch.nn.Sequential(torch.nn.Linear(200, 800), torch.nn.ReLU(), torch.nn.Linear(800, 1))
optimizer_{n} = torch.optim.SGD(net_{n}.parameters(), lr=0.01)
data_{n} = torch.rand(512, 200)
for _ in range(60):
    optimizer_{n}.zero_grad()
    net_{n}(data_{n}).pow(2).mean().backward()
    optimizer_{n}.step()
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two things that are timed.

    Attributes:
        command: Given the notebook.
        variables: Environment variables beside our own.
    """

    command: Callable[[Path], list[str]]
    variables: Mapping[str, str] = field(default_factory=dict)


def nb2pipe(jobs: int, **variables: str) -> Side:
    """A run with so many places."""
    return Side(lambda path: [*PROGRAM, "run", str(path), "-j", str(jobs), "--no-cache", "-q"], variables)


STRAIGHT = Side(lambda path: [*PAPERMILL, str(path), str(path.with_name("out.ipynb"))])


def chain(steps: int) -> str:
    """Trivial steps, one after another."""
    cells = "".join(f'\n# %% tags=["step:s{n}"]\nx = x + 1\n' for n in range(1, steps))
    return f'{IMPORTS}\n# %% tags=["step:s0"]\nx = torch.ones(3)\n{cells}'


def fan(work: str, steps: int = 6) -> str:
    """Steps that know nothing of each other, between one that loads and one that joins."""
    middle = "".join(
        f'\n# %% tags=["step:m{n}"]\nm{n} = x + {n}\n{work.replace("begin", f"begin_{n}")}\n' for n in range(steps)
    )
    names = " + ".join(f"m{n}" for n in range(steps))
    return f'{IMPORTS}\n# %% tags=["step:load"]\nx = 1\n{middle}\n# %% tags=["step:join"]\nprint({names})\n'


def training() -> str:
    """Two steps that train."""
    return IMPORTS + "".join(f'\n# %% tags=["step:t{n}"]{TRAINING.format(n=n)}' for n in (1, 2))


def rows() -> Iterator[tuple[str, str, Side, Side]]:
    """Each row: its name, the notebook, what is timed, and beside what."""
    cold = nb2pipe(1, NB2PIPE_KERNELS="cold")
    yield "10 trivial steps / papermill", chain(10), nb2pipe(2), STRAIGHT
    yield "50 trivial steps / papermill", chain(50), nb2pipe(2), STRAIGHT
    for name, work in WORK.items():
        yield f"6 steps of 3 s that {name}, -j 2 / papermill", fan(work), nb2pipe(2), STRAIGHT
    yield "2 training steps, -j 2 / -j 1", training(), nb2pipe(2), nb2pipe(1)
    yield "10 trivial steps, forked / cold", chain(10), nb2pipe(1), cold


def compare(name: str, text: str, one: Side, two: Side) -> None:
    """Times two sides in turns, and prints the medians and the median of the ratios."""
    import jupytext  # heavy

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "n.ipynb"
        jupytext.write(jupytext.reads(text, fmt="py:percent"), path)
        pairs = [(timed(one, path), timed(two, path)) for _ in range(PAIRS)]
    ratio = statistics.median(first / second for first, second in pairs)
    ones, twos = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    print(f"{name:48} {ones:7.2f} s {twos:7.2f} s   {ratio:5.2f}", flush=True)


def timed(side: Side, path: Path) -> float:
    """The seconds of one side."""
    before = {name: os.environ.get(name) for name in side.variables}
    os.environ.update(side.variables)
    try:
        return seconds(side.command(path))
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def main() -> None:
    """Prints the table; words on the command line choose rows by their names."""
    print(f"{f'median of {PAIRS} pairs':48} {'this':>9} {'other':>9}   ratio")
    for name, *row in rows():
        if all(word in name for word in sys.argv[1:]):
            compare(name, *row)


if __name__ == "__main__":
    main()
