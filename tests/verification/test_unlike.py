"""Where two values differ, as an author reads it."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from nb2pipe.verification.unlike import told_unlike

if TYPE_CHECKING:
    from collections.abc import Callable


def told(one: object, other: object) -> tuple[str, str, str] | None:
    """The place in `x`, and both values."""
    return told_unlike("x", one, other, ({}, {}))


def net(weight: float) -> torch.nn.Module:
    """A network with one weight of that value."""
    layers = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 2))
    torch.nn.init.ones_(layers.get_parameter("1.weight"))
    layers.get_parameter("1.weight").data[0, 2] = weight
    torch.nn.init.zeros_(layers.get_parameter("1.bias"))
    return layers


def power(exponent: int) -> Callable[[int], int]:
    """A function that keeps a value of the function around it."""
    return lambda base: base**exponent


class Log:
    """A class of a notebook."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines


ARRAY = np.arange(6.0).reshape(2, 3)
FRAME = pd.DataFrame({"a": [1, 2], "b": ["p", "q"]}, index=["r", "s"])

CASES: list[tuple[Any, Any, str, str, str]] = [
    ({"a": [1, 2]}, {"a": [1, 3]}, 'x["a"][1]', "2", "3"),
    (1, 1.0, "x", "1", "1.0"),
    ([1, 2], [1], "x", "[1, 2] (length 2)", "[1] (length 1)"),
    ({"a": 1}, {"b": 1}, "x", "keys 'a'", "keys 'b'"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "x", "keys 'a', 'b'", "keys 'b', 'a'"),
    ({1, 2}, {2, 3}, "x", "has 1", "has 3"),
    ("a" * 90 + "b", "a" * 90 + "c", "x[90]", f"...'{'a' * 20}b', length 91", f"...'{'a' * 20}c', length 91"),
    (Log(["a"]), Log(["b"]), "x.lines[0]", "'a'", "'b'"),
    ([[1]] * 2, [[1], [1]], "x[1]", "the same object as x[0]", "an object of its own"),
    (ARRAY, ARRAY.astype("float32"), "x.dtype", "float64", "float32"),
    (ARRAY, ARRAY.T, "x.shape", "(2, 3)", "(3, 2)"),
    (ARRAY, ARRAY + np.eye(2, 3), "x[0, 0]", "0.0", "1.0"),
    (ARRAY, np.asfortranarray(ARRAY), "x.strides", "(24, 8)", "(8, 16)"),
    (np.array(0.0), np.array(-0.0), "x", "0.0", "-0.0"),
    (np.array([{"k": 1}]), np.array([{"k": 2}]), 'x[0]["k"]', "1", "2"),
    (FRAME, FRAME.replace("q", "z"), "x.loc['s', 'b']", "'q'", "'z'"),
    (FRAME, FRAME.astype({"a": float}), "x['a'].dtype", "int64", "float64"),
    (FRAME, FRAME.rename(columns={"b": "c"}), "x.columns[1]", "'b'", "'c'"),
    (FRAME["a"], FRAME["a"].rename("z"), "x.name", "a", "z"),
    (FRAME["a"], FRAME["a"] + [0, 5], "x.loc['s']", "2", "7"),
    ({"net": net(0.5)}, {"net": net(0.25)}, 'x["net"][1].weight[0, 2]', "0.5", "0.25"),
    (torch.ones(2), torch.ones(2, requires_grad=True), "x.requires_grad", "False", "True"),
    (torch.ones(2, 2), torch.ones(2, 2).T, "x.stride()", "(2, 1)", "(1, 2)"),
    (torch.ones(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.bfloat16), "x[0]", "1.0", "0.0"),
    (power(2), power(3), "x with exponent", "2", "3"),
]


@pytest.mark.parametrize(("one", "other", "path", "first", "second"), CASES)
def test_the_first_difference_has_a_place_and_both_values(
    one: object, other: object, path: str, first: str, second: str
) -> None:
    assert told(one, other) == (path, first, second)


@pytest.mark.parametrize("value", [case[0] for case in CASES])
def test_a_copy_differs_in_nothing(value: object) -> None:
    assert told(value, copy.deepcopy(value)) is None


def test_a_gradient_is_part_of_a_parameter() -> None:
    one, other = net(1.0), net(1.0)
    one(torch.ones(1, 3)).sum().backward()
    other(torch.full((1, 3), 2.0)).sum().backward()
    assert told(one, other) == ("x[1].weight.grad[0, 0]", "1.0", "2.0")


def test_functions_differ_in_code_defaults_and_attributes() -> None:
    def one(n: int, by: int = 2) -> int:
        return n * by

    def other(n: int, by: int = 3) -> int:
        return n * by

    other.__qualname__ = one.__qualname__
    assert told(one, other) == ("x.__defaults__[0]", "2", "3")
    found = told(functools.partial(max, 1), functools.partial(max, 2))
    assert found is not None
    assert found == (
        "x",
        "functools.partial(<built-in function max>, 1)",
        "functools.partial(<built-in function max>, 2)",
    )


def test_memory_that_is_shared_on_one_side_only_is_a_difference() -> None:
    base = np.zeros(4)
    found = told([base, base[:2]], [base.copy(), base[:2].copy()])
    assert found == ("x[1]", "the same object as x[0]", "an object of its own")


def test_texts_that_are_alike_say_their_bits() -> None:
    one, other = np.array([np.nan]), np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)
    found = told(one, other)
    assert found is not None
    assert found[1:] == ("nan (bits 7ff8000000000000)", "nan (bits 7ff8000000000001)")
