"""What a run would do, as a table or JSON: `run --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.cli.output import shown_path
from nb2pipe.cli.text import clipped, duration, one_line, table
from nb2pipe.execution.plan import plan_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nb2pipe.cli.session import Session
    from nb2pipe.execution.plan import Plan, PlannedStep

_WIDE = 50
_LONG = 120


def tell_plan(session: Session, plan: Plan) -> None:
    """Tells what a run would do."""
    for note in plan.notes:
        session.warn(f"{note.code}: {one_line(note.message)}", one_line(note.hint) if note.hint else None)
    if session.json:
        session.emit(plan_json(plan))
        return
    head = ("STEP", "CELLS", "AFTER", "PARAMETERS", "LAST TIME", "GATE", "WOULD", "WHY")
    rows = [head, *(_row(step) for step in plan.steps)]
    used = [place for place in range(len(head)) if any(row[place] for row in rows[1:]) or place == 0]
    session.say(table([tuple(row[place] for place in used) for row in rows]), result=True)
    runs = [step for step in plan.steps if step.source is None and not step.skipped]
    count = sum(step.source is not None for step in plan.steps)
    _tell_differences(session, runs)
    reused = f", {count} would be reused" if count else ""
    session.say(
        f"\n{len(runs)} {'step' if len(runs) == 1 else 'steps'} of {one_line(plan.pipeline)} would run{reused}, "
        f"{plan.jobs} at a time, in kernels `{one_line(plan.kernel)}`, in {shown_path(plan.folder)}"
    )


def _tell_differences(session: Session, steps: list[PlannedStep]) -> None:
    """The lines of code that changed, of the steps that would run for that."""
    for step in steps:
        if step.why and step.why.difference:
            session.say(f"\n{one_line(step.name)}:", result=True)
            tell_difference(session, step.why.difference)


def tell_difference(session: Session, lines: Sequence[str]) -> None:
    """Tells lines of code that changed, in colors where there are any."""
    colors = {"-": "red", "+": "green"}
    for line in lines:
        color = colors.get(line[:1])
        text = clipped(line, _LONG)
        session.say(f"  {session.styled(text, session.people, fg=color) if color else text}", result=True)


def _row(step: PlannedStep) -> tuple[str, ...]:
    values = " ".join(f"{one_line(name)}={one_line(repr(value))}" for name, value in step.parameters.items())
    return (
        one_line(step.name),
        _ranges(step.cells),
        clipped(", ".join(one_line(name) for name in step.after), _WIDE),
        clipped(values, _WIDE),
        duration(step.seconds) if step.seconds is not None else "",
        one_line(step.gate or ""),
        "skip" if step.skipped else "run" if step.source is None else "reuse",
        clipped(one_line(_why(step)), _LONG),
    )


def _why(step: PlannedStep) -> str:
    if step.why is None:
        return f"from {step.source}" if step.source else ""
    place = next(iter(step.why.difference), None)
    return f"{step.why.message} ({place})" if place else step.why.message


def _ranges(cells: tuple[int, ...]) -> str:
    """Cells in words.

    >>> _ranges((3, 4, 5, 8))
    '3-5, 8'
    """
    runs: list[list[int]] = []
    for cell in cells:
        if runs and cell == runs[-1][-1] + 1:
            runs[-1][1:] = [cell]
        else:
            runs.append([cell])
    return ", ".join("-".join(str(cell) for cell in run) for run in runs)
