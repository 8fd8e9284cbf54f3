"""The page of a step could not be made.

A step tagged `report:enabled` keeps its executed notebook as an HTML page, which nbconvert makes. That failed; the
step, its results and its executed notebook are whole.

For example, an output holds something that nbconvert's templates do not know.

What to do: look at the message. `jupyter nbconvert --to html` on the step's notebook, which lies in `steps/` of the
run's folder, shows more.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB690"


def page_not_made(step: str, error: Exception, *, time: float) -> Noted:
    """The note of a page that is missing."""
    message = f"the page of step `{step}` could not be made: {type(error).__name__}: {error}"
    return Noted(code=CODE, message=message, time=time, step=step, hint="its executed notebook is in the run's folder")
