"""A file beside the notebook is not copied into the bundle.

Modules that the notebook imports, and files that `--include` names, are copied. Left out are: what lies outside the
notebook's folder (also by a link), what is no ordinary file, and what is larger than 10 MB.

    nb2pipe convert train.ipynb --include 'data/*.csv'

What to do: copy the file into the notebook's folder; give large data to the steps in another way, such as a mounted
folder or a download in a step.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity

CODE = "NB405"


def file_not_copied(notebook: str, path: str, reason: str) -> Diagnostic:
    """A warning.

    Args:
        notebook: The notebook's path as the user gave it.
        path: Relative to the notebook.
        reason: Why, such as `it lies outside the notebook's folder`.
    """
    return Diagnostic(
        code=CODE,
        severity=Severity.WARNING,
        message=f"`{path}` is not copied into the bundle: {reason}",
        location=Location(notebook=notebook),
        hint="copy it into the notebook's folder, or give it to the steps in another way",
    )
