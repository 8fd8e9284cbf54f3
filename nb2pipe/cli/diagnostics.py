"""Diagnostics as text for people, with the place underlined, and as JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nb2pipe.cli.text import TAB, columns, expanded, harmless, one_line
from nb2pipe.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nb2pipe.diagnostics import Diagnostic, Location, Report
    from nb2pipe.records.events import Failure

SCHEMA = 1
"""Version of the JSON form."""
COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_WIDTH = 100


def as_json(report: Report) -> dict[str, object]:
    """The report as `check --format json` prints it."""
    return {"schema": SCHEMA, "diagnostics": [_json(diagnostic) for diagnostic in report]}


def as_text(diagnostics: Iterable[Diagnostic], *, color: bool) -> str:
    """The diagnostics as people read them, a blank line between two."""
    return "\n\n".join(diagnostic_text(diagnostic, color=color) for diagnostic in diagnostics)


def diagnostic_text(diagnostic: Diagnostic, *, color: bool) -> str:
    """One diagnostic: what, where, the line with the place underlined, what to do."""
    style = _style(color=color)
    shade = COLORS[diagnostic.severity]
    head = style(f"{diagnostic.severity}[{diagnostic.code}]", fg=shade, bold=True)
    lines = [f"{head}: {style(one_line(diagnostic.message), bold=True)}", f"  --> {place(diagnostic.location)}"]
    lines += _quote(diagnostic.location, lambda text: style(text, fg=shade, bold=True))
    for what, where in diagnostic.related:
        lines += [f"{style('note', bold=True)}: {one_line(what)}", f"  --> {place(where)}"]
        lines += _quote(where, lambda text: style(text, fg="cyan"))
    if diagnostic.hint:
        lines.append(f"{style('hint', fg='green', bold=True)}: {one_line(diagnostic.hint)}")
    return "\n".join(lines)


def place(location: Location) -> str:
    """A place in words: `train.ipynb, cell 7 (step `fit`), line 3`."""
    words = [one_line(location.notebook)]
    if location.position is not None:
        step = f" (step `{one_line(location.step)}`)" if location.step else ""
        words.append(f"cell {location.position}{step}")
    if location.line is not None:
        words.append(f"line {location.line}")
    return ", ".join(words)


def summary(report: Report) -> str:
    """How many there are of each severity: `1 error, 2 warnings`."""
    counts = [(len(report.of_severity(severity)), severity) for severity in Severity]
    words = [_count(number, severity) for number, severity in counts if number]
    return ", ".join(words) or "no problems found"


def failure_text(failure: Failure, notebook: str, source: str | None, *, color: bool) -> str:
    """An error of the author's code: the exception, its place, the lines around it, and the author's frames.

    Args:
        failure: What happened.
        notebook: The notebook's path as people know it.
        source: The source of the cell, where it is known.
        color: With colors.
    """
    style = _style(color=color)
    message = one_line(failure.message)
    head = style(one_line(failure.kind), fg="red", bold=True)
    where = [one_line(notebook)]
    if failure.cell is not None:
        where.append(f"cell {failure.cell}" + (f" (step `{one_line(failure.step)}`)" if failure.step else ""))
    elif failure.step:
        where.append(f"step `{one_line(failure.step)}`")
    if failure.line is not None:
        where.append(f"line {failure.line}")
    lines = [f"{head}: {message}" if message else head, f"  --> {', '.join(where)}"]
    lines += _context(failure, source, lambda text: style(text, fg="red", bold=True))
    if failure.traceback.strip():
        lines += ["", *(f"  {harmless(line)}" for line in failure.traceback.strip("\n").splitlines())]
    if failure.hint:
        lines.append(f"{style('hint', fg='green', bold=True)}: {one_line(failure.hint)}")
    return "\n".join(lines)


def _json(diagnostic: Diagnostic) -> dict[str, object]:
    where = diagnostic.location
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "cell": where.position,
        "line": where.line,
        "column": where.column,
        "step": where.step,
        "hint": diagnostic.hint,
    }


def _count(number: int, severity: Severity) -> str:
    if severity is Severity.INFO:
        return f"{number} {'note' if number == 1 else 'notes'}"
    return f"{number} {severity}{'' if number == 1 else 's'}"


def _style(*, color: bool) -> Callable[..., str]:
    return click.style if color else lambda text, **_: text


def _quote(where: Location, shade: Callable[[str], str]) -> list[str]:
    if where.source_line is None or where.line is None or not where.source_line.strip():
        return []
    gutter = " " * len(str(where.line))
    line, before, under = _window(where)
    lines = [f" {gutter} |", f" {where.line} | {line}".rstrip()]
    if under:
        lines.append(f" {gutter} | {' ' * before}{shade('^' * under)}")
    return lines


def _window(where: Location) -> tuple[str, int, int]:
    """The line as it is shown, the columns before the underlined place, and its columns (0 for none)."""
    source = (where.source_line or "").rstrip("\r\n")
    if where.column is None:
        return _shown(source)[:_WIDTH], 0, 0
    start = min(max(where.column - 1, 0), len(source))
    end = min(max(where.end_column - 1 if where.end_column else 0, start), len(source))
    full = _shown(source)
    before = columns(_shown(source[:start]))
    under = max(columns(_shown(source[:end])) - before, 1)
    if columns(full) <= _WIDTH:
        return full, before, under
    cut = max(0, len(_shown(source[:start])) - _WIDTH // 2)
    mark = "…" if cut else ""
    shown = mark + full[cut : cut + _WIDTH]
    before = columns(mark + full[cut : len(_shown(source[:start]))])
    return shown, before, max(1, min(under, columns(shown) - before))


def _shown(text: str) -> str:
    return harmless(expanded(text), keep="")


def _context(failure: Failure, source: str | None, shade: Callable[[str], str]) -> list[str]:
    """Two lines before the one that failed and one after it, the failing one marked."""
    if failure.line is None:
        return []
    lines = source.splitlines() if source is not None else []
    if not 1 <= failure.line <= len(lines):
        if failure.source_line is None:
            return []
        numbered = [(failure.line, failure.source_line)]
    else:
        first = max(1, failure.line - 2)
        numbered = list(enumerate(lines[first - 1 : failure.line + 1], first))
    width = len(str(numbered[-1][0]))
    shown = [f" {' ' * (width + 2)} |"]
    for line, text in numbered:
        marked = line == failure.line
        row = f" {'>' if marked else ' '} {line:>{width}} | {_shown(text)[: _WIDTH + TAB]}".rstrip()
        shown.append(shade(row) if marked else row)
    return shown
