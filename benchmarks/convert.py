"""Conversion of 50, 500 and 1,000 cells as whole processes, to every target, and how it grows: `make bench`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from start import PROGRAM, compare, notebook, seconds

from nb2pipe import plugins

LIMITS = {50: 1.0, 1000: 5.0}
"""Seconds that a conversion of so many cells may take on a developer's machine."""


def command(cells: int, folder: Path, target: str = "python") -> list[str]:
    """The command that converts a notebook of so many cells."""
    made = folder / f"made_{cells}_{target}"
    return [*PROGRAM, "convert", str(notebook(cells, folder)), "--to", target, "-o", str(made), "--force", "-q"]


def main() -> None:
    """Prints the table, and what is over its limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for cells, limit in LIMITS.items():
            best = min(seconds(command(cells, folder)) for _ in range(3))
            print(f"convert of {cells:5} cells: {best:5.2f} s of {limit:.0f} s {'' if best < limit else 'TOO SLOW'}")
        for target in plugins.names("targets"):
            best = min(seconds(command(50, folder, target)) for _ in range(3))
            print(f"convert of 50 cells to {target:15} {best:5.2f} s of 1 s {'' if best < 1 else 'TOO SLOW'}")
        compare("convert of 1,000 cells / of 500", command(1000, folder), command(500, folder))
        compare("convert of 50 cells / python -c pass", command(50, folder), [sys.executable, "-c", "pass"])


if __name__ == "__main__":
    main()
