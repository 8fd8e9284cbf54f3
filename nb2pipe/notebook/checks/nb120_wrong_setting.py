"""A setting in the notebook's metadata has the wrong type or value.

The notebook's metadata `nb2pipe` (and Kale's `kubeflow_notebook`) say what the pipeline is called, when it
runs and what holds for all its steps. This value cannot be used.

    {"nb2pipe": {"name": "digits", "description": "learns digits", "schedule": "0 6 * * 1", "timezone": "Europe/Berlin",
                 "owner": "team@example.com", "defaults": ["retry:1", "timeout:2h"]}}

What to do: correct it in JupyterLab's property inspector, Advanced Tools, Notebook Metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from nb2pipe.notebook.malformed import MalformedError

CODE = "NB120"


def wrong_setting(key: str, error: MalformedError, location: Location) -> Diagnostic:
    """The diagnostic of a setting that cannot be used; `key` is like `nb2pipe.schedule`."""
    message = f"setting `{shown(key)}`: {error.message}"
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=error.hint)
