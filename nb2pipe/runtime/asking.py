"""Nobody can be asked while a pipeline runs: `input` says so as it does in a kernel that runs one."""

from __future__ import annotations

import builtins


class StdinNotImplementedError(RuntimeError):
    """Something was asked for; a kernel's exception has the same name and class above it."""


def refuse_questions() -> None:
    """Makes `input` raise."""
    builtins.input = _refuse


def _refuse(_prompt: object = "", /) -> str:
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")
