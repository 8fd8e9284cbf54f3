"""Step `split` of the pipeline `survey`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.model_selection import train_test_split


class Split(NamedTuple):
    """What the step `split` leaves."""

    X_test: Any
    X_train: Any
    y_test: Any
    y_train: Any


def split(table: Any, *, test_size: float = 0.25, random_state: int = 7) -> Split:
    """Cell 9 of `survey.ipynb`."""
    # fmt: off
    # %% cell 9
    X = table.drop(columns=["progression"])
    y = table["progression"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test_size, random_state=random_state)
    len(X_train), len(X_test)
    # fmt: on
    return Split(X_test=X_test, X_train=X_train, y_test=y_test, y_train=y_train)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "split"))
