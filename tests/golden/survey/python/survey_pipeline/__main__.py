"""The pipeline `survey` in one process: `python -m survey_pipeline --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.runtime.program import run_pipeline

if TYPE_CHECKING:
    from nb2pipe.runtime.program import Run


def pipeline(
    run: Run,
    *,
    test_size: float = 0.25,
    random_state: int = 7,
    trees: int = 100,
    alpha: float = 0.1,
) -> None:
    """Five models side by side."""
    load = run("load")
    clean = run("clean", table=load.table)
    split = run(
        "split",
        table=clean.table,
        test_size=test_size,
        random_state=random_state,
    )
    linear = run(
        "linear",
        X_test=split.X_test,
        X_train=split.X_train,
        y_test=split.y_test,
        y_train=split.y_train,
    )
    ridge = run(
        "ridge",
        X_test=split.X_test,
        X_train=split.X_train,
        y_test=split.y_test,
        y_train=split.y_train,
        random_state=random_state,
        alpha=alpha,
    )
    forest = run(
        "forest",
        X_test=split.X_test,
        X_train=split.X_train,
        y_test=split.y_test,
        y_train=split.y_train,
        random_state=random_state,
        trees=trees,
    )
    boosting = run(
        "boosting",
        X_test=split.X_test,
        X_train=split.X_train,
        y_test=split.y_test,
        y_train=split.y_train,
        random_state=random_state,
        trees=trees,
    )
    neighbors = run(
        "neighbors",
        X_test=split.X_test,
        X_train=split.X_train,
        y_test=split.y_test,
        y_train=split.y_train,
    )
    run(
        "compare",
        boosting_error=boosting.boosting_error,
        forest_error=forest.forest_error,
        linear_error=linear.linear_error,
        neighbors_error=neighbors.neighbors_error,
        ridge_error=ridge.ridge_error,
    )


if __name__ == "__main__":
    sys.exit(run_pipeline("survey_pipeline", pipeline))
