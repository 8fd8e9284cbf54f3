"""A gate asks for a metric that the run does not have.

A gate such as `gate:accuracy >= 0.9` compares metrics of the run: numbers that cells tagged `pipeline-metrics` print or
assign, in the gate's own step or in a step before it in the notebook. If one of them is missing, nobody can say whether
the gate holds, so its step fails, and what depends on it does not run.

For example, the gate says `acc >= 0.9`, and the metrics cell assigns `accuracy`.

What to do: tag the cell that prints or assigns the number as `pipeline-metrics`, or correct the name in the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.plugins import suggestion
from nb2pipe.records.events import Failure, Noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CODE = "NB511"


def gate_without_metric(step: str, cell: int | None, text: str, missing: Sequence[str]) -> Failure:
    """The failure of a step whose gate cannot be decided."""
    names = ", ".join(f"`{name}`" for name in missing)
    message = f"the gate `{text}` asks for {names}, which no metrics cell of this run gave"
    return Failure(step=step, cell=cell, line=None, kind="GateError", message=message)


def gate_note(failure: Failure, missing: Sequence[str], known: Iterable[str], *, time: float) -> Noted:
    """The same, with a hint."""
    names = sorted(known)
    close = suggestion(missing[0], names)
    there = f"the metrics so far: {', '.join(names)}" if names else "tag the cell that gives it `pipeline-metrics`"
    hint = f"did you mean `{close}`?" if close else there
    return Noted(code=CODE, message=failure.message, time=time, step=failure.step, hint=hint)
