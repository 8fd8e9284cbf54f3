"""Step `halving/halve` of the pipeline `tour`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class Halve(NamedTuple):
    """What the step `halving/halve` leaves."""

    halves: Any


def halve(given: Any, *, factor: float = 2.0) -> Halve:
    """Cell 4 of `tour_nested.ipynb`."""
    # fmt: off
    # %% tour_nested.ipynb, cell 4
    halves = [value / 2 / factor for value in given]
    print("halves:", halves)
    # fmt: on
    return Halve(halves=halves)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "halving/halve"))
