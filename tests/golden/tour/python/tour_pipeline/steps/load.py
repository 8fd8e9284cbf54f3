"""Step `load` of the pipeline `tour`."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple


class Load(NamedTuple):
    """What the step `load` leaves."""

    numbers: Any


def load(*, count: int = 5, title: str = "a tour") -> Load:
    """`step:load` starts a step. The rest says what a target needs to know of it:
    its image, limits, labels and annotations, and a secret that comes as an
    environment variable (here `HOME`, which every machine has).
    """
    # fmt: off
    # %% cell 7
    numbers = list(range(1, count + 1))
    print(f"{title}: {len(numbers)} numbers, {'with' if os.environ['HOME'] else 'without'} a home")

    # %% cell 11
    numbers.append(100)  # an untagged cell belongs to the step above
    # fmt: on
    return Load(numbers=numbers)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "load"))
