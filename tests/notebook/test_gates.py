"""Gates: the grammar holds what it says, and nothing else gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.notebook.gates import metrics_of, parse_gate
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import Comparison, GateAll, GateAny, GateTest

A = GateTest("a", Comparison.GREATER, 1.0)
B = GateTest("b", Comparison.GREATER, 2.0)
C = GateTest("c", Comparison.GREATER, 3.0)


def test_and_binds_tighter_than_or() -> None:
    assert parse_gate("a>1 or b>2 and c>3") == GateAny((A, GateAll((B, C))))
    assert parse_gate("a > 1 and b > 2 or c > 3") == GateAny((GateAll((A, B)), C))


def test_any_number_of_terms_are_one_level() -> None:
    assert parse_gate("a>1 and b>2 and c>3") == GateAll((A, B, C))
    assert parse_gate("a>1 or b>2 or c>3") == GateAny((A, B, C))


@pytest.mark.parametrize("name", ["val/accuracy", "f1.macro", "val-loss", "top@5", "_x", "größe", "android", "order"])
def test_metrics_are_named_as_they_stand(name: str) -> None:
    assert parse_gate(f"{name} > 1") == GateTest(name, Comparison.GREATER, 1.0)
    assert parse_gate(f"1<{name}") == GateTest(1.0, Comparison.LESS, name)


def test_a_metric_with_spaces_is_quoted() -> None:
    assert parse_gate("'top 5 and more' > 1") == GateTest("top 5 and more", Comparison.GREATER, 1.0)


@pytest.mark.parametrize(("text", "number"), [("-1", -1.0), ("+.5", 0.5), ("1e-3", 0.001), ("1.", 1.0), ("0", 0.0)])
def test_numbers_are_floats(text: str, number: float) -> None:
    assert parse_gate(f"a == {text}") == GateTest("a", Comparison.EQUAL, number)


def test_the_metrics_of_a_gate_are_found() -> None:
    assert metrics_of(parse_gate("a > b and 1 < c or a == 2")) == {"a", "b", "c"}


OPERANDS = st.sampled_from(["a", "val/x", "1", "-2.5", "'b c'"])
TESTS = st.tuples(st.sampled_from(["a", "val/x"]), st.sampled_from([*Comparison]), OPERANDS).map(" ".join)


@given(st.lists(TESTS, min_size=1, max_size=4), st.sampled_from([" and ", " or "]))
def test_every_sentence_of_the_grammar_is_read(tests: list[str], word: str) -> None:
    condition = parse_gate(word.join(tests))
    assert metrics_of(condition) <= {"a", "val/x", "b c"}


@given(st.text(alphabet="ab<>=!&|()'\"1.e- ondr") | st.text())
def test_any_text_is_a_condition_or_malformed(text: str) -> None:
    try:
        condition = parse_gate(text)
    except MalformedError as error:
        refusal = error
    else:
        assert metrics_of(condition)
        return
    assert refusal.hint
