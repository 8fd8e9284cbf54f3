"""A setting of Kale has no effect here.

The notebook was made for Kale, and its metadata `kubeflow_notebook` ask for something that nb2pipe does not
do, such as volumes of a cluster, snapshots or Katib's hyperparameter search. Everything else in the metadata
is honored: names, description, experiment, image, caching, time limit and the defaults of steps.

It is an info where the setting does nothing in Kale either, such as an access mode without volumes: Kale's
panel writes every key.

What to do: nothing, if the pipeline does not need it. Values between steps need no volume; files are found in the
notebook's folder. Remove the key to silence the warning.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

CODE = "NB121"


def setting_without_effect(key: str, why: str, location: Location, *, idle: bool) -> Diagnostic:
    """The diagnostic of a setting that is understood but not followed.

    Args:
        key: Such as `kubeflow_notebook.volumes`.
        why: The reason.
        location: The notebook as a whole.
        idle: The setting does nothing in Kale either.
    """
    severity = Severity.INFO if idle else Severity.WARNING
    message = f"setting `{shown(key)}` has no effect: {why}"
    hint = "remove the key if the pipeline does not need it"
    return Diagnostic(code=CODE, severity=severity, message=message, location=location, hint=hint)
