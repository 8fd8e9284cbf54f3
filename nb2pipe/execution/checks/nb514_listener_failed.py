"""Something that listens to the run failed.

Progress on the console, trackers and other listeners are told what happens in a run. If one of them fails, the run goes
on without it: results and records do not depend on it. It is said once.

For example, the server that a tracker writes to cannot be reached.

What to do: look at the message; what is missing there can be sent again from the records, which are whole.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB514"


def listener_failed(listener: object, error: Exception, *, time: float) -> Noted:
    """The warning of a listener that raised."""
    name = getattr(listener, "__qualname__", None) or type(listener).__name__
    message = f"{name} failed and is told nothing more of this run: {type(error).__name__}: {error}"
    return Noted(code=CODE, message=message, time=time)
