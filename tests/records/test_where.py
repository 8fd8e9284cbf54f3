"""Expressions that choose runs."""

from __future__ import annotations

import contextlib
import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.errors import UsageError
from nb2pipe.records.events import RunStatus
from nb2pipe.records.model import RunSummary
from nb2pipe.records.where import by_value, chosen

ROWS = (
    RunSummary(
        run="a",
        status=RunStatus.SUCCEEDED,
        name="first",
        tags=("best",),
        parameters={"lr": 0.1, "kind": "adam", "deep": True},
        metrics={"accuracy": 0.9, "loss/val": 0.5},
        seconds=3.0,
    ),
    RunSummary(
        run="b",
        status=RunStatus.FAILED,
        parameters={"lr": 0.01, "kind": "sgd"},
        metrics={"accuracy": math.nan},
        started=datetime.fromisoformat("2026-11-22 10:30").timestamp(),
    ),
    RunSummary(run="c", status=RunStatus.SUCCEEDED, parameters={"lr": "auto"}, metrics={"lr": 7.0, "accuracy": 0.95}),
    RunSummary(run="d", status=RunStatus.INTERRUPTED, problem="damaged", parameters={"lr": 0.0}),
)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("lr < 0.1", "b"),
        ("lr <= 0.1 and accuracy > 0.5", "a"),
        ("0 < lr < 1", "ab"),
        ("parameters.lr == 'auto' or kind == \"sgd\"", "bc"),
        ('metrics["loss/val"] >= 0.5', "a"),
        ("metrics.lr > -1", "c"),
        ("status == 'succeeded' and not deep", "c"),
        ("deep", "a"),
        ("started >= '2026-11-22'", "b"),
        ("'2026-11-22 10:00' < started <= '2026-11-22T10:30'", "b"),
        ("started < '2026-11-22 10:30'", "ac"),
        ("'best' in tags", "a"),
        ("'best' not in tags", "bc"),
        ("name == None", "bc"),
        ("(lr < 0.05 or lr > 5) and status != 'failed'", "c"),
        ("kind < 3", ""),
        ("seconds > +2", "a"),
        ("not lr < 0.1", "ac"),
    ],
)
def test_an_expression_chooses_the_runs_for_which_it_holds(text: str, runs: str) -> None:
    assert "".join(row.run for row in chosen(ROWS, text)) == runs


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "lr.__class__ == 1",
        "[x for x in tags]",
        "lambda: 1",
        "tags[0] == 'best'",
        "lr + 1 > 2",
        "9 ** 9 ** 9",
        "f'{lr}'",
        "lr is 1",
        "(lr := 3)",
        "lr <",
        "",
        "(" * 500,
        "not " * 100 + "lr",
        "lr" * 2000,
        "lr\0",
    ],
)
def test_what_the_grammar_has_not_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        chosen(ROWS, text)


def test_what_started_is_compared_with_has_to_be_a_date() -> None:
    with pytest.raises(UsageError, match="`yesterday` is no date"):
        chosen(ROWS, "started > 'yesterday'")


def test_a_name_that_no_run_has_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        chosen(ROWS, "accurracy > 0")
    assert caught.value.hint == "did you mean `accuracy`?"
    with pytest.raises(UsageError):
        by_value(ROWS, "lrate")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert all(row in ROWS for row in chosen(ROWS, text))


@pytest.mark.parametrize(
    ("name", "ascending", "runs"),
    [
        ("accuracy", False, "cabd"),
        ("accuracy", True, "acbd"),
        ("loss/val", False, "abcd"),
        ("parameters.lr", False, "abcd"),
        ('metrics["loss/val"]', True, "abcd"),
        ("seconds", False, "abcd"),
        ("kind", False, "abcd"),
    ],
)
def test_runs_are_sorted_and_those_without_a_value_come_last(name: str, ascending: bool, runs: str) -> None:  # noqa: FBT001  # a case
    assert "".join(row.run for row in by_value(ROWS, name, ascending=ascending)) == runs
