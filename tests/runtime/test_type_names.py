from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.utils.data import TensorDataset

from nb2pipe.runtime.type_names import type_name


def made_within() -> object:
    class Hidden:
        """No import reaches it."""

    return Hidden()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "int"),
        (None, "None"),
        (pd.DataFrame(), "pandas.DataFrame"),
        (np.zeros(1), "numpy.ndarray"),
        (np.float64(1), "numpy.float64"),
        (torch.zeros(1), "torch.Tensor"),
        (TensorDataset(torch.zeros(1)), "torch.utils.data.TensorDataset"),
        (torch.optim.Adam([torch.zeros(1)]), "torch.optim.Adam"),
        (LogisticRegression(), "sklearn.linear_model.LogisticRegression"),
        (Path(), "pathlib.Path"),
        (len, "collections.abc.Callable"),
        (int, "type"),
        (iter(()), None),
        (made_within(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_class_is_called_by_the_shortest_public_place_that_has_it(value: object, name: str | None) -> None:
    assert type_name(value) == name


def test_classes_of_the_notebook_stand_in_definitions() -> None:
    net = type("Net", (), {"__module__": "__main__"})
    assert type_name(net()) == "definitions.Net"
