"""Secrets that an author wrote into a cell of parameters."""

from __future__ import annotations

import ast

import pytest

from nb2pipe.notebook.secret_defaults import masked_source, secrets_of
from nb2pipe.records.values import is_masked_default


@pytest.mark.parametrize(
    ("source", "masked", "secrets"),
    [
        ('token = "a"', 'token = "********"', ["a"]),
        ('token: str = "é"; lr = 1', 'token: str = "********"; lr = 1', ["é"]),
        ('token = "a" + "b"', 'token = "********"', ["ab"]),
        ('secret = """a\nb"""\nlr = 1', 'secret = """********\n"""\nlr = 1', ["a\nb"]),
        ('private_key = b"a"', 'private_key = b"********"', ["a"]),
        ('a, api_key = 1, "x"', 'a, api_key = 1, "********"', ["x"]),
        ('passwords = 1; password = f"a{x}"', 'passwords = 1; password = "********"', ["a"]),
        ('db = {"password": "x", "port": "1"}', 'db = {"password": "********", "port": "1"}', ["x"]),
        ('db = dict(password="x", port="1")', 'db = dict(password="********", port="1")', ["x"]),
        ('token = os.getenv("TOKEN", "x")', 'token = os.getenv("TOKEN", "********")', ["x"]),
        ('token = os.environ["T"] or "x"', 'token = os.environ["T"] or "********"', ["x"]),
        ('config["token"] = "x"', 'config["token"] = "********"', ["x"]),
        ('token = os.environ["TOKEN"]', None, []),
        ('token = ""', None, []),
        ('max_tokens = "5"; key_column = "id"', None, []),
        ("token = open(  # not yet", None, []),
    ],
)
def test_secrets_are_found_and_masked(source: str, masked: str | None, secrets: list[str]) -> None:
    assert masked_source(source) == (source if masked is None else masked)
    assert list(secrets_of(source)) == secrets


def test_lines_keep_their_numbers() -> None:
    source = 'token = ("a"\n    "b"\n)\nlast = 1'
    assert ast.parse(masked_source(source)).body[1].lineno == 4


@pytest.mark.parametrize("value", ["********", "********\n\n", b"********", {"a": {"b": "********"}}, ["********"]])
def test_a_default_that_is_a_mask_has_to_be_given(value: object) -> None:
    assert is_masked_default(value)


@pytest.mark.parametrize("value", [None, "", "x", 1, {"a": 1}])
def test_another_default_need_not_be_given(value: object) -> None:
    assert not is_masked_default(value)
