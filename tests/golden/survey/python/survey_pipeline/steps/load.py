"""Step `load` of the pipeline `survey`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.datasets import load_diabetes


class Load(NamedTuple):
    """What the step `load` leaves."""

    table: Any


def load() -> Load:
    """Cell 5 of `survey.ipynb`."""
    # fmt: off
    # %% cell 5
    table = load_diabetes(as_frame=True, scaled=False).frame
    table.describe().round(1)
    # fmt: on
    return Load(table=table)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "load"))
