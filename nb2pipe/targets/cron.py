"""Fields of cron, for platforms that read less than the notebook's metadata may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def without_seven(text: str) -> str:
    """Five fields of cron in which Sunday is 0, never 7.

    >>> without_seven("0 3 * * 5-7"), without_seven("0 3 * * mon-fri")
    ('0 3 * * 0,5,6', '0 3 * * mon-fri')
    """
    *others, weekdays = text.split()
    if any("7" in part.partition("/")[0] for part in weekdays.split(",")):
        weekdays = weekday_numbers(weekdays)
    return " ".join((*others, weekdays))


def weekday_numbers(field: str) -> str:
    """The days of a field of cron, by number; Sunday is 0.

    >>> weekday_numbers("mon-wed,7"), weekday_numbers("*")
    ('0,1,2,3', '*')
    """
    if field == "*":
        return field
    return ",".join(map(str, sorted({day for part in field.split(",") for day in _days(part)})))


def _days(part: str) -> Iterator[int]:
    """The days of one part: `*`, `2`, `5-7`, `mon-fri/2`."""
    span, _, every = part.partition("/")
    first, _, last = ("0-6" if span == "*" else span).lower().partition("-")
    begin, end = (_DAYS.index(day) if day in _DAYS else int(day) for day in (first, last or ("7" if every else first)))
    yield from (day % 7 for day in range(begin, end + 1, int(every or 1)))
