"""From what a kernel tells of an error to a `Failure`: the author's cell, line and code, and none of our frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nb2pipe.executors.watch import Reason, position
from nb2pipe.records.events import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nb2pipe.executors.watch import Stop
    from nb2pipe.notebook.model import Notebook

_COLORS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LONGEST = 20_000
_LINKS = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}
_DEATH = "look at the memory that the cell needs, and for native libraries that end the process"
_HINTS = {
    "StdinNotImplementedError": "make what is asked for a parameter: tag its cell `parameters`",
    "KernelDied": _DEATH,
    "ProcessDied": _DEATH,
    "ModuleNotFoundError": "install it in the environment of the kernel",
}


def failure_of(stop: Stop, errors: Sequence[dict[str, Any]], step: str, notebook: Notebook, timeout: float) -> Failure:
    """The failure of a step that was not run to its end.

    Args:
        stop: Why it was not.
        step: The step's name.
        notebook: The author's.
        errors: What `runtime.frames.describe` gave; empty if the kernel could not tell.
        timeout: The step's seconds, for the message.
    """
    cell = position(stop.cell) if stop.cell is not None else None
    line = _line(errors[-1]["frames"], cell) if errors else None
    if cell is None and errors:
        cell, line = _first_cell(errors[-1]["frames"])
    kind, message = _kind_and_message(stop, errors, timeout)
    trace = _traceback(errors, notebook) if errors else clean(stop.traceback)
    return Failure(
        step=step,
        cell=cell,
        line=line,
        kind=kind,
        message=message,
        traceback=trace,
        source_line=_source_line(notebook, cell, line),
        hint=_HINTS.get(kind),
    )


def clean(text: str) -> str:
    r"""Text without colors, and not longer than anybody reads.

    >>> clean("\x1b[31mred\x1b[0m")
    'red'
    """
    plain = _COLORS.sub("", text)
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]} ... ({len(plain)} characters)"


def _kind_and_message(stop: Stop, errors: Sequence[dict[str, Any]], timeout: float) -> tuple[str, str]:
    match stop.reason:
        case Reason.TIMEOUT:
            return "Timeout", f"the step was stopped after its time of {timeout:g} s"
        case Reason.EXIT:
            return "SystemExit", "the cell called `exit()`, which ends the kernel before the step's end"
        case Reason.DIED | Reason.NOT_STARTED:
            kind = "Died" if stop.reason is Reason.DIED else "NotStarted"
            return f"{stop.what.capitalize()}{kind}", _last_line(stop)
        case _:
            return _error(stop, errors)


def _error(stop: Stop, errors: Sequence[dict[str, Any]]) -> tuple[str, str]:
    kind, message = (errors[-1]["kind"], errors[-1]["message"]) if errors else (stop.kind, stop.message)
    if kind == "SystemExit":
        message = f"the cell ended Python: SystemExit({message})"
    if kind == "StdinNotImplementedError":
        message = "the cell asks for input, and in a pipeline run nobody can answer"
    return kind, clean(message)


def _last_line(stop: Stop) -> str:
    """How the kernel ended; for one that never began, with the last line that it wrote."""
    lines = clean(stop.traceback).splitlines()
    if stop.reason is Reason.NOT_STARTED and lines:
        return f"{stop.message or f'the {stop.what} did not start'}: {lines[-1]}"
    return stop.message or f"the {stop.what} ended"


def _line(frames: Sequence[dict[str, Any]], cell: int | None) -> int | None:
    """The line of the cell that was running: the outermost one in it, which called whatever failed."""
    return next((frame["line"] for frame in frames if frame.get("cell") == cell and cell is not None), None)


def _first_cell(frames: Sequence[dict[str, Any]]) -> tuple[int | None, int | None]:
    return next(((frame["cell"], frame["line"]) for frame in frames if "cell" in frame), (None, None))


def _source_line(notebook: Notebook, cell: int | None, line: int | None) -> str | None:
    if cell is None or line is None:
        return None
    lines = notebook.cell(cell).source.split("\n")
    return clean(lines[line - 1]) if 0 < line <= len(lines) else None


def _traceback(errors: Sequence[dict[str, Any]], notebook: Notebook) -> str:
    parts: list[str] = []
    for number, error in enumerate(errors):
        text = [line for frame in error["frames"] for line in _frame_lines(frame, notebook)]
        text.append(f"{error['kind']}: {error['message']}" if error["message"] else error["kind"])
        if number < len(errors) - 1:
            text += ["", _LINKS[error["link"]], ""]
        parts += text
    return clean("\n".join(parts))


def _frame_lines(frame: dict[str, Any], notebook: Notebook) -> Iterator[str]:
    where = f"cell {frame['cell']}" if "cell" in frame else frame["file"]
    inside = "" if frame["name"] == "<module>" else f", in {frame['name']}"
    yield f"{where}, line {frame['line']}{inside}"
    text = frame["text"] if "file" in frame else _source_line(notebook, frame["cell"], frame["line"])
    if text:
        yield f"    {text.strip()}"
