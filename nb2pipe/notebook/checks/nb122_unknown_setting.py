"""A key in the notebook's metadata is not known.

The metadata `nb2pipe` know the keys `name`, `description`, `defaults`, `schedule`, `timezone`, `owner` and
`experiment`. A key of another name, most likely a misspelled one, has no effect. The same is said of keys of
Kale's `kubeflow_notebook` that neither Kale 1 nor Kale 2 has.

What to do: correct the key as the hint says, or remove it.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

CODE = "NB122"


def unknown_setting(key: str, meant: str | None, known: tuple[str, ...], location: Location) -> Diagnostic:
    """The diagnostic of a key that has no meaning; `key` is like `nb2pipe.nmae`."""
    message = f"setting `{shown(key)}` is not known and has no effect"
    hint = f"did you mean `{meant}`?" if meant else f"known are: {', '.join(known)}"
    return Diagnostic(code=CODE, severity=Severity.WARNING, message=message, location=location, hint=hint)
