"""Step `publish` of the pipeline `tour`."""

from __future__ import annotations

import sys
from typing import Any


def publish(halves: Any, largest: Any, mean: Any) -> None:
    """Cell 20 of `tour.ipynb`."""
    # fmt: off
    # %% cell 20
    print(f"mean {mean:.2f}, largest {largest}, halves {halves}")
    # fmt: on


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "publish"))
