"""A run with its display, its end in words or JSON, and its exit code; `run` and `resume` share it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nb2pipe.cli.diagnostics import failure_text
from nb2pipe.cli.interrupt import interruptible
from nb2pipe.cli.output import relative_path, shown_path
from nb2pipe.cli.plain import PlainDisplay, silent
from nb2pipe.cli.progress import Progress
from nb2pipe.cli.session import is_terminal, write
from nb2pipe.cli.text import duration, number, one_line, table
from nb2pipe.errors import INTERRUPTED, Nb2pipeError, StepError
from nb2pipe.execution.home import find_home
from nb2pipe.notebook.model import NestedTag
from nb2pipe.records.codec import failure_json, metrics_json
from nb2pipe.records.events import RunStatus, SkipReason

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from nb2pipe.cli.session import Session
    from nb2pipe.execution.model import RunEnd, StepEnd
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.records.events import Event, Failure

    Begin = Callable[[Sequence[Callable[[Event], None]], threading.Event], RunEnd]

_COLORS = {RunStatus.SUCCEEDED: "green", RunStatus.FAILED: "red", RunStatus.INTERRUPTED: "yellow"}


class Display(Protocol):
    """Shows events as they come."""

    def handle(self, event: Event) -> None:
        """Takes an event in."""

    def tell(self, text: str) -> None:
        """Says something that is no event."""

    def close(self) -> None:
        """Sets the terminal right."""


def conduct(session: Session, begin: Begin, *, output: Path | None = None, what: str = "notebook") -> int:
    """Makes a run and shows it.

    Args:
        session: How to talk.
        begin: Starts the run, given its listeners and what cancels it.
        output: Where the user wanted the executed notebook.
        what: What is to be mended where a step failed.

    Returns:
        The exit code of a run that did not fail.

    Raises:
        StepError: A step failed; the author's error has been told.
    """
    progress = Progress()
    display = display_of(session)
    try:
        with interruptible(display.tell, display.close) as cancel:
            end = begin((progress.take, silent(display.handle)), cancel)
    finally:
        display.close()
    if session.json:
        session.emit(end_json(end))
    _tell_end(session, end, progress, output)
    return _code(session, end, progress, what)


def display_of(session: Session) -> Display:
    """What shows a run: a live table in a terminal, plain lines elsewhere, nothing with `-q`."""
    stream = session.people
    if session.quiet:
        return _NoDisplay()
    if is_terminal(stream):
        from nb2pipe.cli.live import LiveDisplay  # noqa: PLC0415 - loads rich

        return LiveDisplay(stream, color=session.colorful(stream), verbose=session.verbose)
    return PlainDisplay(stream, color=session.colorful(stream), verbose=session.verbose)


def end_json(end: RunEnd) -> dict[str, object]:
    """The end of a run as the last line of `run --json`."""
    return {
        "run": end.run,
        "status": str(end.status),
        "notebook": relative_path(end.notebook) if end.notebook.is_file() else None,
        "error": failure_json(end.failure),
        "steps": [_step_json(step) for step in end.steps],
        "metrics": metrics_json(end.metrics),
    }


def _step_json(step: StepEnd) -> dict[str, object]:
    row: dict[str, object] = {"name": step.name, "status": str(step.status), "seconds": step.seconds}
    return row if step.reason is None else {**row, "reason": str(step.reason)}


class _NoDisplay:
    """Shows nothing, but says what it is told to: an interruption."""

    def handle(self, event: Event) -> None:
        """Takes an event in."""

    def tell(self, text: str) -> None:
        """Says it on stderr."""
        write(text, sys.stderr)

    def close(self) -> None:
        """Has nothing open."""


def _tell_end(session: Session, end: RunEnd, progress: Progress, output: Path | None) -> None:
    stream = session.people
    if is_terminal(stream):
        session.say(_steps(session, progress))
    status = session.styled(str(end.status), stream, fg=_COLORS.get(end.status), bold=True)
    session.say(f"\nrun {end.run} {status} in {duration(progress.seconds)}")
    if stopped := _stopped_by_gate(progress):
        session.say(f"a gate did not hold, so these steps did not run: {', '.join(stopped)}")
    if end.metrics:
        session.say("metrics:")
        session.say(table([(one_line(name), number(value)) for name, value in end.metrics.items()], indent="  "))
    if end.notebook.is_file():
        asked = output is not None and output.is_file()
        session.say(f"notebook: {shown_path(output if output and asked else end.notebook)}")
        session.say(f"look at it: nb2pipe runs open{_home_option(end)}")


def _steps(session: Session, progress: Progress) -> str:
    from nb2pipe.cli.live import MARKS, status_words  # noqa: PLC0415 - loads rich, which is there in a terminal

    rows = progress.rows.values()
    text = table([(MARKS[row.status][0], one_line(row.step), status_words(row, 0.0)) for row in rows], indent=" ")
    shades = [MARKS[row.status][1].removeprefix("bold ") for row in rows]
    shown = zip(text.splitlines(), shades, strict=True)
    return "\n".join(
        session.styled(line, session.people, dim=True)
        if shade == "dim"
        else session.styled(line, session.people, fg=shade)
        for line, shade in shown
    )


def _stopped_by_gate(progress: Progress) -> list[str]:
    return [one_line(row.step) for row in progress.rows.values() if row.reason == SkipReason.GATE]


def _code(session: Session, end: RunEnd, progress: Progress, what: str) -> int:
    command = f"nb2pipe resume {end.run}{_home_option(end)}"
    if end.status is RunStatus.INTERRUPTED:
        write(f"interrupted; go on with: {command}", sys.stderr)
        return INTERRUPTED
    if end.failure is not None:
        _tell_failure(session, end.failure, progress)
        step = f"step `{end.failure.step}`" if end.failure.step else "the run"
        raise StepError(f"{step} failed", hint=f"mend the {what}, then go on with: {command}")
    if end.unpushed is not None:
        raise end.unpushed
    return 0


def _home_option(end: RunEnd) -> str:
    """What a command needs to find the run from the working directory, if anything."""
    home = end.folder.parent.parent
    return "" if find_home(Path.cwd()) == home.resolve() else f" --home {shlex.quote(shown_path(home))}"


def _tell_failure(session: Session, failure: Failure, progress: Progress) -> None:
    path, source = blamed_cell(Path(progress.notebook), failure)
    text = failure_text(failure, shown_path(path), source, color=session.colorful(sys.stderr))
    write(f"\n{text}\n", sys.stderr)


def blamed_cell(notebook: Path, failure: Failure) -> tuple[Path, str | None]:
    """The notebook whose cell failed, which may be a nested one, and the cell's source, if it still stands there so."""
    from nb2pipe.notebook.read import read_notebook  # noqa: PLC0415 - only where something failed

    if failure.cell is None or failure.line is None:
        return notebook, None
    try:
        found = _nested(read_notebook(notebook)[0], failure.step or "")
        source = found.cell(failure.cell).source
    except (Nb2pipeError, IndexError):
        return notebook, None
    lines = source.splitlines()
    if not 1 <= failure.line <= len(lines):
        return Path(found.path), None
    same = failure.source_line is None or lines[failure.line - 1].strip() == failure.source_line.strip()
    return Path(found.path), source if same else None


def _nested(notebook: Notebook, step: str) -> Notebook:
    """The notebook of a step: for `OUTER/INNER` the one that OUTER names."""
    outer, slash, _ = step.partition("/")
    tags = (tag for cell in notebook.cells for tag in cell.tags_of(NestedTag) if slash and tag.name == outer)
    inner = next((notebook.nested.get(tag.path or "") for tag in tags), None)
    return inner or notebook
