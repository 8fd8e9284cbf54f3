"""A tag that says something of a step stands on a cell that belongs to no step.

`limit:`, `image:`, `retry:`, `gate:`, `prev:` and so on hold for the step of their cell. A cell of
parameters, of imports or functions, or one before the first step has none, so the tag has no effect.

    imports  limit:memory:4Gi      no step takes the limit

What to do: move the tag to a cell of the step that is meant. What should hold for every step belongs in the
notebook's metadata: `"nb2pipe": {"defaults": ["limit:memory:4Gi"]}`.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

CODE = "NB104"


def tag_without_a_step(tag: str, location: Location) -> Diagnostic:
    """The diagnostic of a step's tag on a cell outside the steps."""
    message = f"tag `{shown(tag)}` has no effect: the cell belongs to no step"
    hint = "move the tag to a cell of the step that is meant, or to `defaults` in the notebook's metadata `nb2pipe`"
    return Diagnostic(code=CODE, severity=Severity.WARNING, message=message, location=location, hint=hint)
