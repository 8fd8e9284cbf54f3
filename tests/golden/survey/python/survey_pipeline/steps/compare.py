"""Step `compare` of the pipeline `survey`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


class Compare(NamedTuple):
    """What the step `compare` leaves."""

    best_error: Any
    comparison: Any
    spread: Any


def compare(
    boosting_error: Any,
    forest_error: Any,
    linear_error: Any,
    neighbors_error: Any,
    ridge_error: Any,
) -> Compare:
    """Cells 15, 16 and 17 of `survey.ipynb`."""
    # fmt: off
    # %% cell 15
    comparison = pd.Series(
        {
            "linear": linear_error,
            "ridge": ridge_error,
            "forest": forest_error,
            "boosting": boosting_error,
            "neighbors": neighbors_error,
        },
        name="mean absolute error",
    ).sort_values()
    comparison.round(2)

    # %% cell 16
    comparison.plot.barh(xlabel=comparison.name, figsize=(7, 3))
    plt.tight_layout()
    plt.show()

    # %% cell 17
    best_error = float(comparison.iloc[0])
    spread = float(np.ptp(comparison.to_numpy()))
    # fmt: on
    return Compare(best_error=best_error, comparison=comparison, spread=spread)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "compare"))
