"""The author's code within a step: what is done at the borders of its cells, and its errors, told apart from ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.records.events import Failure
from nb2pipe.runtime import borders, traces
from nb2pipe.runtime.figures import close_figures
from nb2pipe.runtime.numbers import metrics_of
from nb2pipe.runtime.running.told import show, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.markers import Place


class StepFailedError(Exception):
    """The author's code raised; its own error is the cause."""


@dataclass(slots=True)
class Watch:
    """What is done at the borders of a step's cells.

    Attributes:
        facts: The step.
        notebook: The notebook's file name.
        measured: Its metrics.
    """

    facts: StepFacts
    notebook: str
    measured: dict[str, float] = field(default_factory=dict)

    def begin(self, place: Place) -> None:
        """Nothing is to be done."""

    def end(self, place: Place, values: Callable[[], Mapping[str, object]]) -> None:
        """Takes the metrics of a cell, and closes its figures."""
        names = self.facts.metrics.get(place.cell)
        if names and not place.definitions:
            self.measured.update(metrics_of(names, values()))
        close_figures()

    def caught(self, _place: Place, error: BaseException) -> None:
        """Shows the error of a cell that may raise; the step goes on."""
        traces.explain(error, self.notebook)
        show(error)


def within(facts: StepFacts, description: Description, watch: Watch, work: Callable[[], Any]) -> Any:
    """Does a part of a step's work; what the author's code raises is told apart from what ours does."""
    borders.listen(watch)
    try:
        return work()
    except KeyboardInterrupt as error:
        traces.explain(error, description.notebook)
        place = traces.where(error, description.notebook)
        raise KeyboardInterrupt(f"in the step `{facts.name}`" + (f", {place}" if place else "")) from None
    except BaseException as error:
        if traces.is_ours(error):
            raise
        traces.explain(error, description.notebook)
        place = traces.where(error, description.notebook)
        message = f"the step `{facts.name}` failed" + (f" in {place}" if place else "")
        raise StepFailedError(message) from error
    finally:
        borders.stop_listening(watch)


def failure_of(facts: StepFacts, failed: StepFailedError) -> Failure:
    """What the record says of an error."""
    error = failed.__cause__
    assert error is not None
    place = traces.place(error)
    return Failure(
        step=facts.name,
        cell=place.cell if place else None,
        line=place.line if place else None,
        kind=type(error).__name__,
        message=text_of(error),
    )
