"""Values of parameters as JSON, and which of them are secret."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.records.values import MASK, decode, encode, is_secret, masked, plain

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
KEYS = st.text() | st.integers() | st.just("$python")
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_survives_the_way_through_strict_json(value: object) -> None:
    text = json.dumps(encode(value), allow_nan=False)
    back = decode(json.loads(text))
    assert back == value
    assert type(back) is type(value)


@given(VALUES)
def test_what_people_see_of_a_value_is_strict_json(value: object) -> None:
    assert isinstance(json.dumps(plain(value), allow_nan=False), str)


def test_nan_a_set_and_a_complex_number_come_back() -> None:
    assert math.isnan(decode(encode(float("nan"))))  # type: ignore[arg-type]  # a float, as the test says
    assert decode(encode({1, 2})) == {1, 2}
    assert decode(encode(1 + 2j)) == 1 + 2j


def test_a_value_of_another_class_becomes_its_text() -> None:
    assert decode(encode(range(3))) == "range(0, 3)"


@pytest.mark.parametrize(
    "name",
    ["token", "hf_token", "HF_TOKEN", "dbPassword", "passwd", "client_secret", "aws_credential", "api_key", "apiKey"],
)
def test_a_name_that_says_secret_is_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "key_column", "tokenizer", "secretary", "apikeys_count", "lr", "key"])
def test_a_name_that_only_sounds_like_it_is_not(name: str) -> None:
    assert not is_secret(name)


def test_secrets_within_dictionaries_and_lists_are_masked_too() -> None:
    values: dict[str, object] = {"db": {"password": "x", "port": 1}, "hosts": [{"api_key": "y"}, 2], "lr": 0.1}
    assert masked(values) == {"db": {"password": MASK, "port": 1}, "hosts": [{"api_key": MASK}, 2], "lr": 0.1}


def test_a_secret_without_a_value_is_left_as_it_is() -> None:
    assert masked({"token": None, "secret": False}) == {"token": None, "secret": False}
