"""Step `evaluate` of the pipeline `digits`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from sklearn.metrics import confusion_matrix
from torch.utils.data import DataLoader

from digits_pipeline.definitions import predictions


class Evaluate(NamedTuple):
    """What the step `evaluate` leaves."""

    accuracy: Any
    matrix: Any
    net: Any


def evaluate(net: Any, test_ds: Any) -> Evaluate:
    """Evaluate."""
    # fmt: off
    # %% cell 12
    predicted = predictions(net, DataLoader(test_ds, batch_size=256))
    expected = test_ds.tensors[1]
    matrix = confusion_matrix(expected, predicted)
    accuracy = float((predicted == expected).float().mean())

    # %% cell 13
    print(accuracy)
    # fmt: on
    return Evaluate(accuracy=accuracy, matrix=matrix, net=net)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "evaluate"))
