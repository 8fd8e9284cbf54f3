"""`schedule.py`: makes the recurring run of a pipeline, when somebody runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.modules.values import formatted
from nb2pipe.codegen.templates import Code, render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.kfp.settings import Definition

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DATE = "[[ScheduledTime.2006-01-02]]"
"""KFP puts the date for which a run is due in its place."""


def schedule_py(pipeline: Pipeline, definition: Definition, templates: Path | None = None) -> str:
    """The text of `schedule.py`.

    Args:
        pipeline: Has a schedule.
        definition: What the definition says.
        templates: A folder whose templates win over ours.
    """
    days = {one.name: _DATE for one in definition.given if one.is_run_date}
    return render(
        "kfp/schedule.py.jinja",
        templates,
        title=definition.title,
        name=definition.name,
        cron=six_fields(pipeline.settings.schedule or ""),
        timezone=pipeline.settings.timezone or "UTC",
        parameters=_assigned("PARAMETERS", days),
        texts=_assigned("TEXTS", [one.name for one in definition.given if one.annotation == "str"]),
        needed=[one.name for one in definition.given if one.is_required],
    )


def _assigned(name: str, value: object) -> Code:
    return Code(formatted(literal(value), before=len(f"{name} = ")))


def six_fields(cron: str) -> str:
    """Five fields of cron as KFP wants them: seconds come first, and Sunday is 0.

    >>> six_fields("30 3 * * 1-5"), six_fields("0 0 1 * 7"), six_fields("0 0 * * fri-7")
    ('0 30 3 * * 1-5', '0 0 0 1 * 0', '0 0 0 * * 0,5,6')
    """
    *others, weekdays = cron.split()
    if any("7" in part.partition("/")[0] for part in weekdays.split(",")):
        weekdays = ",".join(map(str, sorted({day for part in weekdays.split(",") for day in _days(part)})))
    return " ".join(("0", *others, weekdays))


def _days(part: str) -> Iterator[int]:
    """The days of one part of a field: `*`, `2`, `5-7`, `mon-fri/2`."""
    span, _, every = part.partition("/")
    first, _, last = ("0-6" if span in {"*", "?"} else span).lower().partition("-")
    begin, end = (_DAYS.index(day) if day in _DAYS else int(day) for day in (first, last or ("6" if every else first)))
    yield from (day % 7 for day in range(begin, end + 1, int(every or 1)))
