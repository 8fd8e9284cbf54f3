"""Step `plot` of the pipeline `digits`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay


class Plot(NamedTuple):
    """What the step `plot` leaves."""

    figure: Any
    left: Any
    right: Any


def plot(accuracy: Any, losses: Any, matrix: Any) -> Plot:
    """Cell 14 of `digits.ipynb`."""
    # fmt: off
    # %% cell 14
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    left.plot(range(1, len(losses) + 1), losses, marker="o")
    left.set(xlabel="epoch", ylabel="loss", title="Training")
    ConfusionMatrixDisplay(matrix).plot(ax=right, colorbar=False)
    right.set_title(f"Test: {accuracy:.1%} right")
    plt.show()
    # fmt: on
    return Plot(figure=figure, left=left, right=right)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "plot"))
