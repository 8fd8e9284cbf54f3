from __future__ import annotations

import pytest

from nb2pipe.cli.text import clipped, columns, duration, expanded, harmless, one_line, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb", "a\\rb"),
        ("\x9b2J", "\\x9b2J"),
        ("left\u202eright", "left\\u202eright"),
        ("half \ud800", "half \\ud800"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("Größe 模型 😀", "Größe 模型 😀"),
    ],
)
def test_text_of_a_notebook_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_a_message_of_several_lines_stands_on_one() -> None:
    assert one_line("first\n   second\tthird\x00") == "first second third\\x00"


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert columns("模型") == 4
    assert columns("e\u0301") == 1


def test_a_tab_reaches_to_the_next_stop_after_wide_letters() -> None:
    assert expanded("模\tx") == "模  x"
    assert expanded("\tx") == "    x"


def test_a_text_is_cut_by_columns() -> None:
    assert clipped("模型模型", 5) == "模型…"
    assert clipped("short", 5) == "short"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.4, "59.4 s"), (59.6, "1 min 00 s"), (3599.7, "1 h 00 min"), (7260, "2 h 01 min")],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_table_lines_up_wide_letters() -> None:
    assert table([("模型", "1"), ("ab", "2")]) == "模型  1\nab    2"
