"""A run in a terminal: what the author prints scrolls by, and below it stands a live table of the steps."""
# ruff: noqa: TID253 - the module itself is loaded in a terminal only, when a run begins

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from nb2pipe.cli.plain import Words
from nb2pipe.cli.text import columns, duration, one_line, padded
from nb2pipe.records.events import RunStarted, StepStatus

if TYPE_CHECKING:
    from nb2pipe.cli.progress import Row
    from nb2pipe.records.events import Event

MARKS = {
    StepStatus.PENDING: ("·", "dim"),
    StepStatus.RUNNING: ("▸", "bold cyan"),
    StepStatus.RAN: ("✓", "green"),
    StepStatus.REUSED: ("↺", "cyan"),
    StepStatus.FAILED: ("✗", "bold red"),
    StepStatus.SKIPPED: ("-", "yellow"),
    StepStatus.INTERRUPTED: ("■", "yellow"),
}
_SPARE_LINES = 4
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FEWEST = 3


class LiveDisplay:
    """The live table; `handle` may be called from any thread."""

    def __init__(self, stream: TextIO, *, color: bool = True, verbose: bool = False) -> None:
        self.words = Words(verbose=verbose, terse=True)
        self._console = Console(
            file=stream, force_terminal=True, no_color=not color, highlight=False, markup=False, emoji=False
        )
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._plain = not self._console.encoding.lower().startswith("utf")

    def handle(self, event: Event) -> None:
        """Takes an event in; what the table does not show is printed above it."""
        for line, shade in self.words.of(event):
            self._console.print(Text(line, style=shade or ""), soft_wrap=True)
        if isinstance(event, RunStarted):
            self._live.start()

    def tell(self, text: str) -> None:
        """Says something that is no event, above the table."""
        self._console.print(Text(text, style="yellow"))

    def close(self) -> None:
        """Takes the table away; what was printed stays."""
        self._live.stop()

    def _render(self) -> Text:
        rows = list(self.words.progress.rows.values())
        shown, hidden = visible(rows, self._console.height - _SPARE_LINES)
        lines = [self._line(row, max(columns(one_line(row.step)) for row in shown)) for row in shown]
        if hidden:
            lines.append(
                Text(f"  {'...' if self._plain else '…'} and {len(hidden)} more: {counts(hidden)}", style="dim")
            )
        return Text("\n", no_wrap=True, overflow="crop").join(lines)

    def _line(self, row: Row, width: int) -> Text:
        now = time.time()
        mark, style = MARKS[row.status]
        running = row.status is StepStatus.RUNNING
        if running:
            mark = _SPINNER[int(now * 8) % len(_SPINNER)]
        line = Text.assemble(
            (f" {'*' if self._plain else mark} ", style),
            (padded(one_line(row.step), width), "bold" if running else ""),
            (f"  {status_words(row, now)}", style),
        )
        if running:
            words = (_cell_words(row), one_line(self.words.printed.current(row.step)))
            line.append("".join(f"  {word}" for word in words if word), style="dim")
        line.truncate(self._console.width - 1, overflow="ellipsis")
        return line


def visible(rows: list[Row], places: int) -> tuple[list[Row], list[Row]]:
    """The rows that find a place, in their order, and the others: what runs and what failed comes first."""
    places = max(places, _FEWEST)
    if len(rows) <= places:
        return rows, []
    order = [
        StepStatus.RUNNING,
        StepStatus.FAILED,
        StepStatus.INTERRUPTED,
        StepStatus.PENDING,
        StepStatus.RAN,
        StepStatus.REUSED,
        StepStatus.SKIPPED,
    ]
    newest = sorted(enumerate(rows), key=lambda each: (order.index(each[1].status), _from_end(*each)))
    chosen = {row.step for _, row in newest[: places - 1]}
    return [row for row in rows if row.step in chosen], [row for row in rows if row.step not in chosen]


def _from_end(place: int, row: Row) -> int:
    """What waits is shown from the front, what is done from the end."""
    return place if row.status is StepStatus.PENDING else -place


def counts(rows: list[Row]) -> str:
    """How many steps there are of each status: `3 ran, 2 pending`."""
    found = [(status, sum(row.status is status for row in rows)) for status in StepStatus]
    return ", ".join(f"{number} {status}" for status, number in found if number)


def status_words(row: Row, now: float) -> str:
    """A step's status with its time: `ran 3.1 s`, `skipped (gate)`."""
    if row.reason:
        return f"{row.status} ({row.reason})"
    seconds = row.seconds
    if row.status is StepStatus.RUNNING and row.since is not None:
        seconds = max(0.0, now - row.since)
    return str(row.status) + (f" {duration(seconds)}" if seconds is not None else "")


def _cell_words(row: Row) -> str:
    share = f" ({min(row.done + 1, row.cells)} of {row.cells})" if row.cells else ""
    return f"cell {row.cell}{share}" if row.cell is not None else ""
