"""Step `neighbors` of the pipeline `survey`."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.neighbors import KNeighborsRegressor

from survey_pipeline import definitions
from survey_pipeline.definitions import score


class Neighbors(NamedTuple):
    """What the step `neighbors` leaves."""

    neighbors_error: Any


def neighbors(X_test: Any, X_train: Any, y_test: Any, y_train: Any) -> Neighbors:
    """Cell 14 of `survey.ipynb`."""
    # read as globals by functions of `definitions`
    definitions.X_test = X_test
    definitions.y_test = y_test
    # fmt: off
    # %% cell 14
    neighbors = KNeighborsRegressor(n_neighbors=10)
    neighbors.fit(X_train, y_train)
    neighbors_error = score(neighbors)
    # fmt: on
    return Neighbors(neighbors_error=neighbors_error)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "neighbors"))
