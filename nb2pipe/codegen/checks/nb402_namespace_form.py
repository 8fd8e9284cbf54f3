"""A step's cells run as top-level code in its module.

`convert` writes a step as a plain function where that is the same to the last bit. Here it is not, or it cannot be
known: a function's variables are its own, while those of a notebook are seen by every function of it.

For example, the step binds `device` in a loop, and a function of the notebook reads `device` as a global:

    for device in devices:
        measure()        # reads `device`

What happens: the cells stand in a file of their own, `cells/STEP.py`, and run there as in the notebook; the typed
function of the step puts its inputs in and takes its outputs out. The values are the same.

What to do: nothing. To have a plain function, do what the message asks for: most often, hand the value to the function
as an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Location

CODE = "NB402"


def namespace_form(step: str, reason: str, location: Location) -> Diagnostic:
    """The info of a step that is no plain function.

    Args:
        step: Its name.
        reason: Why, as a clause.
        location: Where.
    """
    message = f"the cells of `{step}` run as top-level code: {reason}"
    return Diagnostic(code=CODE, severity=Severity.INFO, message=message, location=location)
