"""What code prints in pieces, with a secret across them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.records.events import CellFinished, Event, OutputWritten, StepFinished
from nb2pipe.records.masking import Masking
from nb2pipe.records.pieces import Pieces
from nb2pipe.records.values import MASK


def printed(text: str, stream: str = "stdout") -> OutputWritten:
    return OutputWritten(step="a", cell=1, stream=stream, text=text)


def told(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, OutputWritten))


@given(st.lists(st.sampled_from(["s3cret", "-val", "ue", "s3cret-value", "x", "s", "\n"]), max_size=9))
def test_however_a_text_is_cut_what_is_told_of_it_is_the_same(parts: list[str]) -> None:
    masking = Masking(frozenset({"s3cret-value"}))
    pieces = Pieces(masking)
    events = [each for part in parts for each in pieces.through(printed(part))]
    events += pieces.through(StepFinished(step="a", time=0.0, seconds=0.0))
    assert told(events) == masking.text("".join(parts))


def test_only_what_may_begin_a_secret_waits_and_only_until_the_cell_ends() -> None:
    pieces = Pieces(Masking(frozenset({"s3cret-value"})))
    assert told(list(pieces.through(printed("epoch 1\rs3cre")))) == "epoch 1\r"
    assert told(list(pieces.through(printed("s3", "stderr")))) == ""
    *rest, last = pieces.through(CellFinished(step="a", cell=1, time=0.0))
    assert (told(rest), isinstance(last, CellFinished)) == ("s3cres3", True)


def test_without_secrets_each_piece_goes_on_at_once() -> None:
    event = printed("s3cret")
    assert list(Pieces(Masking()).through(event)) == [event]


def test_two_streams_are_told_apart() -> None:
    pieces = Pieces(Masking(frozenset({"s3cret-value"})))
    events = [each for event in (printed("s3cret-"), printed("one", "stderr")) for each in pieces.through(event)]
    events += pieces.through(printed("value"))
    assert [event.text for event in events if isinstance(event, OutputWritten)] == ["one", MASK]
