"""Values of a checkpoint come back as they were, without pickle; what does not fit is named with its path."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nb2pipe.tracking.training.placing import put_back
from nb2pipe.tracking.training.tensors import fill, lay_out, read
from nb2pipe.tracking.training.values import Decoder, Encoder

PLAIN: dict[str, Any] = {
    "numbers": [1, 10**30, 0.1, -0.0, True, None, 2j],
    "infinite": [math.inf, -math.inf],
    "texts": {"a": "b\u00e9\ud800", "$": "c"},
    "keys": {1: "a", (1, 2): "b", None: 3},
    "containers": [(1, [2]), {3, 4}, frozenset({5}), deque([1, 2], 2), range(1, 9, 2)],
    "kinds": [Counter("aab"), OrderedDict(b=1, a=2), b"\x00\xff", bytearray(b"x")],
    "defaults": defaultdict(list, {"a": [1]}),
    "times": [dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.date(2026, 1, 2), dt.timedelta(1, 2, 3)],
    "paths": Path("a/b"),
    "torch": [torch.float16, torch.device("cpu"), torch.Size([2, 3])],
}


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN)
def test_plain_values_come_back(value: Any) -> None:
    back = again(value)
    assert back == value
    assert repr(back) == repr(value)


@pytest.mark.parametrize("value", [np.arange(6.0).reshape(2, 3).T, np.float32(2.5), np.zeros(0), np.array(3)])
def test_arrays_come_back_with_type_and_order(value: Any) -> None:
    back = again(value)
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert np.array_equal(back, value)
    assert getattr(back, "strides", None) == getattr(value, "strides", None)


@pytest.mark.parametrize(
    "value",
    [
        torch.randn(3, 4).t(),
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.tensor(2.0),
        torch.zeros(0, 3),
        torch.randn(3).bfloat16(),
        torch.tensor([True, False]),
        torch.randn(2, dtype=torch.complex128),
        torch.randn(2, dtype=torch.complex64),
        torch.randn(4).to(torch.float8_e4m3fn),
    ],
    ids=lambda value: f"{value.dtype} {tuple(value.shape)}",
)
def test_tensors_come_back_bit_for_bit(value: Any) -> None:
    back = again({"t": value})["t"]
    assert (back.dtype, back.shape, back.stride()) == (value.dtype, value.shape, value.stride())
    assert torch.equal(
        back.contiguous().reshape(-1).view(torch.uint8), value.contiguous().reshape(-1).view(torch.uint8)
    )


def test_a_file_is_one_that_safetensors_reads(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(3), "b": torch.randn(2, 2).double(), "c": torch.tensor([True])}
    path = tmp_path / "x.safetensors"
    path.write_bytes(bytes(written(tensors, "text \u00e9")))
    found = load_file(path)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_one_object_in_two_places_stays_one() -> None:
    inner = [1]
    back = again({"a": inner, "b": inner})
    assert back["a"] is back["b"]


class Stopper:
    def __init__(self) -> None:
        self.best, self.seen = 0.0, [1.0]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, print]}, "state['a'][1]"),
        ({"f": open}, "state['f']"),
        (defaultdict(lambda: 3), "state"),
        ({"t": torch.eye(2).to_sparse()}, "state['t']"),
        ({"o": np.array([object()])}, "state['o']"),
    ],
)
def test_what_does_not_fit_is_named(value: Any, path: str) -> None:
    with pytest.raises(TypeError) as caught:
        Encoder().encode(value, "state")
    assert f"`{path}`" in str(caught.value)


def test_what_holds_itself_is_named() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TypeError, match=r"state\[0\]"):
        Encoder().encode(value, "state")


def test_what_shares_the_models_memory_is_named() -> None:
    net = torch.nn.Linear(2, 1)
    encoder = Encoder()
    encoder.tensor(net.weight, "model.weight")
    encoder.close()
    with pytest.raises(TypeError, match=r"shares its memory with `model.weight`"):
        encoder.encode({"best": net.state_dict()}, "state")


def test_content_is_put_back_into_the_objects_that_there_are() -> None:
    history, seen, array, stopper = [1], {"a": [1]}, np.zeros(2), Stopper()
    draws = random.Random(1)
    value = {
        "history": history,
        "seen": seen,
        "array": array,
        "stopper": stopper,
        "draws": draws,
        "net": torch.zeros(2),
    }
    alias = seen["a"]
    encoder = Encoder()
    data = encoder.encode(value, "state")
    tensors, _ = read(bytes(written(encoder.tensors, "")))
    draws.random()
    history.append(2)
    alias.append(2)
    array += 1
    stopper.best, stopper.seen = 1.0, []
    expected = random.Random(1).random()
    back = put_back(value, Decoder(tensors).decode(json.loads(json.dumps(data))))
    assert back is value
    assert history == [1]
    assert alias == [1]
    assert seen["a"] is alias
    assert not array.any()
    assert (stopper.best, stopper.seen) == (0.0, [1.0])
    assert draws.random() == expected


class Kind(Enum):
    ONE, TWO = 1, 2


Move = namedtuple("Move", "state reward")  # noqa: PYI024  # as notebooks have it


@dataclass
class Row:
    name: str
    seen: list[int]


def test_objects_that_are_not_there_yet_are_made() -> None:
    row = Row("a", [1])
    value = {"rows": [row, row, Row("b", [])], "kind": Kind.TWO, "moves": deque([Move(torch.ones(2), 0.5)], 3)}
    back = put_back({"rows": [], "kind": Kind.ONE, "moves": deque(maxlen=3)}, again(value))
    assert back["rows"] == value["rows"]
    assert back["rows"][0] is back["rows"][1]
    assert back["kind"] is Kind.TWO
    assert Kind.ONE.value == 1, "an enumeration's member was changed"
    assert type(back["moves"][0]) is Move
    assert torch.equal(back["moves"][0].state, torch.ones(2))


def test_one_object_takes_the_content_of_one_only() -> None:
    best = Row("old", [])
    back = put_back({"best": best, "all": [best]}, again({"best": Row("new", []), "all": [Row("old", [])]}))
    assert [back["best"].name, back["all"][0].name] == ["new", "old"]


def test_a_large_array_lies_beside_the_text() -> None:
    value = {"a": np.arange(2000.0).reshape(40, 50).T, "b": np.arange(3)}
    encoder = Encoder()
    assert len(json.dumps(encoder.encode(value, "state"))) < 1000
    assert len(encoder.tensors) == 1
    back = again(value)
    assert np.array_equal(back["a"], value["a"])
    assert back["a"].flags.f_contiguous
    back["a"][0] = 1.0


def again(value: Any) -> Any:
    encoder = Encoder()
    data = json.loads(json.dumps(encoder.encode(value, "state")))
    tensors, _ = read(bytes(written(encoder.tensors, "")))
    return Decoder(tensors).decode(data)


def written(tensors: dict[str, Any], text: str) -> bytearray:
    layout = lay_out(tensors, text)
    memory = bytearray(layout.size)
    fill(memory, layout, tensors)
    assert read(bytes(memory))[1] == text
    return memory
