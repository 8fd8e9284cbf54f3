"""Step `scale` of the pipeline `tour`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

from nb2pipe.runtime.cells import run_cells

from tour_pipeline import definitions

CELLS = Path(__file__).parents[1] / "cells" / "scale.py"


class Scale(NamedTuple):
    """What the step `scale` leaves."""

    big: Any


def scale(numbers: Any, *, factor: float = 2.0) -> Scale:
    """`block:` is Kale's older word for `step:`; `prev:` adds order, where what
    flows does not already tell.

    Its cells run as top-level code, in `cells/scale.py`, since its cell may
    raise, and the step goes on then (cell 14, line 1).
    """
    given = {"numbers": numbers, "factor": factor}
    found = run_cells(CELLS, definitions, given)
    return Scale(big=found["big"])


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "scale"))
