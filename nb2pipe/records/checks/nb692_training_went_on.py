"""A training went on at a checkpoint, rather than to begin with its first epoch.

A training of `track.training` that was killed, interrupted or failed goes on where it was saved last, if the code, its
inputs and the files that it read are the same. What it computes, shows and logs is what an undisturbed one does; the
record tells that it was made in two parts.

For example, `nb2pipe resume` of a run that was killed in the third epoch, or a cell of a plain notebook that is run
again after Ctrl-C.

What to do: nothing. To begin anew instead: `nb2pipe run --no-cache`, or in a plain notebook or script delete the
run that it goes on with, by `nb2pipe runs delete RUN`.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB692"


def went_on(step: str, where: str, *, time: float, run: str | None = None) -> Noted:
    """The note of a training that went on.

    Args:
        step: Its step.
        where: At which checkpoint, in words.
        time: When.
        run: The run that it is, outside of a pipeline.
    """
    hint = f"to begin anew: nb2pipe runs delete {run}" if run else None
    return Noted(code=CODE, message=f"the training goes on {where}", time=time, step=step, hint=hint)
