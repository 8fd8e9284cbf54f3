"""The comparison of two runs in words: `nb2pipe runs compare`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nb2pipe.cli.text import clipped, harmless, number, one_line, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nb2pipe.cli.session import Session
    from nb2pipe.records.compare import CellDifference, Change, RunComparison, StepDifference

_WIDE = 60
_SHOWN = 40
_COLORS = {"-": "red", "+": "green"}


def comparison_text(session: Session, found: RunComparison) -> str:
    """What tells two runs apart, the first step that differs at the top."""
    return "\n".join(_lines(session, found))


def _lines(session: Session, found: RunComparison) -> Iterator[str]:
    one, two = found.runs
    yield f"- {one}"
    yield f"+ {two}"
    yield ""
    yield from _first(found.first)
    yield from _section("parameters", found.parameters)
    yield from _code(session, found.code)
    yield from _section("data", found.data)
    yield from _section("packages", found.packages)
    yield from _section("surroundings", found.surroundings)
    yield from _section("metrics", found.metrics)


def _first(first: StepDifference | None) -> Iterator[str]:
    if first is None:
        yield "all steps left the same values"
    elif not first.values:
        yield f"the first step that differs is `{one_line(first.step)}`: {first.one}, then {first.two}"
    else:
        yield f"the first step that left something else is `{one_line(first.step)}`:"
        yield table([row for each in first.values for row in _value(each)], indent="  ")


def _value(change: Change) -> Iterator[tuple[str, str, str]]:
    if change.one == change.two:
        told = "the content alone" if change.one else "the content"
        yield one_line(change.name), "", f"{told}: {_summary(change.one)}" if change.one else told
        return
    yield one_line(change.name), "-", _summary(change.one)
    yield "", "+", _summary(change.two)


def _summary(told: Any) -> str:
    """What is recorded of a value, on one line."""
    if not isinstance(told, dict):
        return "not left"
    rest = (f"{key} {_shown(each)}" for key, each in told.items() if key not in {"type", "shape"})
    shape = f"{told.get('type', '')}{tuple(told['shape'])}" if "shape" in told else str(told.get("type", ""))
    return clipped(one_line(", ".join((shape, *rest))), 2 * _WIDE)


def _section(title: str, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield f"\n{title}:"
    rows = [(one_line(each.name), _text(each.one), "->", _text(each.two), _by(each)) for each in changes[:_SHOWN]]
    yield table(rows, indent="  ")
    if len(changes) > _SHOWN:
        yield f"  and {len(changes) - _SHOWN} more; --json has all"


def _code(session: Session, cells: Sequence[CellDifference]) -> Iterator[str]:
    if cells:
        yield "\ncode:"
    for each in cells:
        yield f"  {_cell(*each.cells)}"
        for line in each.lines:
            text = harmless(f"    {line[:1]} {line[1:]}", keep="\t")
            color = _COLORS.get(line[:1])
            yield session.styled(text, session.people, fg=color) if color else text


def _cell(one: int | None, two: int | None) -> str:
    if one is None:
        return f"cell {two}, new"
    if two is None:
        return f"cell {one}, gone"
    return f"cell {one}" if one == two else f"cell {one}, now {two}"


def _text(value: Any) -> str:
    return "(none)" if value is None else clipped(one_line(_shown(value)), _WIDE)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    return number(value) if isinstance(value, float) else str(value)


def _by(change: Change) -> str:
    """By how much a number is larger."""
    numbers = [
        each for each in (change.one, change.two) if isinstance(each, int | float) and not isinstance(each, bool)
    ]
    if len(numbers) < 2 or not all(map(math.isfinite, numbers)):  # noqa: PLR2004 - both
        return ""
    return f"({numbers[1] - numbers[0]:+.6g})"
