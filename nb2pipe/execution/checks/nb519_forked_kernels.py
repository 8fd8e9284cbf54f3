"""The steps run in kernels forked from one process, which has made the notebook's first imports for all of them.

Only imports that no other statement precedes are made there, and none of the author's own modules. An import that
prints, warns, starts a thread, or sets what is not its own is left to the steps, with those that follow it, and is
named here.

For example, a notebook begins with `import torch`; the run imports torch once instead of once a step.

What to do: nothing. If you suspect that forking changes what a library does, `NB2PIPE_KERNELS=cold` runs each step in a
kernel that imports for itself.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.records.events import Noted

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE = "NB519"


def forked_kernels(modules: Sequence[str], left_out: tuple[str, str] | None, *, time: float) -> Noted:
    """The note that kernels are forked.

    Args:
        modules: What was imported for all of them.
        left_out: An import that is left to the steps, and why.
        time: Now, in seconds since 1970.
    """
    named = ", ".join(sorted({module.partition(".")[0] for module in modules} - sys.stdlib_module_names))
    message = "the steps run in kernels forked from one process" + (f" that imported {named}" if named else "")
    if left_out is not None:
        message += f"; `{left_out[0]}` is left to the steps: {left_out[1]}"
    return Noted(code=CODE, message=message, time=time)
