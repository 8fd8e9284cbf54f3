"""`nb2pipe explain`: the documentation of a diagnostic's code, or why a step of a run ran or was reused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from nb2pipe.cli.codes import documented_code, documented_codes
from nb2pipe.cli.explained import tell_why
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.cli.text import clipped, table
from nb2pipe.execution.home import find_home

if TYPE_CHECKING:
    from nb2pipe.cli.session import Session

_EPILOG = """\b
Examples:
  nb2pipe explain            all codes
  nb2pipe explain NB203
  nb2pipe explain latest train     why the step `train` ran in the latest run, or was reused
"""


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    found = documented_codes()
    return [CompletionItem(item.code, help=item.title) for item in found if item.code.startswith(incomplete.upper())]


@click.command("explain", cls=Command, short_help="Explain a code, or why a step ran or was reused.", epilog=_EPILOG)
@click.argument("subject", required=False, metavar="[CODE|RUN]", shell_complete=_complete)
@click.argument("step", required=False, metavar="[STEP]")
@common
@with_session
def command(session: Session, subject: str | None, step: str | None) -> None:
    """Explain CODE, such as NB203: what it means, an example, what to do. Without CODE, list all codes.

    With RUN and STEP, tell why the step ran in that run, or was reused: the lines of code, parameters, files or
    packages that changed since the run before. RUN is an id, a unique prefix of one, a --name, latest or latest~1.
    """
    if subject is not None and step is not None:
        tell_why(session, find_home(Path.cwd(), session.home), subject, step)
        return
    _tell_code(session, subject)


def _tell_code(session: Session, code: str | None) -> None:
    if code is None:
        found = documented_codes()
        if session.json:
            session.emit([{"code": item.code, "title": item.title} for item in found], lines=True)
        session.say(table([(item.code, clipped(item.title, 100)) for item in found]), result=not session.json)
        return
    item = documented_code(code)
    if session.json:
        session.emit({"code": item.code, "title": item.title, "text": item.text}, lines=True)
    head = session.styled(item.code, session.people, bold=True)
    session.say(f"{head}: {item.title}\n\n{item.text}".rstrip(), result=not session.json)
