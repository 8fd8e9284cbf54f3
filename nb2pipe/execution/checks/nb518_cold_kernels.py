"""The steps run in kernels that are started one by one, not in forked ones.

A run starts one process that imports what the steps import, and forks a kernel from it for each step, which saves the
time of those imports. Where that might not be safe, or is not possible, each step gets a cold kernel, as Jupyter starts
it; the next ones are started ahead of need. The values are the same, only the run takes longer.

For example, on another system than Linux, or where the notebook's kernel is that of another environment.

What to do: nothing. The variable `NB2PIPE_KERNELS=cold` asks for such kernels.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB518"


def cold_kernels(reason: str, *, time: float) -> Noted:
    """The note that kernels are cold, and why."""
    return Noted(code=CODE, message=f"the steps run in cold kernels: {reason}", time=time)
