"""`nb2pipe resume`: goes on with a failed or interrupted run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nb2pipe import api
from nb2pipe.cli.arguments import JOBS, PARAMETER, ParameterCommand, complete_run
from nb2pipe.cli.conduct import conduct
from nb2pipe.cli.parameters import given_values
from nb2pipe.cli.session import common, current
from nb2pipe.execution.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """\b
RUN is an id, a unique prefix of one, a --name, latest or latest~1.

\b
Examples:
  nb2pipe resume
  nb2pipe resume 20261122-1030 -j 2
  nb2pipe resume latest -p lr 0.1      a new run
"""


@click.command("resume", cls=ParameterCommand, short_help="Go on with a failed or interrupted run.", epilog=_EPILOG)
@click.argument("run", default="latest", metavar="[RUN]", shell_complete=complete_run)
@PARAMETER
@JOBS
@common
@click.pass_context
def command(ctx: click.Context, run: str, given: Sequence[str], jobs: int | None) -> None:
    """Go on with RUN, by default the latest, with the notebook as it stands now.

    Steps that have finished are taken over; a step that has changed runs again, and what follows from it. With -p it is
    a new run.
    """
    session = current(ctx)
    options = RunOptions(parameters=given_values(given), jobs=jobs, home=session.home)
    ctx.exit(conduct(session, lambda listeners, cancel: api.resume(run, options, listeners=listeners, cancel=cancel)))
