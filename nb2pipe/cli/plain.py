"""A run as plain lines: for pipes, files and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click

from nb2pipe.cli.printed import PrintedLines
from nb2pipe.cli.progress import Progress
from nb2pipe.cli.text import duration, number, one_line, padded, size
from nb2pipe.records.events import (
    CellFinished,
    CellStarted,
    MetricLogged,
    Noted,
    OutputWritten,
    RunStarted,
    StepFailed,
    StepFinished,
    StepRetried,
    StepReused,
    StepSkipped,
    StepStarted,
    Transfer,
)
from nb2pipe.records.values import masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.records.events import Event


class Words:
    """An event in words: the lines that tell it, each with its color; the same in a terminal and elsewhere.

    Args:
        verbose: Cells and each point of a series are told too.
        terse: What a table of the steps shows is not told.
    """

    def __init__(self, *, verbose: bool, terse: bool = False) -> None:
        self.progress = Progress()
        self.printed = PrintedLines()
        self._verbose = verbose
        self._terse = terse

    def of(self, event: Event) -> list[tuple[str, str | None]]:
        """Takes an event in.

        Returns:
            The lines that tell it, each with a color or None.
        """
        self.progress.take(event)
        match event:
            case OutputWritten():
                return self._said(event.step, self.printed.feed(event.step, event.stream, event.text))
            case CellFinished():
                return self._said(event.step, self.printed.flush(event.step))
            case StepStarted() | StepFinished() | StepReused():
                return self._went(event)
            case StepFailed() | StepSkipped() | StepRetried():
                return self._stopped(event)
            case RunStarted() | Noted() | MetricLogged() | CellStarted() | Transfer():
                return self._else(event)
            case _:
                return []

    def _said(self, step: str, lines: list[str]) -> list[tuple[str, str | None]]:
        return [(f"{self._name(step)} | {line}", None) for line in lines]

    def _went(self, event: StepStarted | StepFinished | StepReused) -> list[tuple[str, str | None]]:
        name = self._name(event.step)
        if self._terse:
            return self._said(event.step, self.printed.flush(event.step))
        match event:
            case StepStarted():
                described = f": {one_line(event.description)}" if event.description else ""
                return [(f"{name}  started{described}", None)]
            case StepFinished():
                left = self._said(event.step, self.printed.flush(event.step))
                return [*left, (f"{name}  ran in {duration(event.seconds)}", "green")]
            case StepReused():
                return [(f"{name}  reused from {one_line(event.source)}", "cyan")]

    def _stopped(self, event: StepFailed | StepSkipped | StepRetried) -> list[tuple[str, str | None]]:
        name = self._name(event.step)
        if isinstance(event, StepSkipped):
            if self._terse and not event.message:
                return []
            said = f": {one_line(event.message)}" if event.message else ""
            return [(f"{name}  skipped ({event.reason}){said}", "yellow")]
        left = self._said(event.step, self.printed.flush(event.step))
        failure = event.failure
        at = f" in cell {failure.cell}" if failure.cell is not None else ""
        what = f"{one_line(failure.kind)}: {one_line(failure.message)}".rstrip(": ")
        if isinstance(event, StepRetried):
            return [*left, (f"{name}  attempt {event.attempt} failed{at}, is tried again: {what}", "yellow")]
        return [*left, (f"{name}  failed{at} after {duration(event.seconds)}: {what}", "red")]

    def _else(self, event: RunStarted | Noted | MetricLogged | CellStarted | Transfer) -> list[tuple[str, str | None]]:
        match event:
            case RunStarted():
                return [(_begun(event), None)]
            case Transfer():
                way = "from" if event.pulls else "to"
                moved = f"{size(event.done)} of {size(event.total)}"
                return [(f"{moved} of {event.digest[:12]} {way} {one_line(event.url)}", None)]
            case Noted():
                hint = f" (hint: {one_line(event.hint)})" if event.hint else ""
                step = f"{self._name(event.step)}  " if event.step else ""
                return [(f"{step}{event.code}: {one_line(event.message)}{hint}", "yellow")]
            case MetricLogged() if event.index is None or self._verbose:
                at = f" at {event.index}" if event.index is not None else ""
                return [(f"{self._name(event.step)}  {one_line(event.name)} = {number(event.value)}{at}", None)]
            case CellStarted() if self._verbose and not self._terse:
                return [(f"{self._name(event.step)}  cell {event.cell}", None)]
            case _:
                return []

    def _name(self, step: str) -> str:
        return padded(one_line(step), self.progress.width)


class PlainDisplay:
    """Writes each event's lines as they come."""

    def __init__(self, stream: TextIO, *, color: bool = False, verbose: bool = False) -> None:
        self._stream = stream
        self._color = color
        self.words = Words(verbose=verbose)

    def handle(self, event: Event) -> None:
        """Takes an event in."""
        for line, shade in self.words.of(event):
            self._stream.write((click.style(line, fg=shade) if self._color and shade else line) + "\n")
        self._stream.flush()

    def tell(self, text: str) -> None:
        """Says something that is no event."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Ends the display; it has nothing open."""


def silent(handle: Callable[[Event], None]) -> Callable[[Event], None]:
    """A listener that gives up, rather than stop the run, when whoever reads its words has gone."""
    gone = False

    def call(event: Event) -> None:
        nonlocal gone
        if gone:
            return
        try:
            handle(event)
        except BrokenPipeError:
            gone = True

    return call


def _begun(event: RunStarted) -> str:
    values = masked({name: event.parameters.get(name) for name in event.given})
    given = ", ".join(f"{one_line(name)}={one_line(repr(value))}" for name, value in values.items())
    what = "goes on" if event.resumed else "started"
    return f"run {event.run} of {one_line(event.pipeline)} {what}" + (f" with {given}" if given else "")
