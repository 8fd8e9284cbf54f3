"""Output cut at the marks between it, however it arrives."""

from __future__ import annotations

import random

import pytest

from nb2pipe.executors.marks import Mark, MarkedStream

TOKEN = "c0ffee"
WHOLE = (
    "before\x1ec0ffee begin 3\n"
    'täxt \x1e and \x1ec0ff no mark\n\x1ec0ffee error {"a": 1}\nno end of line'
    "\x1ec0ffee end 3\n\x1ec0ffee begin 4 definitions\n\x1ec0ffee end 4 definitions\n€"
).encode()


def parts(pieces: list[bytes]) -> list[str | Mark]:
    """What comes out, neighboring texts as one."""
    stream = MarkedStream(TOKEN)
    found = [part for piece in pieces for part in stream.feed(piece)]
    found += stream.feed(b"", last=True)
    joined: list[str | Mark] = []
    for part in found:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


EXPECTED = [
    "before",
    Mark("begin", "3"),
    "täxt \x1e and \x1ec0ff no mark\n",
    Mark("error", '{"a": 1}'),
    "no end of line",
    Mark("end", "3"),
    Mark("begin", "4 definitions"),
    Mark("end", "4 definitions"),
    "€",
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_marks_are_found_in_pieces_of_any_size(size: int) -> None:
    assert parts([WHOLE[n : n + size] for n in range(0, len(WHOLE), size)]) == EXPECTED


def test_marks_are_found_wherever_the_pieces_are_cut() -> None:
    chance = random.Random(1)
    for _ in range(200):
        cuts = sorted(chance.sample(range(len(WHOLE)), 4))
        assert parts([WHOLE[a:b] for a, b in zip([0, *cuts], [*cuts, len(WHOLE)], strict=True)]) == EXPECTED


def test_what_could_begin_a_mark_and_does_not_is_text() -> None:
    stream = MarkedStream(TOKEN)
    assert list(stream.feed(b"a\x1ec0ff")) == ["a"]
    assert list(stream.feed(b"ine")) == ["\x1ec0ffine"]
    assert list(stream.feed(b"\x1ec0ffee begin")) == []
    assert list(stream.feed(b"", last=True)) == ["\x1ec0ffee begin"]


def test_bytes_that_are_no_utf8_are_shown_as_such() -> None:
    assert parts([b"\xff\xc3", b"\x1ec0ffee end 1\n"]) == ["\ufffd\ufffd", Mark("end", "1")]
