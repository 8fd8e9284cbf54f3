"""How a run stands, gathered from its events; the displays read it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.records.events import (
    CellFinished,
    CellStarted,
    Noted,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFailed,
    StepFinished,
    StepReused,
    StepSkipped,
    StepStarted,
    StepStatus,
)

if TYPE_CHECKING:
    from nb2pipe.records.events import Event, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How a step stands.

    Attributes:
        since: When it began, in seconds of the epoch; None before.
        seconds: How long it took; None before its end.
        cell: The author's cell that runs.
        done: How many of its cells have run.
        cells: How many there are.
        reason: Why it was skipped.
        failure: Why it failed.
        description: The author's words for it.
    """

    step: str
    status: StepStatus = StepStatus.PENDING
    since: float | None = None
    seconds: float | None = None
    cell: int | None = None
    done: int = 0
    cells: int = 0
    reason: str | None = None
    failure: Failure | None = None
    description: str | None = None


@dataclass(slots=True)
class Progress:
    """How a run stands."""

    run: str = ""
    pipeline: str = ""
    notebook: str = ""
    status: RunStatus = RunStatus.RUNNING
    seconds: float = 0.0
    rows: dict[str, Row] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Letters of the longest name of a step."""
        return max((len(name) for name in self.rows), default=0)

    def take(self, event: Event) -> None:
        """Takes one event in."""
        match event:
            case RunStarted():
                self.run, self.pipeline, self.notebook = event.run, event.pipeline, event.notebook
                self.rows = {step: Row(step=step) for step in event.steps}
            case RunFinished():
                self.status, self.seconds = event.status, event.seconds
                self._stop(event.time)
            case Noted():
                pass
            case _:
                step = getattr(event, "step", None)
                if isinstance(step, str):
                    self.rows[step] = moved(self.rows.get(step, Row(step=step)), event)

    def _stop(self, time: float) -> None:
        """What still runs when the run ends was interrupted."""
        for step, row in self.rows.items():
            if row.status is StepStatus.RUNNING:
                seconds = time - row.since if row.since is not None else None
                self.rows[step] = replace(row, status=StepStatus.INTERRUPTED, seconds=seconds, cell=None)


def moved(row: Row, event: Event) -> Row:
    """How a step stands after an event."""
    if isinstance(event, StepStarted):
        return Row(
            step=row.step,
            status=StepStatus.RUNNING,
            since=event.time,
            cells=len(event.cells),
            description=event.description,
        )
    if isinstance(event, CellStarted):
        return replace(row, cell=event.cell)
    if isinstance(event, CellFinished):
        return replace(row, cell=None, done=row.done + 1)
    return _ended(row, event)


def _ended(row: Row, event: Event) -> Row:
    match event:
        case StepFinished():
            return replace(row, status=StepStatus.RAN, seconds=event.seconds, cell=None)
        case StepFailed():
            return replace(row, status=StepStatus.FAILED, seconds=event.seconds, cell=None, failure=event.failure)
        case StepReused():
            return replace(row, status=StepStatus.REUSED, cell=None)
        case StepSkipped():
            return replace(row, status=StepStatus.SKIPPED, reason=str(event.reason), cell=None)
        case _:
            return row
