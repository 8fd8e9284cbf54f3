"""The executed notebook could not be written.

After a run the whole notebook, with the outputs of this run, is put together in the run's folder. That failed; the
results of the steps and the record are whole.

For example, the disk is full.

What to do: look at the message. The notebooks of the steps lie in `steps/` of the run's folder.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB516"


def notebook_not_written(error: Exception, *, time: float) -> Noted:
    """The warning of an executed notebook that is missing."""
    message = f"the executed notebook could not be written: {error}"
    return Noted(code=CODE, message=message, time=time, hint="the notebooks of the steps lie in the run's folder")
