"""What recording costs: a step of a training loop, and a point that code logs, beside other tools.

A step is timed on a model that does nothing, in a process without any hooks and in one that records, in turns; the cost
is the median of the pairs' differences, in microseconds of the processor, and is to be 20 at most. `make bench`
measures all of it and writes `RECORDING.md`; `python benchmarks/recording.py points` those rows that have the word.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peers
import report

from nb2pipe.records.blocks import Rows
from nb2pipe.records.series import COLUMNS, LOGGED, recorded
from nb2pipe.runtime.recording.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
TABLE = HERE / "RECORDING.md"
PAIRS = 5
STEPS = 20_000
LIMIT = 20.0
POINTS = 1_000_000
KINDS = {
    "steps": "an optimizer step: loss and learning rate",
    "batches": "and a batch of a `DataLoader`",
    "scaled": "and a loss scaled by `GradScaler`",
    "epochs": "and `zero_grad`, two groups of parameters",
}
TOOLS = {
    "nb2pipe": ("nb2pipe, `track.log`", "", POINTS),
    "tensorboard": ("TensorBoard, `SummaryWriter.add_scalar`", "", 50_000),
    "aim": ("Aim, `Run.track`", "Aim", 20_000),
    "mlflow_batches": ("MLflow, `log_batch` of 1,000", "", 10_000),
    "mlflow_later": ("MLflow, `log_metric(synchronous=False)`", "", 2_000),
    "mlflow": ("MLflow, `log_metric`", "", 300),
}
"""How a tool is called, its environment, and how many points it logs."""
TITLE = """# Recording, measured

`make bench` measures this and writes the page; medians of five. A step: microseconds of the processor that recording
adds to a loop whose model does nothing (the loop alone in parentheses). A point: microseconds that the loop waits, and
in parentheses those until all of it is written. Other tools have environments of their own, or are those of
`constraints.txt`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table: what, how much, and beside what or by which limit."""

    name: str
    amount: str
    beside: str


def rows() -> Iterator[tuple[str, Any]]:
    """The names of what is measured, and what measures it."""
    for kind, name in KINDS.items():
        yield f"step: {name}", lambda kind=kind: _step(kind)
    for tool, (name, _, _) in TOOLS.items():
        yield f"points: {name}", lambda tool=tool: _points(tool)
    yield "reading: a million recorded steps, all series", lambda: _read("loop", (*COLUMNS, "lr"))
    yield "reading: a million points that were logged", lambda: _read("logged", LOGGED)


def main() -> None:
    """Measures the chosen rows and prints them; writes the table where all were chosen."""
    found = []
    for name, measure in rows():
        if all(word in name for word in sys.argv[1:]):
            amount, beside = measure()
            found.append(Row(name=name, amount=amount, beside=beside))
            print(f"{name:56} {amount:>22} {beside:>24}", flush=True)
    if not sys.argv[1:]:
        TABLE.write_text(_page(found), encoding="utf-8")


def _page(found: list[Row]) -> str:
    body = "".join(f"| {row.name} | {row.amount} | {row.beside} |\n" for row in found)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"{TITLE}\n| what | cost | beside, limit |\n|---|---|---|\n{body}\n{day}. {report.machine()}"


# ---------------------------------------------------------------------------------------------------- steps


def _step(kind: str) -> tuple[str, str]:
    pairs = [(_child(kind, "plain"), _child(kind, "recorded")) for _ in range(PAIRS)]
    plain = statistics.median(one for one, _ in pairs)
    cost = statistics.median(two - one for one, two in pairs)
    return f"{cost:.1f} us ({plain:.1f})", f"{LIMIT:g}, {'reached' if cost <= LIMIT else 'MISSED'}"


def _child(kind: str, how: str) -> float:
    command = [sys.executable, __file__, "step", kind, how]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment())
    return float(done.stdout)


def _measure(kind: str, how: str) -> float:
    torch = import_module("torch")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording(Path(folder) / "series" if how == "recorded" else None)
        recording.begin()
        _loop(torch, kind, 1000)
        begin = time.process_time()
        _loop(torch, kind, STEPS)
        seconds = time.process_time() - begin
        recording.finish()
    return seconds / STEPS * 1e6


def _loop(torch: Any, kind: str, steps: int) -> None:
    class Nothing(torch.optim.Optimizer):  # type: ignore[misc,name-defined]  # it is a value here
        def step(self, closure: Any = None) -> None:
            pass

    loss, other = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    groups = [{"params": [loss]}, {"params": [other]}] if kind == "epochs" else [loss]
    optimizer, scaler = Nothing(groups, {"lr": 0.1}), torch.amp.GradScaler("cpu")
    loader = torch.utils.data.DataLoader(torch.zeros(steps, 2), batch_size=None)
    for _ in range(steps) if kind == "steps" else loader:
        if kind == "epochs":
            optimizer.zero_grad()
        (scaler.scale(loss) if kind == "scaled" else loss).backward()
        optimizer.step()


# ---------------------------------------------------------------------------------------------------- points


def _points(tool: str) -> tuple[str, str]:
    _, environment, count = TOOLS[tool]
    python = peers.program(environment) if environment else sys.executable
    command = [python, str(HERE / "points.py"), tool, str(count)]
    found = [_said(command) for _ in range(PAIRS)]
    loop, written = (statistics.median(each[key] for each in found) for key in ("loop", "written"))
    return f"{loop:.1f} us ({written:.1f})", f"{count:,} points"


def _said(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=_environment())
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]  # it printed it


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def _read(kind: str, columns: tuple[str, ...]) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        rows = Rows(Path(folder) / f"{kind}-1.rows", columns, {"name": "loss" if kind == "logged" else ""})
        more = (0.1,) * (len(columns) - 6)
        for number in range(POINTS):
            row = (number / 1000, number, 1, 1 + number // 5000, number % 5000, 32, *more)
            rows.add(row[: len(columns)])
        found = []
        for _ in range(PAIRS):
            begin = time.perf_counter()
            assert len(recorded(Path(folder))["loss"]) == POINTS
            found.append(time.perf_counter() - begin)
    seconds = statistics.median(found)
    return f"{seconds:.2f} s", f"1 s, {'reached' if seconds <= 1 else 'MISSED'}"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["step", kind, how]:
            print(_measure(kind, how))
        case _:
            main()
