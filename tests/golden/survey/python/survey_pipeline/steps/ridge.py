"""Step `ridge` of the pipeline `survey`."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.linear_model import Ridge

from survey_pipeline import definitions
from survey_pipeline.definitions import score


class RidgeResult(NamedTuple):
    """What the step `ridge` leaves."""

    ridge_error: Any


def ridge(
    X_test: Any,
    X_train: Any,
    y_test: Any,
    y_train: Any,
    *,
    random_state: int = 7,
    alpha: float = 0.1,
) -> RidgeResult:
    """Cell 11 of `survey.ipynb`."""
    # read as globals by functions of `definitions`
    definitions.X_test = X_test
    definitions.y_test = y_test
    # fmt: off
    # %% cell 11
    ridge = Ridge(alpha=alpha, random_state=random_state)
    ridge.fit(X_train, y_train)
    ridge_error = score(ridge)
    # fmt: on
    return RidgeResult(ridge_error=ridge_error)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "ridge"))
