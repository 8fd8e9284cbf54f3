from __future__ import annotations

import math

import pytest

from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.errors import UsageError
from nb2pipe.notebook.model import Kernel, Notebook, Settings
from nb2pipe.pipeline.model import Parameter, Pipeline
from nb2pipe.pipeline.parameters import check_values, parse_mapping, parse_value


def pipeline(**defaults: object) -> Pipeline:
    notebook = Notebook(path="n.ipynb", cells=(), kernel=Kernel(), settings=Settings(), digest=Digest.of("t", 0))
    parameters = tuple(
        Parameter(name=name, type="None" if value is None else type(value).__name__, default=value, cell=1, line=1)
        for name, value in defaults.items()
    )
    return Pipeline(name="n", notebook=notebook, settings=Settings(), parameters=parameters, report=Report())


def typed(default: object, text: str) -> object:
    return check_values(pipeline(p=default), {"p": parse_value(text)})["p"]


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [
        (0.5, "1", 1.0),
        (0.5, "1e-3", 0.001),
        (0.5, ".5", 0.5),
        (0.5, "-inf", -math.inf),
        (3, "010", 10),
        (3, "0x1f", 31),
        (3, "1_000", 1000),
        (True, "false", False),
        (False, "True", True),
        ("a", "123", "123"),
        ("a", "null", "null"),
        ("a", "", ""),
        ("a", "a: b: c", "a: b: c"),
        ("a", "#x", "#x"),
        ("a", " x ", " x "),
        ([1], "[1, 2.5, no, ~]", [1, 2.5, "no", None]),
        ((1,), "[1, 2]", (1, 2)),
        ({1}, "[1, 2]", {1, 2}),
        ({}, "{a: [1], b: 12:30}", {"a": [1], "b": "12:30"}),
        (None, "1", 1),
        (None, "None", None),
        (None, "2024-01-01", "2024-01-01"),
        (None, "", ""),
        (None, "[1", "[1"),
    ],
)
def test_a_typed_text_becomes_a_value_of_the_defaults_type(default: object, text: str, value: object) -> None:
    found = typed(default, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("default", "text"),
    [
        (3, "1.5"),
        (3, "true"),
        (3, "many"),
        (3, "null"),
        (0.5, "true"),
        (0.5, "9" * 400),
        (True, "1"),
        (True, "yes"),
        ([1], "{a: 1}"),
        ([1], "[1"),
        ({}, "[1]"),
        ([1], "&a [*a]"),
        ([1], "[" * 5000),
        ([1], "!!python/object/apply:os.system [ls]"),
    ],
)
def test_another_type_is_an_error_that_names_the_parameter(default: object, text: str) -> None:
    with pytest.raises(UsageError, match="`p`"):
        typed(default, text)


def test_an_int_for_a_text_is_an_error_in_a_file_and_fine_when_typed() -> None:
    with pytest.raises(UsageError, match="type str, and 5 is not"):
        check_values(pipeline(name="x"), parse_mapping("name: 5", "f.yaml"))
    assert check_values(pipeline(name="x"), {"name": parse_value("5")}) == {"name": "5"}


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        check_values(pipeline(epochs=1, lr=0.1), {"epoch": 2})
    assert caught.value.hint == "did you mean `epochs`?"


def test_an_unknown_name_that_is_like_none_gets_the_list() -> None:
    with pytest.raises(UsageError) as caught:
        check_values(pipeline(epochs=1, lr=0.1), {"zzz": 2})
    assert caught.value.hint == "its parameters are: epochs, lr"
    with pytest.raises(UsageError) as caught:
        check_values(pipeline(), {"zzz": 2})
    assert "tag the cell" in str(caught.value.hint)


def test_values_come_in_the_order_of_the_pipeline() -> None:
    assert list(check_values(pipeline(a=1, b=2), {"b": 3, "a": 4})) == ["a", "b"]


def test_a_default_that_is_no_literal_takes_anything() -> None:
    made = pipeline(t=1)
    anything = Parameter(name="t", type=None, default="time.time()", cell=1, line=1, is_literal=False)
    loose = Pipeline(name="n", notebook=made.notebook, settings=Settings(), parameters=(anything,), report=Report())
    for text, value in (("1", 1), ("abc", "abc"), ("[1]", [1])):
        assert check_values(loose, {"t": parse_value(text)}) == {"t": value}


def test_numbers_of_numpy_become_pythons() -> None:
    import numpy as np

    values = check_values(pipeline(n=1, x=0.5), {"n": np.int64(3), "x": np.float32(0.5)})
    assert values == {"n": 3, "x": 0.5}
    assert [type(value) for value in values.values()] == [int, float]


def test_an_object_is_refused() -> None:
    with pytest.raises(UsageError, match="type object"):
        check_values(pipeline(p=None), {"p": object()})


def test_a_value_that_contains_itself_is_refused() -> None:
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(UsageError, match="contains itself"):
        check_values(pipeline(p=None), {"p": ring})


@pytest.mark.parametrize("text", ["[1]", "a: b: c", "1: 2", "5"])
def test_a_file_that_is_no_mapping_of_names_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"f\.yaml"):
        parse_mapping(text, "f.yaml")


def test_an_empty_file_gives_nothing() -> None:
    for text in ("", "  \n", "# only a comment\n"):
        assert parse_mapping(text, "f.yaml") == {}


def test_json_is_yaml() -> None:
    assert parse_mapping('{"lr": 1e-3, "ok": true, "x": null}', "f.json") == {"lr": 0.001, "ok": True, "x": None}
