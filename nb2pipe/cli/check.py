"""`nb2pipe check`: all diagnostics of a notebook, without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nb2pipe.cli.arguments import NOTEBOOK
from nb2pipe.cli.diagnostics import as_json, as_text, summary
from nb2pipe.cli.sarif import as_sarif
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.diagnostics import Report, Severity
from nb2pipe.errors import NotebookError
from nb2pipe.notebook.checks.nb100_unreadable_notebook import unreadable_notebook
from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.cli.session import Session

_EPILOG = """\b
Exit code: 0, or 3 if there is an error (with --strict: a warning).

\b
Examples:
  nb2pipe check train.ipynb
  nb2pipe check train.ipynb --strict
  nb2pipe check train.ipynb --format sarif > check.sarif
  nb2pipe explain NB203
"""


@click.command("check", cls=Command, short_help="Find problems in a notebook, without running it.", epilog=_EPILOG)
@NOTEBOOK
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "sarif")), default="text", help="text, json, or sarif 2.1.0."
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@common
@with_session
def command(session: Session, notebook: Path, form: str, *, strict: bool) -> None:
    """Find all problems in NOTEBOOK, each with its place and a hint. Nothing is executed."""
    form = "json" if session.json and form == "text" else form
    try:
        report = report_of(notebook)
    except NotebookError as error:
        if form != "text":  # people are told of it as of any error
            _emit(session, Report.of([unreadable_notebook(error, notebook)]), form, notebook)
        raise
    if form == "text":
        _tell(session, report)
    else:
        _emit(session, report, form, notebook)
    if report.errors or (strict and report.warnings):
        raise click.exceptions.Exit(NotebookError.exit_code)


def report_of(notebook: Path) -> Report:
    """All diagnostics of a notebook.

    Raises:
        NotebookError: It cannot be read, and there is no report that says so.
    """
    try:
        return compile_notebook(notebook).report
    except NotebookError as error:
        if error.report is None or not len(error.report):
            raise
        return error.report


def _emit(session: Session, report: Report, form: str, notebook: Path) -> None:
    session.emit(as_json(report) if form == "json" else as_sarif(report, notebook), lines=True)


def _tell(session: Session, report: Report) -> None:
    told = [item for item in report if not session.quiet or item.severity is Severity.ERROR]
    if told:
        session.say(as_text(told, color=session.colorful(session.people)), result=True)
        session.say()
    session.say(summary(report))
