"""What stands in the record of the values that a step leaves."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nb2pipe.runtime.summaries import summaries


class Odd:
    """Answers for every attribute, and cannot be counted."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __len__(self) -> int:
        raise RuntimeError


TABLE = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": ["x", None, "z"], "c": [1, 2, 3]})


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, {"type": "int", "value": 3}),
        (True, {"type": "bool", "value": True}),
        (math.inf, {"type": "float", "value": "inf"}),
        ("text", {"type": "str", "length": 4}),
        ([1, 2], {"type": "list", "length": 2}),
        (np.array([1.0, np.nan]), {"shape": [2], "dtype": "float64", "nulls": 1, "mean": 1.0}),
        (np.array([], dtype="int8"), {"shape": [0], "dtype": "int8"}),
        (np.array(["a"]), {"shape": [1], "dtype": "<U1"}),
        (TABLE["a"], {"rows": 3, "shape": [3], "dtype": "float64", "nulls": 1, "mean": 2.0}),
        (torch.ones(2, 3), {"shape": [2, 3], "dtype": "torch.float32", "device": "cpu", "nulls": 0, "mean": 1.0}),
        (torch.ones(2, device="meta"), {"shape": [2], "dtype": "torch.float32", "device": "meta"}),
    ],
)
def test_a_value_is_told_by_what_it_has(value: object, told: dict[str, object]) -> None:
    found = summaries({"x": value}, ["x"])["x"]
    assert {key: found.get(key) for key in told} == told
    json.dumps(found, allow_nan=False)


def test_a_table_is_told_by_its_rows_types_nulls_and_means() -> None:
    found = summaries({"df": TABLE}, ["df"])["df"]
    assert (found["rows"], found["shape"], found["nulls"]) == (3, [3, 3], 2)
    assert found["mean"] == {"a": 2.0, "c": 2.0}


def test_a_model_is_told_by_its_parameters() -> None:
    model = torch.nn.Linear(2, 1)
    torch.nn.init.ones_(model.weight)
    torch.nn.init.zeros_(model.bias)
    found = summaries({"net": model}, ["net"])["net"]
    assert found == {"type": "torch.nn.modules.linear.Linear", "parameters": 3, "mean": 2 / 3}


def test_what_a_value_of_a_secret_name_holds_is_not_told() -> None:
    assert summaries({"password": 1234}, ["password"]) == {"password": {"type": "int"}}


def test_a_value_that_cannot_be_looked_at_is_told_by_its_type_and_one_that_is_not_there_not_at_all() -> None:
    found = summaries({"odd": Odd(), "numbers": [Odd()]}, ["odd", "missing"])
    assert list(found) == ["odd"]
    assert found["odd"]["type"].endswith("Odd")


def test_no_value_is_changed_and_no_warning_given() -> None:
    array = np.array([np.nan, np.inf, -np.inf])
    before = array.tobytes()
    summaries({"a": array, "t": torch.from_numpy(array)}, ["a", "t"])
    assert array.tobytes() == before
