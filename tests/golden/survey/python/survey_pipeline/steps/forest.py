"""Step `forest` of the pipeline `survey`."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.ensemble import RandomForestRegressor

from survey_pipeline import definitions
from survey_pipeline.definitions import score


class Forest(NamedTuple):
    """What the step `forest` leaves."""

    forest_error: Any


def forest(
    X_test: Any,
    X_train: Any,
    y_test: Any,
    y_train: Any,
    *,
    random_state: int = 7,
    trees: int = 100,
) -> Forest:
    """Cell 12 of `survey.ipynb`."""
    # read as globals by functions of `definitions`
    definitions.X_test = X_test
    definitions.y_test = y_test
    # fmt: off
    # %% cell 12
    forest = RandomForestRegressor(n_estimators=trees, random_state=random_state)
    forest.fit(X_train, y_train)
    forest_error = score(forest)
    # fmt: on
    return Forest(forest_error=forest_error)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "forest"))
