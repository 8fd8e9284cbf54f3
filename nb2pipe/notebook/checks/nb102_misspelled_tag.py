"""A tag looks like one of the pipeline's, but is misspelled.

A tag that nb2pipe does not know is left alone: it may belong to nbconvert, Jupyter Book or another program.
This one is so close to one of the pipeline's that it is most likely a slip, and the cell would not do what
its author meant.

    steps:train    step:train
    pre:load       prev:load
    paramters      parameters

What to do: correct the tag. If it is meant for another program, give it a name that is further away, or live with the
warning.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

CODE = "NB102"


def misspelled_tag(tag: str, meant: str, location: Location) -> Diagnostic:
    """The diagnostic of a tag that looks like one of ours."""
    message = f"tag `{shown(tag)}` means nothing to the pipeline"
    hint = f"did you mean `{shown(meant)}`?"
    return Diagnostic(code=CODE, severity=Severity.WARNING, message=message, location=location, hint=hint)
