"""NB500: an output of a step cannot be stored.

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

from nb2pipe.records.events import Failure

CODE = "NB500"


def unstorable_output(step: str, error: dict[str, str | None], *, cell: int | None, line: int | None) -> Failure:
    """The failure of a step whose output `error["name"]` a later step takes.

    Args:
        step: The step.
        error: `name`, `path`, `hint` and `message` of the `UnstorableError`.
        cell: The cell that bound the variable.
        line: The line in it.
    """
    message = f"{CODE}: the output `{error['name']}` cannot be stored: {error['message']}"
    return Failure(step=step, cell=cell, line=line, kind="UnstorableError", message=message, hint=error["hint"])
