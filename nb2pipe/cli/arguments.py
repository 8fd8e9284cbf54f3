"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from nb2pipe.cli.session import Command, current
from nb2pipe.execution.home import find_home
from nb2pipe.plugins import names
from nb2pipe.records.index import list_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTEBOOK = click.argument("notebook", type=click.Path(path_type=Path), metavar="NOTEBOOK")
"""An `.ipynb`, or a `.py` of jupytext; whether it exists is found where it is read."""
_PARAMETER = ("-p", "--parameter")


class ParameterCommand(Command):
    """A command whose `-p` takes `NAME VALUE` as well as `NAME=VALUE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the command line, with each `-p NAME VALUE` made one word."""
        takers = frozenset(
            name
            for option in self.get_params(ctx)
            if isinstance(option, click.Option) and not option.is_flag and not option.count
            for name in option.opts
        )
        return super().parse_args(ctx, joined(args, takers))


def joined(words: Sequence[str], takers: frozenset[str]) -> list[str]:
    """The words of a command line, with each `-p NAME VALUE` as `-p NAME=VALUE`.

    Args:
        words: As the shell gives them.
        takers: The options that take a value, `-p` among them, so that a value is not read as an option.

    >>> joined(["-p", "lr", "-1", "-p", "n=2", "--", "-p"], frozenset({"-p"}))
    ['-p', 'lr=-1', '-p', 'n=2', '--', '-p']
    """
    done: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*done, word, *left]
        option, attached = _option(word, takers)
        if option is None:
            done.append(word)
        elif option in _PARAMETER:
            done += _joined_parameter(word, attached, left)
        else:
            done += [word, *([] if attached is not None else left[:1])]
            left = left if attached is not None else left[1:]
    return done


def _joined_parameter(word: str, attached: str | None, left: list[str]) -> list[str]:
    """The words of one `-p`; takes from `left` what belongs to it."""
    if attached is not None:
        value = [] if "=" in attached or not left else [left.pop(0)]
        return ["=".join([word, *value])]
    if not left:
        return [word]
    name = left.pop(0)
    alone = "=" in name or not left or left[0] in _PARAMETER  # `-p lr -p n 2`: the value was forgotten
    value = [] if alone else [left.pop(0)]
    return [word, "=".join([name, *value])]


def _option(word: str, takers: frozenset[str]) -> tuple[str | None, str | None]:
    """The option of a word that takes a value, and the value where the word holds it too."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return (name, value if equals else None) if name in takers else (None, None)
    if word.startswith("-"):
        for place, letter in enumerate(word[1:], 1):  # `-qp lr=1`: flags may stand before
            if f"-{letter}" in takers:
                return f"-{letter}", word[place + 1 :] or None
    return None, None


PARAMETER = click.option(
    *_PARAMETER,
    "given",
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter; NAME=VALUE works too. May be repeated.",
)
JOBS = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    envvar="NB2PIPE_JOBS",
    show_envvar=True,
    help="How many steps may run at the same time; by default as many as there are processors.",
)


def complete_executor(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """Names of executors, for the shell."""
    return [CompletionItem(name) for name in names("executors") if name.startswith(incomplete)]


def complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """Runs of the home, the newest first, for the shell."""
    home = find_home(Path.cwd(), current(ctx.find_root()).home)
    rows = [row for row in list_runs(home) if row.problem is None]
    known = [("latest", "the newest run")]
    known += [(row.name, row.run) for row in rows if row.name]
    known += [(row.run, f"{row.pipeline} {row.status}") for row in rows]
    return [CompletionItem(run, help=what) for run, what in known if run.startswith(incomplete)]


EXECUTOR = click.option(
    "--executor",
    metavar="NAME",
    default="papermill",
    show_default=True,
    envvar="NB2PIPE_EXECUTOR",
    show_envvar=True,
    shell_complete=complete_executor,
    help="What runs a step: papermill in a kernel, subprocess as a module.",
)
"""What runs a step."""


def complete_tracker(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """Names of trackers, for the shell."""
    return [CompletionItem(name) for name in names("trackers") if name.startswith(incomplete)]


TRACKER = click.option(
    "--tracker",
    "trackers",
    multiple=True,
    metavar="NAME",
    envvar="NB2PIPE_TRACKER",
    show_envvar=True,
    shell_complete=complete_tracker,
    help="Send the run to a tracker: mlflow, tensorboard. May be repeated.",
)
"""What the run is sent to."""

STORE = click.option(
    "--store",
    metavar="URL",
    envvar="NB2PIPE_STORE",
    show_envvar=True,
    help="A store that others use too, such as s3://BUCKET/PREFIX or a folder; the home stands in front of it.",
)
"""A store that others use too."""
