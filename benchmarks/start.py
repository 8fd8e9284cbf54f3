"""Start-up and growth, as ratios of two commands timed in turns: `make bench`.

Rows: `nb2pipe --help` against an empty Python, and `nb2pipe check` of 1,000 cells against 500 and against `--help`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAIRS = 9
PROGRAM = [str(Path(sys.executable).parent / "nb2pipe")]
CELLS = (
    "import numpy as np\nimport pandas as pd",
    "table_{n} = pd.DataFrame({{'a': np.arange({n} + 3), 'b': np.ones({n} + 3)}})",
    "def scale_{n}(frame, factor=2.0):\n    return frame.assign(a=frame['a'] * factor)",
    "scaled_{n} = scale_{n}(table_{n})\nscaled_{n}['c'] = scaled_{n}['a'] - scaled_{n}['b']",
    "rows = [row for row in scaled_{n}.itertuples() if row.a > 1]\nprint(len(rows), scaled_{n}.c.mean())",
)


def notebook(cells: int, folder: Path) -> Path:
    """A notebook of so many cells, with a step every ten of them."""
    made = []
    for number in range(cells):
        tags = [f"step:part_{number // 10}"] if number % 10 == 0 else []
        source = CELLS[number % len(CELLS)].format(n=number // len(CELLS))
        cell = {
            "cell_type": "code",
            "metadata": {"tags": tags},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        made.append({**cell, "id": f"cell-{number}"})
    path = folder / f"cells_{cells}.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


def seconds(command: list[str]) -> float:
    """How long a command takes as a whole process."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def compare(name: str, command: list[str], other: list[str]) -> None:
    """Times two commands in turns, and prints the median of the pairs' ratios."""
    pairs = [(seconds(command), seconds(other)) for _ in range(PAIRS)]
    ratio = statistics.median(one / two for one, two in pairs)
    ones, twos = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    print(f"{name:44} {ones * 1000:8.0f} ms {twos * 1000:8.0f} ms   {ratio:5.2f}")


def main() -> None:
    """Prints the table."""
    print(f"{'median of ' + str(PAIRS) + ' pairs':44} {'this':>11} {'other':>11}   ratio")
    compare("--help / python -c pass", [*PROGRAM, "--help"], [sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory() as folder:
        small, large = (str(notebook(cells, Path(folder))) for cells in (500, 1000))
        compare("check of 1,000 cells / of 500", [*PROGRAM, "check", large], [*PROGRAM, "check", small])
        compare("check of 1,000 cells / --help", [*PROGRAM, "check", large], [*PROGRAM, "--help"])


if __name__ == "__main__":
    main()
