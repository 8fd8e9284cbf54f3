"""`nb2pipe explain`: the documentation of a diagnostic's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from nb2pipe.cli.codes import documented_code, documented_codes
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.cli.text import clipped, table

if TYPE_CHECKING:
    from nb2pipe.cli.session import Session

_EPILOG = """\b
Examples:
  nb2pipe explain            all codes
  nb2pipe explain NB203
"""


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    found = documented_codes()
    return [CompletionItem(item.code, help=item.title) for item in found if item.code.startswith(incomplete.upper())]


@click.command("explain", cls=Command, short_help="Explain the code of a diagnostic.", epilog=_EPILOG)
@click.argument("code", required=False, metavar="[CODE]", shell_complete=_complete)
@common
@with_session
def command(session: Session, code: str | None) -> None:
    """Explain CODE, such as NB203: what it means, an example, what to do. Without CODE, list all codes."""
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
