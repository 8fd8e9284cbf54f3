"""One invocation: the options that every command has, and where its words go."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.cli.project import Project

P = ParamSpec("P")
F = TypeVar("F", bound="Callable[..., Any] | click.Command")

COLORS = ("auto", "always", "never")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""Settings of click for every command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """How one invocation talks.

    Attributes:
        json: The result is for machines, on stdout; people's words go to stderr.
        quiet: Only errors are told.
        verbose: More is told; tracebacks of our own bugs too.
        color: `auto`, `always` or `never`.
        home: The folder `.nb2pipe` that the user named.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    home: Path | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Session:
        """The session of the options found before and after the command's name."""
        return cls(**{key: value for key, value in found.items() if value is not None})

    @property
    def people(self) -> TextIO:
        """Where words for people go."""
        return sys.stderr if self.json else sys.stdout

    def colorful(self, stream: TextIO) -> bool:
        """Whether a stream gets colors: `--color` before FORCE_COLOR before NO_COLOR before the kind of stream."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("FORCE_COLOR"):
            return True
        return not os.environ.get("NO_COLOR") and is_terminal(stream)

    def say(self, text: str = "", *, result: bool = False) -> None:
        """Tells people something; silent with `-q`, unless it is the result that was asked for."""
        if result or not self.quiet:
            write(text, self.people)

    def warn(self, message: str, hint: str | None = None) -> None:
        """Tells people of something that may hurt, on stderr."""
        if not self.quiet:
            write(self.styled("warning", sys.stderr, fg="yellow", bold=True) + f": {message}", sys.stderr)
            if hint:
                write(self.styled("hint", sys.stderr, bold=True) + f": {hint}", sys.stderr)

    def styled(self, text: str, stream: TextIO, **style: Any) -> str:
        """The text in a color, where the stream takes colors."""
        return click.style(text, **style) if self.colorful(stream) else text

    def emit(self, value: object, *, lines: bool = False) -> None:
        """The result for machines, as JSON on stdout.

        Args:
            value: Made of dictionaries, lists, texts and numbers; a number that JSON lacks becomes null.
            lines: Over several lines, indented; else one line.
        """
        import json  # noqa: PLC0415 - `--help` does without

        write(json.dumps(_plain(value), indent=2 if lines else None, allow_nan=False), sys.stdout)


def write(text: str, stream: TextIO) -> None:
    """A line, written at once."""
    stream.write(text + "\n")
    stream.flush()


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal that understands control sequences."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def common(command: F) -> F:
    """The options that stand everywhere, before and after the command's name."""
    options = (
        click.option("--json", is_flag=True, help="For machines: the result as JSON on stdout.", **_noted()),
        click.option("-q", "--quiet", is_flag=True, help="Only errors.", **_noted()),
        click.option("-v", "--verbose", is_flag=True, help="Say more.", **_noted()),
        click.option(
            "--color",
            type=click.Choice(COLORS),
            envvar="NB2PIPE_COLOR",
            help="Colors: auto, always, never.",
            **_noted(),
        ),
        click.option(
            "--home",
            type=click.Path(file_okay=False, path_type=Path),
            envvar="NB2PIPE_HOME",
            metavar="DIR",
            help="The folder .nb2pipe to use.",
            **_noted(),
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class Command(click.Command):
    """A command that also takes what `[tool.nb2pipe]` says, where nobody said more."""

    def __init__(self, *args: Any, **more: Any) -> None:
        more["context_settings"] = {**CONTEXT, **(more.get("context_settings") or {})}
        super().__init__(*args, **more)

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command with the project's values filled in."""
        project = _project(ctx)
        for option in self.get_params(ctx):
            if option.name in project.values and _is_unsaid(ctx, option):
                _fill(ctx, option, project)
        session = current(ctx)
        for key, meant in project.unknown:
            session.warn(
                f"{project.path}: `{key}` in [tool.nb2pipe] means nothing",
                hint=f"did you mean `{meant}`?" if meant else None,
            )
        return super().invoke(ctx)


def current(ctx: click.Context) -> Session:
    """The session of a context."""
    return Session.of(ctx.ensure_object(dict))


def with_session(function: Callable[..., None]) -> Callable[..., None]:
    """Gives the callback of a command its session as the first argument."""

    def call(*args: object, **values: object) -> None:
        function(current(click.get_current_context()), *args, **values)

    call.__doc__ = function.__doc__
    call.__name__ = function.__name__
    if hasattr(function, "__click_params__"):
        call.__click_params__ = function.__click_params__  # type: ignore[attr-defined]  # where click keeps options
    return call


def _noted() -> dict[str, Any]:
    return {"expose_value": False, "is_eager": True, "callback": _note, "default": None}


def _note(ctx: click.Context, option: click.Parameter, value: object) -> object:
    if value is not None and option.name:
        found = ctx.ensure_object(dict)
        name = option.name
        said = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        # The environment is read once more at the command's name; it must not win over what stood before it.
        if said or name not in found:
            found[name] = value
    return value


def _project(ctx: click.Context) -> Project:
    from nb2pipe.cli.project import read_project  # noqa: PLC0415 - help does without

    notebook = ctx.params.get("notebook")
    return read_project(notebook.parent if isinstance(notebook, Path) else Path.cwd())


def _is_unsaid(ctx: click.Context, option: click.Parameter) -> bool:
    name = option.name or ""
    if option.expose_value:
        return ctx.get_parameter_source(name) in {ParameterSource.DEFAULT, None}
    return name not in ctx.ensure_object(dict)


def _fill(ctx: click.Context, option: click.Parameter, project: Project) -> None:
    name = option.name or ""
    given = project.values[name]
    flag = isinstance(option, click.Option) and option.is_flag
    try:
        if isinstance(given, bool) != flag or isinstance(given, (list, dict)):
            raise click.BadParameter(f"{given!r} is not {'true or false' if flag else 'of its type'}")  # noqa: TRY301
        value = given if flag else option.type_cast_value(ctx, str(given))
    except click.BadParameter as cause:
        from nb2pipe.errors import UsageError  # noqa: PLC0415 - as above

        key = name.replace("_", "-")
        raise UsageError(f"{project.path}: `{key}` in [tool.nb2pipe]: {cause.message}") from cause
    if option.expose_value:
        ctx.params[name] = value
    else:
        ctx.ensure_object(dict)[name] = value


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124 - NaN
        return None
    return value if value is None or isinstance(value, (str, int, float)) else str(value)
