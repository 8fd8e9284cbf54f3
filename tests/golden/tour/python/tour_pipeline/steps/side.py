"""Step `side` of the pipeline `tour`."""

from __future__ import annotations

import sys
from typing import Any


def side(numbers: Any) -> None:
    """Cell 17 of `tour.ipynb`."""
    # fmt: off
    # %% cell 17
    print("the smallest number is", min(numbers))  # needs only `load`: runs beside `scale`
    # fmt: on


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "side"))
