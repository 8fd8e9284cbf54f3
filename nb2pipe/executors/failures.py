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
_HINTS = {
    "StdinNotImplementedError": "make what is asked for a parameter: tag its cell `parameters`",
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
    frame = _blamed(errors[-1]["frames"], cell) if errors else {}
    cell, line = frame.get("cell", cell), frame.get("line")
    kind, message = _kind_and_message(stop, errors, timeout)
    trace = _traceback(errors, notebook) if errors else clean(stop.traceback)
    return Failure(
        step=step,
        cell=cell,
        line=line,
        kind=kind,
        message=message,
        traceback=trace,
        source_line=_frame_text(frame, notebook),
        hint=stop.hint if stop.reason is Reason.DIED else _HINTS.get(kind),
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


def _blamed(frames: Sequence[dict[str, Any]], cell: int | None) -> dict[str, Any]:
    """The line of the cell that was running: the outermost one in it, which called whatever failed."""
    found = (frame for frame in frames if "cell" in frame and cell in {None, frame["cell"]})
    return next(found, {})


def _frame_text(frame: dict[str, Any], notebook: Notebook) -> str | None:
    """The text of a frame's line: the module's where it stands in one that somebody may have edited."""
    if "text" in frame:
        return clean(frame["text"]) or None
    if frame.get("line") is None:
        return None
    lines, line = notebook.cell(frame["cell"]).source.split("\n"), frame["line"]
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
    module = f" ({frame['module']}, line {frame['module_line']})" if "module" in frame else ""
    yield f"{where}, line {frame['line']}{inside}{module}"
    text = _frame_text(frame, notebook)
    if text:
        yield f"    {text.strip()}"
