"""A notebook compiled for a command that needs it without errors; warnings are told, errors stop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.cli.diagnostics import as_text, summary
from nb2pipe.cli.session import write
from nb2pipe.diagnostics import Severity
from nb2pipe.errors import NotebookError
from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.cli.session import Session
    from nb2pipe.diagnostics import Report
    from nb2pipe.pipeline.model import Pipeline


def compiled(notebook: Path, session: Session) -> Pipeline:
    """The pipeline of a notebook.

    Raises:
        NotebookError: It has errors, or cannot be read; all of them are in the report.
    """
    pipeline = compile_notebook(notebook)
    if pipeline.report.errors:
        raise NotebookError(f"{notebook} has errors", report=pipeline.report)
    _tell(pipeline.report, session)
    return pipeline


def _tell(report: Report, session: Session) -> None:
    """Warnings, on stderr, so that a result on stdout stays alone; notes with `-v`."""
    if session.quiet:
        return
    told = [item for item in report if item.severity is Severity.WARNING or session.verbose]
    if told:
        write(as_text(told, color=session.colorful(sys.stderr)), sys.stderr)
        write(f"\n{summary(report)}\n", sys.stderr)
