"""A cell that stands for a nested notebook holds code of its own.

The cell tagged `notebook:NAME` is replaced by the steps of the other notebook; code in it would be lost. Comments may
stand there, and so may one line that runs the same notebook, so that the outer one works in Jupyter too:

    %run clean.ipynb

What to do: move the code to a cell of its own, tagged `step:NAME`.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

CODE = "NB108"


def code_in_a_nested_cell(name: str, path: str | None, location: Location) -> Diagnostic:
    """The diagnostic of a nested cell with code."""
    message = f"the cell stands for the notebook `{shown(name)}` and holds code of its own, which would not run"
    run = f", or write `%run {shown(path)}` only" if path else ""
    hint = f"move the code to a cell tagged `step:NAME`{run}"
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=hint)
