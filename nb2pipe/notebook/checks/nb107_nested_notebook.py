"""A nested notebook cannot be taken in.

A cell tagged `notebook:NAME` stands for another notebook, whose path is in the cell's metadata: `{"tags":
["notebook:clean"], "notebook_path": "clean.ipynb"}`. The path is relative to the notebook that names it,
stays inside the folder of the outermost notebook, and must not lead back to a notebook that is being taken in
already.

What to do: set `notebook_path` in JupyterLab's property inspector, Advanced Tools, Cell Metadata, to a
notebook that exists. Copy or link a notebook from outside the folder into it. Break a circle by moving the
shared cells into a third notebook.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

CODE = "NB107"


def nested_notebook(name: str, what: str, hint: str | None, location: Location) -> Diagnostic:
    """The diagnostic of a nested notebook that is missing, outside, broken or circular."""
    message = f"`notebook:{shown(name)}`: {what}"
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=hint)
