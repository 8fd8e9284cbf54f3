"""The one exception between the parsers of stage 1: a text that is ours, but wrong. It becomes a diagnostic."""

from __future__ import annotations


class MalformedError(ValueError):
    """A tag or a setting that is ours does not follow its form.

    Args:
        message: What is wrong.
        hint: What would be right.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
