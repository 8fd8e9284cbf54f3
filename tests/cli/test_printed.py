from __future__ import annotations

from nb2pipe.cli.printed import PrintedLines


def test_pieces_of_a_line_are_put_together() -> None:
    printed = PrintedLines()
    assert printed.feed("a", "stdout", "epo") == []
    assert printed.current("a") == "epo"
    assert printed.feed("a", "stdout", "ch 1\nepoch 2\n") == ["epoch 1", "epoch 2"]


def test_steps_and_streams_are_kept_apart() -> None:
    printed = PrintedLines()
    printed.feed("a", "stdout", "one")
    printed.feed("b", "stdout", "two")
    printed.feed("a", "stderr", "three")
    assert printed.flush("a") == ["three", "one"]
    assert printed.flush("b") == ["two"]
    assert printed.flush("b") == []


def test_a_progress_bar_is_one_line_however_often_it_is_drawn() -> None:
    printed = PrintedLines()
    for share in range(100):
        assert printed.feed("a", "stderr", f"\r{share}%") == []
    assert printed.current("a") == "99%"
    assert printed.feed("a", "stderr", "\r100%\n") == ["100%"]


def test_a_carriage_return_at_the_end_does_not_lose_the_line() -> None:
    printed = PrintedLines()
    printed.feed("a", "stdout", "50%\r")
    assert printed.current("a") == "50%"
    assert printed.flush("a") == ["50%"]


def test_windows_line_ends_are_line_ends() -> None:
    assert PrintedLines().feed("a", "stdout", "one\r\ntwo\r\n") == ["one", "two"]


def test_colors_of_the_author_are_dropped_and_other_controls_shown() -> None:
    assert PrintedLines().feed("a", "stdout", "\x1b[31mred\x1b[0m \x1b]0;evil\x07\n") == ["red \\x1b]0;evil\\x07"]


def test_an_endless_line_is_told_in_pieces() -> None:
    assert PrintedLines().feed("a", "stdout", "x" * 10_000) == ["x" * 10_000]
