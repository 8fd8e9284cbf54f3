"""A step took an older version of a variable than the notebook would have given it.

A step that changes a variable makes a new version of it, and later steps take that one. What a step changes is read
from its code; what really changed, or came to share objects with it, is known only when it ends. Here a step that had
no order with a later one turned out to have made a new version of a variable that the later step had already taken.

For example, `train` changes `net` through a function of a package of your own, and `evaluate`, which stands below it in
the notebook, ran at the same time with the `net` from before.

What happens: the later step is run again with the new version if nothing in its code touches files or other things
outside; otherwise the run ends here, since going on would compute something else than the notebook.

What to do: tag the later step `prev:EARLIER`, then the order is known from the start.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB513"


def older_version_taken(earlier: str, later: str, names: tuple[str, ...], *, time: float, again: bool) -> Noted:
    """The warning of a step that ran too early."""
    what = ", ".join(f"`{name}`" for name in names)
    end = f"; `{later}` runs again with that version" if again else ""
    message = f"`{later}` took {what} before `{earlier}`, which stands above it, had made a new version{end}"
    return Noted(code=CODE, message=message, time=time, step=later, hint=f"tag a cell of `{later}` with prev:{earlier}")
