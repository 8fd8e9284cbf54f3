"""Exceptions become a message with a hint and an exit code: the one place where that happens."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from nb2pipe.cli.session import Session, write
from nb2pipe.errors import INTERRUPTED, ConversionError, Nb2pipeError, NotebookError, UsageError

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Report

CLOSED_PIPE = 141
"""Exit code where whoever read the output has gone: what a shell says of SIGPIPE."""
INTERNAL = 70


def told(error: BaseException, session: Session) -> int:
    """Tells people what stopped the command.

    Returns:
        The exit code.
    """
    if isinstance(error, KeyboardInterrupt | click.Abort):
        _error("interrupted", None, session)
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return _usage(error, session)
    if isinstance(error, Nb2pipeError):
        return _known(error, session)
    return _bug(error, session)


def silence_closed_streams() -> None:
    """Flushes the standard streams; one whose reader has gone is led to nowhere, so that the end is quiet."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except ValueError:
            continue  # closed already


def _error(message: str, hint: str | None, session: Session) -> None:
    from nb2pipe.cli.text import harmless, one_line  # noqa: PLC0415 - `--help` does without

    head = session.styled("error", sys.stderr, fg="red", bold=True)
    write(f"{head}: {one_line(message)}", sys.stderr)
    if hint:
        write(f"{session.styled('hint', sys.stderr, fg='green', bold=True)}: {harmless(hint)}", sys.stderr)


def _usage(error: click.ClickException, session: Session) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        write(error.ctx.get_help(), sys.stderr)
    else:
        _error(*_click_words(error), session)
    return UsageError.exit_code


def _known(error: Nb2pipeError, session: Session) -> int:
    if isinstance(error, NotebookError | ConversionError) and error.report is not None and len(error.report):
        _report(error, error.report, session)
    else:
        _error(error.message, error.hint, session)
    if session.verbose and error.__cause__ is not None:
        import traceback  # noqa: PLC0415 - only where something is wrong

        write("".join(traceback.format_exception(error)).rstrip(), sys.stderr)
    return error.exit_code


def _report(error: Nb2pipeError, report: Report, session: Session) -> None:
    from nb2pipe.cli.diagnostics import as_text, summary  # noqa: PLC0415 - only where something is wrong
    from nb2pipe.diagnostics import Severity  # noqa: PLC0415 - as above

    left_out = {Severity.INFO, Severity.WARNING} if session.quiet else {Severity.INFO}
    told_ones = [item for item in report if session.verbose or item.severity not in left_out]
    write(as_text(told_ones, color=session.colorful(sys.stderr)) + "\n", sys.stderr)
    _error(f"{error.message} ({summary(report)})", error.hint, session)


def _click_words(error: click.ClickException) -> tuple[str, str | None]:
    message = error.format_message()
    known = getattr(error, "possibilities", None)
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option `{error.option_name}`"
        if known:
            return message, f"did you mean `{known[0]}`?"
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "nb2pipe"
    return message[:1].lower() + message[1:].rstrip("."), f"`{path} --help` shows what there is"


def _bug(error: BaseException, session: Session) -> int:
    import platform  # noqa: PLC0415 - only where something is wrong
    import traceback  # noqa: PLC0415 - as above

    from nb2pipe import __version__  # noqa: PLC0415 - as above

    if session.verbose:
        write("".join(traceback.format_exception(error)).rstrip(), sys.stderr)
    about = f"nb2pipe {__version__}, Python {platform.python_version()}, {platform.system()}"
    _error(f"{type(error).__name__}: {error}; this is a bug of nb2pipe", None, session)
    again = "with this traceback" if session.verbose else "with the traceback that `-v` prints"
    hint = f"please report it {again}, the command, and the cell of the notebook if one is to blame ({about})"
    write(f"{session.styled('hint', sys.stderr, fg='green', bold=True)}: {hint}", sys.stderr)
    return INTERNAL
