"""Step `linear` of the pipeline `survey`."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.linear_model import LinearRegression

from survey_pipeline import definitions
from survey_pipeline.definitions import score


class Linear(NamedTuple):
    """What the step `linear` leaves."""

    linear_error: Any


def linear(X_test: Any, X_train: Any, y_test: Any, y_train: Any) -> Linear:
    """Cell 10 of `survey.ipynb`."""
    # read as globals by functions of `definitions`
    definitions.X_test = X_test
    definitions.y_test = y_test
    # fmt: off
    # %% cell 10
    linear = LinearRegression().fit(X_train, y_train)
    linear_error = score(linear)
    # fmt: on
    return Linear(linear_error=linear_error)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "linear"))
