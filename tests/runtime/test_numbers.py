from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from nb2pipe.runtime.numbers import as_number, metrics_of


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (True, 1.0),
        (0.5, 0.5),
        (Fraction(1, 2), 0.5),
        (Decimal("0.25"), 0.25),
        (np.float32(0.5), 0.5),
        (np.int64(4), 4.0),
        (np.array(2.5), 2.5),
        (np.bool_(False), 0.0),
        (torch.tensor(1.5, requires_grad=True), 1.5),
        (math.inf, math.inf),
    ],
    ids=repr,
)
def test_numbers_of_all_libraries_are_numbers(value: object, number: float) -> None:
    assert as_number(value) == number


@pytest.mark.parametrize(
    "value",
    ["1", None, [1], np.array([1.0]), torch.tensor([1.0]), 1j, 10**400, np.array("a"), pd.Series([1])],
    ids=lambda value: type(value).__name__,
)
def test_all_else_is_none(value: object) -> None:
    assert as_number(value) is None


class Answers:
    """Answers for attributes from a dictionary, and so with the wrong error."""

    def __getattr__(self, name: str) -> object:
        return {}[name]


def test_an_object_that_answers_for_every_attribute_is_no_number() -> None:
    assert as_number(Answers()) is None


def test_a_flat_dictionary_of_numbers_gives_its_keys_and_any_other_gives_nothing() -> None:
    values = {
        "flat": {"f1": np.float64(0.5), "macro avg": 1},
        "mixed": {"lr": 0.1, "name": "x"},
        "deep": {"a": {"b": 1}},
        "keyed": {1: 2.0},
        "empty": {},
    }
    assert metrics_of(["flat", "mixed", "deep", "keyed", "empty", "absent"], values) == {"f1": 0.5, "macro avg": 1.0}
