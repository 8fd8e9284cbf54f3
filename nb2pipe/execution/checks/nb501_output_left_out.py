"""A variable was not stored, since it cannot be.

A step stores what it leaves, for later steps and to be looked at with `result.value(...)`. This variable cannot be
stored (an open file, a generator, a lock, ...), and no later step is known to take it, so the step is no failure.

For example, the last cell of a notebook:

    with open("report.txt", "w") as stream:
        stream.write(text)

leaves `stream`, a closed file.

What to do: nothing, as a rule. If a later step does take it in a way that its code does not show, see NB500.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.events import Noted

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE = "NB501"


def output_left_out(step: str, error: Mapping[str, str | None], *, time: float) -> Noted:
    """The note of a variable that is not in the store; `error` has `name`, `message` and `hint`."""
    message = f"`{error['name']}` is not in the store: {error['message']}"
    return Noted(code=CODE, message=message, time=time, step=step, hint=error["hint"])
