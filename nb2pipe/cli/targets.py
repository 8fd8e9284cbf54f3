"""`nb2pipe targets`: what `convert --to` knows, and what each of them can express."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from nb2pipe import plugins
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.cli.text import table
from nb2pipe.targets.checks.nb408_not_for_this_target import CODE
from nb2pipe.targets.model import Feature

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.cli.session import Session
    from nb2pipe.targets.model import Target

_EPILOG = """\b
Examples:
  nb2pipe targets
  nb2pipe convert train.ipynb --to dvc
"""


@click.command(
    "targets", cls=Command, short_help="List the targets of `convert`, and what each can express.", epilog=_EPILOG
)
@common
@with_session
def command(session: Session) -> None:
    """List the targets of `convert --to`, and what each can express of what a notebook may ask for.

    `runs`: a pipeline ran there, or on the closest real part of it, and did so. `emitted`: the definition says it, and
    a validator of the platform accepts that. Else `convert` tells so with the code in the table, and makes the rest.
    """
    found = [cast("Callable[[], Target]", plugins.load("targets", name))() for name in plugins.names("targets")]
    if session.json:
        lines = [
            {
                "target": each.name,
                "supports": {name.value: each.supports[name].value for name in Feature if name in each.supports},
                "operators": list(each.operators),
            }
            for each in found
        ]
        session.emit(lines, lines=True)
        return
    head = ("", *(each.name for each in found))
    rows = [(feature.value, *(each.supports.get(feature, CODE) for each in found)) for feature in Feature]
    session.say(table([head, *rows]), result=True)
