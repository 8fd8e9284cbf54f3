"""Step `halving/given` of the pipeline `tour`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class GivenStep(NamedTuple):
    """What the step `halving/given` leaves."""

    given: Any


def given_step(big: Any) -> GivenStep:
    """Cell 3 of `tour_nested.ipynb`."""
    # fmt: off
    # %% tour_nested.ipynb, cell 3
    try:
        given = big
    except NameError:
        given = [2, 4]
    # fmt: on
    return GivenStep(given=given)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("tour_pipeline", "halving/given"))
