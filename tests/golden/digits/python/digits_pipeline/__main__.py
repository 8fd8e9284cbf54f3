"""The pipeline `digits` in one process: `python -m digits_pipeline --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.runtime.program import run_pipeline

if TYPE_CHECKING:
    from nb2pipe.runtime.program import Run


def pipeline(
    run: Run,
    *,
    lr: float = 0.05,
    momentum: float = 0.9,
    epochs: int = 10,
    batch_size: int = 64,
    hidden: int = 64,
    random_state: int = 1,
) -> None:
    """A small network learns handwritten digits."""
    data = run("data", random_state=random_state)
    train = run(
        "train",
        train_ds=data.train_ds,
        lr=lr,
        momentum=momentum,
        epochs=epochs,
        batch_size=batch_size,
        hidden=hidden,
        random_state=random_state,
    )
    evaluate = run("evaluate", net=train.net, test_ds=data.test_ds)
    if run.passes("evaluate"):
        run(
            "plot",
            accuracy=evaluate.accuracy,
            losses=train.losses,
            matrix=evaluate.matrix,
        )
        run("publish", net=evaluate.net)


if __name__ == "__main__":
    sys.exit(run_pipeline("digits_pipeline", pipeline))
