"""A tracker has not all of a run.

`run --tracker NAME` sends what happens to a tracker, such as MLflow, from a process of its own. That process failed,
hung or could not keep up. The run is not touched by it, and its record in the home is whole.

For example, the server of MLflow was stopped while the run went on.

What to do: look at the message, then send the run again: `nb2pipe runs push RUN --tracker NAME`.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB522"


def tracker_failed(tracker: str, problem: str, run: str, *, time: float) -> Noted:
    """The warning of a run that a tracker has not, or not as a whole."""
    message = f"the tracker `{tracker}` has not all of the run: {problem}"
    return Noted(code=CODE, message=message, time=time, hint=f"nb2pipe runs push {run} --tracker {tracker}")
