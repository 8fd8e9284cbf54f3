"""The tree of exceptions: what stops a command, and with which exit code.

```
Nb2pipeError
├── UsageError         2   the command line, a parameter, a missing file
├── NotebookError      3   the notebook cannot be read, or `check` reports an error
├── ConversionError    4   a bundle cannot be made or written
├── StepError          5   the code of a step failed
├── PluginError        6   a plug-in is broken
├── StoreError         7   the store cannot be read or written
├── RecordsError       8   the records cannot be read or written
├── DifferenceError    9   `verify` found a difference
└── InternalError     70   a bug of ours
```

A problem *in the notebook* is a `Diagnostic` first; `NotebookError` carries the report of all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Report

INTERRUPTED = 130
"""Exit code of a command that was interrupted with Ctrl-C."""


class Nb2pipeError(Exception):
    """What stops a command.

    Args:
        message: What is wrong, in one sentence that names the thing.
        hint: What the user can do about it; a command to type where there is one.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")  # a traceback, as in a script or in Jupyter, shows it


class UsageError(Nb2pipeError):
    """The command line is wrong: look at `nb2pipe COMMAND --help`, and at the parameters in `nb2pipe graph`."""

    exit_code = 2


class NotebookError(Nb2pipeError):
    """The notebook cannot be read, or holds an error: `nb2pipe check` lists all of them with place and hint."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None, report: Report | None = None) -> None:
        super().__init__(message, hint=hint)
        self.report = report


class ConversionError(Nb2pipeError):
    """A bundle cannot be made or written; what existed is as it was."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str | None = None, report: Report | None = None) -> None:
        super().__init__(message, hint=hint)
        self.report = report


class StepError(Nb2pipeError):
    """The code of a step failed: mend it and go on with `nb2pipe resume`."""

    exit_code = 5


class PluginError(Nb2pipeError):
    """A plug-in is broken or missing; its cause is in `__cause__`."""

    exit_code = 6


class StoreError(Nb2pipeError):
    """The store cannot be read or written: look at space and permissions of the home."""

    exit_code = 7


class RecordsError(Nb2pipeError):
    """The records cannot be read or written: `nb2pipe runs reindex` makes the index anew."""

    exit_code = 8


class DifferenceError(Nb2pipeError):
    """A pipeline run computed something else than the notebook."""

    exit_code = 9


class InternalError(Nb2pipeError):
    """A bug of ours; please report it with the traceback that `-v` prints."""

    exit_code = 70
