"""A cell has tags that contradict each other.

A cell belongs to one step, or is a parameters cell, or holds code that every step may use; it cannot be two
of these. The same holds for tags that can have one value only, such as `retry:` or `image:`.

    step:load  step:train          two steps
    parameters  step:load          parameters, or a step
    cache:enabled  cache:disabled  on, or off

What to do: keep one of the tags, or split the cell. A cell that is tagged `skip` may have any other tags; it
is left out.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity

CODE = "NB103"


def contradicting_tags(what: str, hint: str, location: Location) -> Diagnostic:
    """The diagnostic of a cell that would be two things at once."""
    message = f"the cell's tags contradict each other: {what}"
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=hint)
