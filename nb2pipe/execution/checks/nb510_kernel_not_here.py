"""The notebook's kernel is not installed here.

A notebook names the kernel that it was written with. Where no kernel of that name is installed, or the one of that name
is not for Python, the steps run with the Python that runs nb2pipe, and this warning says so.

For example, a notebook that came from a colleague names `my-env`, an environment that only their machine has.

What to do: nothing, if this Python has the packages that the notebook needs. Otherwise install a kernel of that name
(`python -m ipykernel install --user --name my-env`, in that environment), or choose one with `-k KERNEL`;
`jupyter kernelspec list` shows those that are there.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB510"


def kernel_not_here(wanted: str, used: str, *, time: float) -> Noted:
    """The warning of a kernel that is not installed."""
    message = f"the notebook's kernel `{wanted}` is not installed here; its steps run with this Python (`{used}`)"
    return Noted(code=CODE, message=message, time=time, hint="choose another with -k KERNEL")
