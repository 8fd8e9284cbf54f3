"""The pipeline's side: what its events tell, and what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.execution.checks.nb501_output_left_out import CODE as LEFT_OUT
from nb2pipe.records.events import CellFinished, Noted, RunStatus, StepFailed, StepFinished, StepStarted
from nb2pipe.verification.model import Output, Side, Value
from nb2pipe.verification.outputs import output_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from nb2pipe.execution.model import RunEnd
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.events import Event, Failure
    from nb2pipe.verification.model import Look

Key = tuple[str, str]


class Heard:
    """A listener that keeps what cells showed, what failed and what was left out, of the last attempt of each step.

    Args:
        printed_only: Rich output does not count.
    """

    def __init__(self, *, printed_only: bool) -> None:
        self._printed_only = printed_only
        self._shown: dict[str, dict[int, list[Mapping[str, object]]]] = {}
        self._finished: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._left_out: dict[str, list[str]] = {}

    def take(self, event: Event) -> None:
        """Takes an event in."""
        match event:
            case StepStarted():
                self._shown[event.step] = {}
                self._left_out.pop(event.step, None)
                self._finished.discard(event.step)
            case CellFinished():
                self._shown.setdefault(event.step, {}).setdefault(event.cell, []).extend(event.outputs)
            case StepFinished():
                self._finished.add(event.step)
            case StepFailed():
                self._failures[event.step] = event.failure
            case Noted(code=code, step=step) if code == LEFT_OUT and step is not None:
                self._left_out.setdefault(step, []).append(event.message)
            case _:
                pass

    def side(self, work: Work, looks: Sequence[Look], stored: Mapping[Key, Value], end: RunEnd) -> Side:
        """What was seen of the run, with what lies in the store."""
        outputs = {
            (unit.name, cell): output
            for unit in work.units
            for cell in unit.step.cells
            if (output := self._output(unit, cell)) is not None
        }
        values = {(look.step, look.name): value for look in looks if (value := self._value(look, work, stored))}
        return Side(
            outputs=outputs,
            values=values,
            failures=self._failures,
            interrupted=end.status is RunStatus.INTERRUPTED,
        )

    def _output(self, unit: Unit, cell: int) -> Output | None:
        """What a cell showed; nothing where a step that ended has no code of it, None where it did not run."""
        found = self._shown.get(unit.name, {}).get(cell)
        if found is None:
            return Output() if unit.name in self._finished else None
        return output_of(found, printed_only=self._printed_only)

    def _value(self, look: Look, work: Work, stored: Mapping[Key, Value]) -> Value | None:
        """A variable as a step left it; one that the step did not change, as the step was given it."""
        key = stored_as(look, work, stored.keys())
        if key == (look.step, look.name):
            return stored[key]
        if look.step not in self._finished:
            return None
        for message in self._left_out.get(look.step, ()):
            if message.startswith(f"`{look.name}` "):
                return Value(problem=message.partition(": ")[2])
        if look.given:
            return stored[key] if key is not None else None
        # Modules keep the functions and classes of `definitions` there.
        return None if self._printed_only else Value()


def stored_as(look: Look, work: Work, stored: Container[Key]) -> Key | None:
    """The step that left a variable as a step has it, itself or one before it, and its name; None where nobody did."""
    if (look.step, look.name) in stored:
        return look.step, look.name
    if not look.given:
        return None
    # What stands around a nested notebook is found by its name.
    unit = work.by_name[look.step]
    origin = next((port.origin for port in unit.step.inputs if port.name == look.name), None)
    before = [origin] if origin is not None else [each.name for each in reversed(work.earlier(unit))]
    return next(((step, look.name) for step in before if (step, look.name) in stored), None)
