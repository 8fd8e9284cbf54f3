"""Step `summary` of the pipeline `tour`."""

from __future__ import annotations

import statistics
import sys
from typing import Any, NamedTuple


class Summary(NamedTuple):
    """What the step `summary` leaves."""

    largest: Any
    mean: Any


def summary(big: Any) -> Summary:
    """Cells 15 and 16 of `tour.ipynb`."""
    # fmt: off
    # %% cell 15
    mean = statistics.mean(big)
    largest = max(big)

    # %% cell 16
    print(mean)
    print(largest)
    # fmt: on
    return Summary(largest=largest, mean=mean)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "summary"))
