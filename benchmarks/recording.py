"""What recording costs a training loop, in microseconds of the processor a step: a model that does nothing.

Each row compares the same loop in a process without any hooks with one in a process that records, in turns, and gives
the median of the pairs' differences. The limit is 20 us. `python benchmarks/recording.py`
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from nb2pipe.records.blocks import Rows
from nb2pipe.records.series import COLUMNS, recorded
from nb2pipe.runtime.recording.recording import Recording

PAIRS = 5
STEPS = 20_000
LIMIT = 20.0
POINTS = 1_000_000


def main() -> None:
    """Prints a row for each kind of loop, and how long a million recorded steps take to be read."""
    print(f"{'':32} {'plain':>10} {'recorded':>10} {'cost':>8}")
    for kind in ("steps", "batches"):
        pairs = [(_child(kind, "plain"), _child(kind, "recorded")) for _ in range(PAIRS)]
        plain, recorded = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
        cost = statistics.median(two - one for one, two in pairs)
        verdict = "" if cost <= LIMIT else f"   more than {LIMIT:.0f} us"
        print(f"{f'a step of {kind}':32} {plain:7.1f} us {recorded:7.1f} us {cost:5.1f} us{verdict}")
    print(f"{'a million steps are read in':32} {_read():7.2f} s")


def _child(kind: str, how: str) -> float:
    done = subprocess.run([sys.executable, __file__, kind, how], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _measure(kind: str, how: str) -> float:
    torch = import_module("torch")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        if how == "recorded":
            Recording(Path(folder) / "series").begin()
        _loop(torch, kind, 1000)
        begin = time.process_time()
        _loop(torch, kind, STEPS)
        return (time.process_time() - begin) / STEPS * 1e6


def _loop(torch: Any, kind: str, steps: int) -> None:
    class Nothing(torch.optim.Optimizer):  # type: ignore[misc,name-defined]  # it is a value here
        def step(self, closure: Any = None) -> None:
            pass

    loss = torch.zeros((), requires_grad=True)
    optimizer = Nothing([loss], {"lr": 0.1})
    batches = torch.utils.data.DataLoader(torch.zeros(steps, 2), batch_size=None) if kind == "batches" else range(steps)
    for _ in batches:
        loss.backward()
        optimizer.step()


def _read() -> float:
    with tempfile.TemporaryDirectory() as folder:
        rows = Rows(Path(folder) / "loop-1.rows", (*COLUMNS, "lr"), {"name": ""})
        for number in range(POINTS):
            rows.add((number / 1000, 0.5, 1, 1 + number // 5000, number % 5000, 32, 0.1))
        begin = time.perf_counter()
        assert len(recorded(Path(folder))["loss"]) == POINTS
        return time.perf_counter() - begin


if __name__ == "__main__":
    match sys.argv[1:]:
        case [kind, how]:
            print(_measure(kind, how))
        case _:
            main()
