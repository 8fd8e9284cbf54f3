"""Not all of what a training did could be recorded.

Losses, learning rates and checkpoints of training loops are recorded while they run. Here something kept nb2pipe from
writing them down, or a version of torch has a function that cannot be followed, and the record ends, or has a gap.

For example:

    OSError: No space left on device

What happens: the step computes what it computes anyway; only its series or checkpoints are not complete.

What to do: make space, or let the home lie on a local disk (`--home DIR`); or log what is missing by `track.log`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.events import Noted
from nb2pipe.runtime.recording.recording import in_part

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE = "NB523"


def recorded_in_part(step: str, reasons: Sequence[str], *, time: float) -> Noted:
    """The note of a training of which the record lacks something."""
    hint = "make space, use another `--home`, or log it by `track.log`"
    return Noted(code=CODE, message=in_part(step, reasons), time=time, step=step, hint=hint)
