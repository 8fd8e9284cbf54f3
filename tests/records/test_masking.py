"""Secret values in texts."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.records.events import CellFinished, Failure, Noted, StepFailed
from nb2pipe.records.masking import Masking, masking_of, masking_of_environment
from nb2pipe.records.values import MASK

SECRETS = st.text(min_size=6).filter(lambda text: len(text.strip()) >= 6 and text.strip("*") and "*" not in text)


@given(SECRETS, st.text(), st.text())
def test_a_secret_is_in_no_text_any_more(secret: str, before: str, after: str) -> None:
    forms = [secret, repr(secret), json.dumps(secret), escape(secret), quote(secret)]
    shown = Masking(frozenset({secret})).text(before.join(["", *forms]) + after)
    assert secret not in shown.replace(before, "") or secret in before + after


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("abc", "abc abcd", f"{MASK} abcd"),  # a short one counts as a word
        ("on", "on and on", "on and on"),
        ("false", "is it false", "is it false"),
        ('a"b\\c\n', json.dumps('a"b\\c\n'), f'"{MASK}"'),
        ("p%ss w&rd", "https://x/?k=p%25ss+w%26rd", f"https://x/?k={MASK}"),
        ("one two three", "<b>one two three</b>", f"<b>{MASK}</b>"),
    ],
)
def test_a_secret_is_found_in_the_forms_that_texts_give_it(secret: str, text: str, shown: str) -> None:
    assert Masking(frozenset({secret})).text(text) == shown


def test_no_secret_value_is_shown_by_repr() -> None:
    assert "s3cret-value" not in repr(Masking(frozenset({"s3cret-value"})))


def test_texts_of_outputs_errors_and_notes_are_masked() -> None:
    masking = Masking(frozenset({"s3cret-value"}))
    outputs = ({"output_type": "display_data", "data": {"application/json": {"a": ["s3cret-value", 1]}}},)
    finished = masking.event(CellFinished(step="a", cell=1, time=0.0, outputs=outputs))
    assert finished.outputs[0]["data"] == {"application/json": {"a": [MASK, 1]}}
    failure = Failure(step="a", cell=1, line=1, kind="E", message="s3cret-value", source_line="f('s3cret-value')")
    failed = masking.event(StepFailed(step="a", time=0.0, seconds=0.0, failure=failure))
    assert (failed.failure.message, failed.failure.source_line) == (MASK, f"f('{MASK}')")
    assert masking.event(Noted(code="NB500", message="s3cret-value", time=0.0)).message == MASK


def test_without_secrets_an_event_stays_the_same_object() -> None:
    event = Noted(code="NB500", message="x", time=0.0)
    assert Masking().event(event) is event


def test_secrets_among_parameters_are_found_by_their_names_and_numbers_only_as_passwords() -> None:
    values = {"lr": "0.1", "token": "one-two", "db": {"password": 123456, "port": 7}, "pad_token_id": 1234567}
    assert masking_of(values).values == {"one-two", "123456"}


def test_variables_are_secret_by_name_or_by_a_tag_but_not_as_the_path_of_a_file(tmp_path: object) -> None:
    variables = {"API_KEY": "one", "PLAIN": "two", "OTHER": "three", "TOKEN_FILE": str(tmp_path), "MAX_TOKENS": "4"}
    assert masking_of_environment(variables, ["PLAIN"]).values == {"one", "two"}


def test_what_a_difference_assigns_to_a_secret_name_is_masked_also_where_it_was_another_value() -> None:
    patch = (
        b'-    "token = \\"older\\"\\n",\n+    "token = \\"newer\\"\\n",\n'
        b'+max_tokens = "kept"\n+  "api_key": "newest",\n'
    )
    assert Masking().difference(patch) == (
        b'-    "token = \\"********\\"\\n",\n+    "token = \\"********\\"\\n",\n'
        b'+max_tokens = "kept"\n+  "api_key": "********",\n'
    )
