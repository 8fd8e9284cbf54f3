"""A step set hidden state that a later step, which had no order with it, began without.

The working directory and torch's defaults hold for every cell below the one that sets them. Where the code shows that a
step sets them, later steps wait for it. Here a step turned out to have set them through code that cannot be seen in the
notebook, and a step below it had begun without.

For example, a function of a package of your own calls `os.chdir`, and a step below reads `train.csv`.

What happens: the later step is run again if nothing in its code touches files or other things outside; otherwise the
run ends here, and says so.

What to do: tag the later step `prev:EARLIER`, or set the state in a cell of the notebook.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB517"


def state_set_late(earlier: str, later: str, kinds: tuple[str, ...], *, time: float, again: bool) -> Noted:
    """The warning of a step that began without the state that holds at its place."""
    what = ", ".join(f"`{kind}`" for kind in kinds)
    end = f"; `{later}` runs again with it" if again else ""
    message = f"`{earlier}` set {what}, and `{later}`, which stands below it, had begun without{end}"
    return Noted(code=CODE, message=message, time=time, step=later, hint=f"tag a cell of `{later}` with prev:{earlier}")
