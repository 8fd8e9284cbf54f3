"""Secret values in texts."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.errors import StoreError
from nb2pipe.records.events import (
    CellFinished,
    CheckpointSaved,
    DataUsed,
    Event,
    Failure,
    MetricLogged,
    Noted,
    RunFinished,
    RunStarted,
    RunStatus,
    SeriesRecorded,
    StepFailed,
    StepObserved,
)
from nb2pipe.records.masking import Masking, masking_of, masking_of_environment
from nb2pipe.records.model import Checkpoint, StepTrace, WrittenFile
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


def test_a_private_key_is_masked_by_line_also_one_that_is_not_known_any_more() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n{0}one456789\n{0}two456789\n-----END PRIVATE KEY-----"
    masking = masking_of({"private_key": key.format("new")})
    lines = "\n".join(
        f"{sign}{line}" for sign, kind in (("-", "old"), ("+", "new")) for line in key.format(kind).split("\n")
    )
    shown = masking.difference(lines.encode()).decode()
    assert "456789" not in shown
    assert [line[:1] for line in shown.split("\n")] == ["-"] * 4 + ["+"] * 4


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('+token = ""\n+x = "y"', '+token = ""\n+x = "y"'),
        ('+key_text = """a"""\n+api_key = """b\n+c"""', f'+key_text = """a"""\n+api_key = """{MASK}\n+{MASK}"""'),
        (r'"u = 1\napi_key = \"\"\"b\nc\"\"\"\nx = 1"', rf'"u = 1\napi_key = \"\"\"{MASK}\"\"\"\nx = 1"'),
        (r'"u = 1\napi_key = \"b\"\nx = \"c\""', rf'"u = 1\napi_key = \"{MASK}\"\nx = \"c\""'),
    ],
)
def test_texts_over_several_lines_are_masked_where_a_difference_assigns_them(line: str, shown: str) -> None:
    assert Masking().line(line) == shown


def test_what_is_secret_in_the_json_of_a_variable_counts_for_itself() -> None:
    variables = {"SERVICE_CREDENTIALS": json.dumps({"type": "service", "private_key": "line one\nline two"})}
    assert masking_of_environment(variables).text("line two of a service") == f"{MASK} of a service"


def test_colors_within_a_value_hide_it_from_nobody() -> None:
    masking = Masking(frozenset({"s3cret-value"}))
    assert masking.text("\x1b[1ma\x1b[0m s3cret\x1b[31m-value\x1b[0m") == f"a {MASK}"
    assert masking.text("\x1b[1ma s3cret-value\x1b[0m") == f"\x1b[1ma {MASK}\x1b[0m"


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(
            run="r",
            pipeline="p",
            notebook="n",
            notebook_digest="d",
            steps=(),
            time=0.0,
            tags=("SECRET",),
            note="SECRET",
        ),
        MetricLogged(step="a", name="m/SECRET", value=1.0, time=0.0),
        SeriesRecorded(step="a", series={"SECRET": 3}, folder="f", time=0.0),
        DataUsed(step="a", path="https://host/?token=SECRET", sha256="0", time=0.0),
        CheckpointSaved(step="a", checkpoint=Checkpoint(path="/SECRET.pt", sha256="0"), time=0.0),
        RunFinished(run="r", status=RunStatus.SUCCEEDED, time=0.0, seconds=0.0, metrics={"SECRET": 1.0}),
    ],
    ids=lambda event: type(event).__name__,
)
def test_names_and_paths_that_hold_a_secret_are_masked(event: Event) -> None:
    masking = Masking(frozenset({"SECRET"}))
    assert "SECRET" in repr(event)
    assert "SECRET" not in repr(masking.event(event))


def test_a_step_whose_files_are_called_like_a_secret_is_not_taken_again() -> None:
    masking = Masking(frozenset({"s3cret-value", "data"}))
    trace = StepTrace(
        reads={"/data/s3cret-value.csv": "0"}, writes={"/s3cret-value": WrittenFile(sha256="0", size=1, kept=True)}
    )
    shown = masking.event(StepObserved(step="a", time=0.0, trace=trace)).trace
    assert (list(shown.reads), list(shown.writes)) == ([f"/data/{MASK}.csv"], [f"/{MASK}"])
    assert len(shown.reasons) == 1
    harmless = StepObserved(step="a", time=0.0, trace=StepTrace(reads={"/data/x.csv": "0"}))
    assert masking.event(harmless) is harmless


def test_what_an_exception_of_ours_says_is_masked_with_its_causes() -> None:
    error = StoreError("no s3cret-value", hint="see s3cret-value")
    error.__cause__ = OSError(2, "No such file", "/s3cret-value")
    Masking(frozenset({"s3cret-value"})).error(error)
    texts = (str(error), error.message, error.hint, str(error.__cause__))
    assert [text for text in texts if "s3cret" in str(text) or MASK not in str(text)] == []


def test_what_is_learned_is_masked_from_then_on() -> None:
    masking = Masking()
    assert masking.text("s3cret-value") == "s3cret-value"
    masking.learned.append(frozenset({"s3cret-value"}))
    assert masking.text("s3cret-value") == MASK
