"""A tag of the pipeline does not follow its form.

The tag begins like one of nb2pipe's, such as `retry:` or `gate:`, but what follows cannot be read, so it is
not known what the pipeline should do. Nothing is run as long as it stands there.

    retry:x            a count is missing: retry:2
    timeout:5          say the unit: timeout:5m
    limit:gpu          say how many: limit:nvidia.com/gpu:1
    gate:accuracy >    say the number: gate:accuracy > 0.9

What to do: write the tag as the hint says, in JupyterLab in the property inspector under Common Tools, Cell Tags. The
README lists every tag with its form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from nb2pipe.notebook.malformed import MalformedError

CODE = "NB101"


def malformed_tag(tag: str, error: MalformedError, location: Location) -> Diagnostic:
    """The diagnostic of a tag that is ours but cannot be read."""
    message = f"tag `{shown(tag)}`: {error.message}"
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=error.hint)
