"""The program `nb2pipe`: finds the command, loads only that one, and ends with its exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nb2pipe import __version__
from nb2pipe.cli.exits import CLOSED_PIPE, silence_closed_streams, told
from nb2pipe.cli.session import CONTEXT, Session, common

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMANDS: Mapping[str, str] = {
    "check": "Find problems in a notebook, without running it.",
    "graph": "Show the steps of a notebook and what flows between them.",
    "run": "Run a notebook as a pipeline.",
    "resume": "Go on with a failed or interrupted run.",
    "verify": "Compare a pipeline run with the notebook.",
    "runs": "List past runs, show, compare, rerun or delete them.",
    "lineage": "Show what a file or model came from, or what was made from it.",
    "convert": "Turn a notebook into a package of step modules.",
    "targets": "List the targets of `convert`, and what each can express.",
    "gc": "Delete what no run needs from the store.",
    "explain": "Explain a code, or why a step ran or was reused.",
}
"""Each command with its short help, so that `--help` loads none; the module is named as the command."""


class Group(click.Group):
    """A group whose unknown commands are an error with a suggestion."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument.

        Raises:
            UsageError: There is none of that name.
        """
        if not ctx.resilient_parsing and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            self._refuse(ctx, args[0])
        return super().resolve_command(ctx, args)

    def _refuse(self, ctx: click.Context, word: str) -> NoReturn:
        from nb2pipe.errors import UsageError  # noqa: PLC0415 - only where something is wrong
        from nb2pipe.plugins import suggestion  # noqa: PLC0415 - as above

        known = self.list_commands(ctx)
        close = suggestion(word, known)
        hint = f"did you mean `{ctx.command_path} {close}`?" if close else f"there are: {', '.join(known)}"
        if word.endswith((".ipynb", ".py")) and "run" in known:
            hint = f"did you mean `nb2pipe run {word}`?"
        raise UsageError(f"there is no command `{ctx.command_path} {word}`", hint=hint)


class App(Group):
    """The program: commands are loaded when they are asked for, and exceptions end in a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands, in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command of a name, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"nb2pipe.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The list of commands of `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command that was asked for; a reader that has gone ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(CLOSED_PIPE)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002, ARG002 - click's; the program always ends itself
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - click's
        **extra: Any,
    ) -> NoReturn:
        """Runs the program.

        Raises:
            SystemExit: Always, with the exit code.
        """
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # a notebook may hold what the terminal's encoding lacks
        found: dict[str, Any] = extra.setdefault("obj", {})
        try:
            code = super().main(
                args,
                prog_name or "nb2pipe",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one boundary; each gets its exit code
            code = _last_words(error, found)
        silence_closed_streams()
        sys.exit(code if isinstance(code, int) else 0)


def _last_words(error: BaseException, found: Mapping[str, Any]) -> int:
    try:
        return told(error, Session.of(found))
    except BrokenPipeError:
        return CLOSED_PIPE


_EPILOG = """\b
Examples:
  nb2pipe check train.ipynb
  nb2pipe graph train.ipynb -o train.svg
  nb2pipe run train.ipynb -p lr 0.1
  nb2pipe runs show latest
  nb2pipe convert train.ipynb

\b
Completion, for bash, zsh and fish:
  eval "$(_NB2PIPE_COMPLETE=bash_source nb2pipe)"     in ~/.bashrc
  eval "$(_NB2PIPE_COMPLETE=zsh_source nb2pipe)"      in ~/.zshrc
  _NB2PIPE_COMPLETE=fish_source nb2pipe | source      in ~/.config/fish/config.fish
"""


@click.group("nb2pipe", cls=App, context_settings=CONTEXT, epilog=_EPILOG)
@click.version_option(__version__, prog_name="nb2pipe", message="%(prog)s %(version)s")
@common
def cli() -> None:
    """A tagged Jupyter notebook is the pipeline: check it, draw it, run it step by step, see what came of it."""


def main() -> NoReturn:
    """The console script."""
    cli.main()
