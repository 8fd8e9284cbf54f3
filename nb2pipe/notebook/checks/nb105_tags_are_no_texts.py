"""A cell's tags are not a list of texts.

In the file, `metadata.tags` of a cell has to be a list of strings. Here it is something else, so what it means is not
known. JupyterLab writes it right; a program or an editor wrote this one.

    "tags": "step:load"         a text; it should be ["step:load"]
    "tags": ["step:load", 3]    a number among the texts

What to do: delete the tags in JupyterLab's property inspector and add them again, or mend the file in a text editor.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity

CODE = "NB105"


def tags_are_no_texts(what: str, location: Location) -> Diagnostic:
    """The diagnostic of tags of the wrong type."""
    message = f"the cell's tags are not a list of texts: {what}"
    hint = 'in the file, write them as "tags": ["step:load", "retry:2"]'
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=hint)
