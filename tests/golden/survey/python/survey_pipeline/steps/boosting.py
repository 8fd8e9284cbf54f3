"""Step `boosting` of the pipeline `survey`."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.ensemble import GradientBoostingRegressor

from survey_pipeline import definitions
from survey_pipeline.definitions import score


class Boosting(NamedTuple):
    """What the step `boosting` leaves."""

    boosting_error: Any


def boosting(
    X_test: Any,
    X_train: Any,
    y_test: Any,
    y_train: Any,
    *,
    random_state: int = 7,
    trees: int = 100,
) -> Boosting:
    """Cell 13 of `survey.ipynb`."""
    # read as globals by functions of `definitions`
    definitions.X_test = X_test
    definitions.y_test = y_test
    # fmt: off
    # %% cell 13
    boosting = GradientBoostingRegressor(n_estimators=trees, random_state=random_state)
    boosting.fit(X_train, y_train)
    boosting_error = score(boosting)
    # fmt: on
    return Boosting(boosting_error=boosting_error)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "boosting"))
