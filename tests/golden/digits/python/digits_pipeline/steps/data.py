"""Step `data` of the pipeline `digits`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset


class Data(NamedTuple):
    """What the step `data` leaves."""

    test_ds: Any
    train_ds: Any


def data(*, random_state: int = 1) -> Data:
    """Data."""
    # fmt: off
    # %% cell 6
    digits = load_digits()
    pixels = (digits.data / 16.0).astype(np.float32)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, digits.target, test_size=0.25, random_state=random_state, stratify=digits.target
    )
    print(f"{len(train_x)} images to train with, {len(test_x)} to test with")

    # %% cell 7
    train_ds = TensorDataset(torch.from_numpy(train_x), torch.from_numpy(train_y))
    test_ds = TensorDataset(torch.from_numpy(test_x), torch.from_numpy(test_y))
    # fmt: on
    return Data(test_ds=test_ds, train_ds=train_ds)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "data"))
