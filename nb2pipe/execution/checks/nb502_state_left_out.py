"""A step set something beside its variables that cannot be handed on.

Options of libraries (`pd.set_option`, `np.set_printoptions`, `plt.rcParams`), warning filters, environment variables
and the working directory are handed on from step to step. This step set one to a value that cannot be stored, or with
a version of the library that keeps its options where nb2pipe does not know.

For example:

    np.set_printoptions(formatter={"float": make_formatter(open("format.txt"))})

What happens: later steps run without the setting, so what they print may differ from the notebook.

What to do: set it in a cell tagged `functions` with plain values, or again in the steps that need it.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB502"


def state_left_out(step: str, kind: str, reason: str, *, time: float) -> Noted:
    """The note of hidden state (`warnings`, `pandas.options`, ...) that later steps do not get."""
    message = f"what `{step}` set of {kind} is not handed on: {reason}"
    return Noted(code=CODE, message=message, time=time, step=step, hint=f"set {kind} again in the steps that need it")
