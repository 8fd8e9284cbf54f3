"""A cell of metrics stands before any step.

A cell tagged `pipeline-metrics` that has no `step:` tag belongs to the step before it, whose values it
prints. Before the first step there is none, and after a nested notebook there is none either, since a nested
notebook brings its own.

What to do: move the cell behind the step whose numbers it prints, or give it a step of its own, with the tag
`step:NAME` beside `pipeline-metrics`.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity

CODE = "NB106"


def metrics_without_a_step(location: Location) -> Diagnostic:
    """The diagnostic of a metrics cell that no step can take."""
    message = "the cell is tagged `pipeline-metrics`, but no step stands before it"
    hint = "move it behind the step whose numbers it prints, or add a tag `step:NAME` to it"
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=hint)
