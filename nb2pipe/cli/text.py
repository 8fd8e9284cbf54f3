"""Text for people: control characters made harmless, width in columns, durations, tables."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TAB = 4
"""Columns to the next stop of a tab."""

_HIDDEN = frozenset("\u061c\u200e\u200f\u2028\u2029\ufeff") | {
    chr(point) for point in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_LAST_CONTROL = 0x9F
_MINUTE, _HOUR = 60, 3600
_UNIT = 1024


def harmless(text: str, *, keep: str = "\n\t") -> str:
    r"""Text of a notebook that cannot steer a terminal: control characters are shown as they are escaped in Python.

    Args:
        text: Of any origin.
        keep: The control characters that stay.

    >>> harmless("\x1b[2Jgone\n")
    '\\x1b[2Jgone\n'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter in keep or not _steers(letter) else _escaped(letter) for letter in text)


def one_line(text: str) -> str:
    r"""As `harmless`, on one line.

    >>> one_line("a\n  b")
    'a b'
    """
    return harmless(" ".join(text.split()), keep="")


def columns(text: str) -> int:
    """How many columns of a terminal a text of one line takes.

    >>> columns("a模")
    3
    """
    return len(text) if text.isascii() else sum(_columns(letter) for letter in text)


def expanded(text: str) -> str:
    r"""The line with its tabs as spaces; stops count columns, not characters.

    >>> expanded("a\tb")
    'a   b'
    """
    if "\t" not in text:
        return text
    pieces: list[str] = []
    place = 0
    for letter in text:
        piece = " " * (TAB - place % TAB) if letter == "\t" else letter
        pieces.append(piece)
        place += columns(piece)
    return "".join(pieces)


def padded(text: str, width: int) -> str:
    """The text with spaces after it, up to a width in columns."""
    return text + " " * (width - columns(text))


def clipped(text: str, width: int) -> str:
    """The text, cut with an ellipsis where it is wider than that.

    >>> clipped("abcdef", 4)
    'abc…'
    """
    if columns(text) <= width:
        return text
    taken, place = [], 0
    for letter in text:
        place += columns(letter)
        if place > width - 1:
            break
        taken.append(letter)
    return "".join(taken) + "…"


def duration(seconds: float) -> str:
    """A time span as people say it.

    >>> duration(3.14), duration(75), duration(7500)
    ('3.1 s', '1 min 15 s', '2 h 05 min')
    """
    whole = round(seconds)
    if seconds < _MINUTE and whole < _MINUTE:
        return f"{seconds:.1f} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def size(count: float) -> str:
    """A number of bytes as people say it.

    >>> size(0), size(1023), size(1 << 20), size(1_610_612_736)
    ('0 B', '1023 B', '1.0 MiB', '1.5 GiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _UNIT:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= _UNIT
    return f"{count:.1f} TiB"


def number(value: float) -> str:
    """A metric as people read it.

    >>> number(0.9722222222), number(3.0), number(float("nan"))
    ('0.972222', '3', 'nan')
    """
    return f"{value:.6g}"


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    r"""Rows as columns that are as wide as they need to be; the first row is no other than the rest.

    >>> table([("a", "b"), ("ccc", "d")])
    'a    b\nccc  d'
    """
    if not rows:
        return ""
    widths = [max(columns(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ("  ".join(padded(*cell) for cell in zip(row, widths, strict=True)) for row in rows)
    return "\n".join((indent + line).rstrip() for line in lines)


def _steers(letter: str) -> bool:
    point = ord(letter)
    if point < ord(" ") or point == ord("\x7f") or ord("\x7f") < point <= _LAST_CONTROL:
        return True
    return letter in _HIDDEN or unicodedata.category(letter) == "Cs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1
