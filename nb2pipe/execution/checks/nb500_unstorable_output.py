"""An output of a step cannot be stored.

Each step runs in a kernel of its own, so what a later step takes has to pass through the store. Some objects cannot:
open files and sockets, generators that have begun, threads and locks, tensors that belong to a graph of autograd,
instances of a class that was defined again since.

For example:

    reader = open("log.txt")        # step `load`
    first = next(reader)            # step `parse` takes `reader`

The message names the variable and the path in it that leads to the object, such as `state["log"].stream`.

What to do: store what the object was made from (a path instead of an open file, a list instead of a generator,
`loss.item()` instead of `loss`), or put the cells that use it into one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.events import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.diagnostics import Location

CODE = "NB500"


def unstorable_output(step: str, error: Mapping[str, str | None], place: Location) -> Failure:
    """The failure of a step whose output `error["name"]` a later step takes.

    Args:
        step: The step.
        error: `name`, `path`, `hint` and `message` of the `UnstorableError`.
        place: Where the step binds the variable.
    """
    return Failure(
        step=step,
        cell=place.position,
        line=place.line,
        kind="UnstorableError",
        message=f"{CODE}: {error['message']}",
        source_line=place.source_line,
        hint=error["hint"],
    )
