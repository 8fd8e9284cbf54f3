"""A module is imported, and is not installed here.

`requirements.txt` names what has to be installed for the modules to run. For a module that is installed, the
distribution and its version are known; for this one they are guessed from its name, and no version is pinned.

    import nowhere_installed

What to do: install it where `nb2pipe convert` runs, if the notebook needs it; or lay the module beside the notebook,
if it is your own. An import in `try` with `except ImportError` says that the code does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from nb2pipe.targets.imports import Imported

CODE = "NB403"


def module_not_installed(notebook: str, found: Imported, requirement: str) -> Diagnostic:
    """A warning.

    Args:
        notebook: The notebook's path as the user gave it.
        found: The import.
        requirement: What is asked for in its place.
    """
    top = found.module.partition(".")[0]
    return Diagnostic(
        code=CODE,
        severity=Severity.WARNING,
        message=f"`{top}` is imported, and is not installed here: `{requirement}` is required without a version",
        location=Location(notebook=found.notebook or notebook, position=found.cell, line=found.cell_line),
        hint=f"pip install {requirement}, and convert again; or lay {top}.py beside the notebook, if it is your own",
    )


def not_found_for_pip(notebook: str, text: str) -> Diagnostic:
    """A warning for what a `pip install` line asks for, where that is no requirement that can be written down.

    Args:
        notebook: The notebook's path as the user gave it.
        text: The words of the line.
    """
    return Diagnostic(
        code=CODE,
        severity=Severity.WARNING,
        message=f"`pip install {text}` in the notebook cannot be written as a requirement, and is left out",
        location=Location(notebook=notebook),
        hint="add what it installs to requirements.txt",
    )
