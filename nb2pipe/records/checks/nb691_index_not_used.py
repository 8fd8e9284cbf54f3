"""The index of the runs could not be used.

`records.db` in the home is an index over the files of the runs, so that lists of many runs are quick. It is locked, it
cannot be written, it was damaged, or a newer nb2pipe made it. No run is lost by that: the files are the truth, and
lists read them where the index does not help.

For example, the home is on a network file system that has no locks.

What to do: nothing has to be done. `nb2pipe runs reindex` makes the index anew.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB691"


def index_not_used(problem: str, *, time: float) -> Noted:
    """The note of an index that does not help."""
    return Noted(code=CODE, message=problem, time=time, hint="nb2pipe runs reindex")
