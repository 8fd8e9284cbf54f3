"""A file beside the notebook has the name of one that the bundle writes itself.

Files that are copied keep their place relative to the notebook. The bundle has files and folders of its own, such as
`README.md`, `tests/test_steps.py`, and the package; a module of the package's name would hide it.

    import digits_pipeline     # in digits.ipynb

What to do: rename the module; or give the pipeline another name in the notebook's metadata, `nb2pipe`, `name`.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity

CODE = "NB406"


def name_is_the_bundles(notebook: str, path: str) -> Diagnostic:
    """An error.

    Args:
        notebook: The notebook's path as the user gave it.
        path: Relative to the notebook.
    """
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR,
        message=f"`{path}` would be copied into the bundle, which has a file of that name itself",
        location=Location(notebook=notebook),
        hint="rename it, or leave it out of --include",
    )
