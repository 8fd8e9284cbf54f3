"""The notebook cannot be read.

The file is no Jupyter notebook of nbformat 4 and no jupytext script, or it is a notebook in another language than
Python. Nothing else can be said of it before that is mended.

    <<<<<<< HEAD            # a merge left its marks in train.ipynb: it is broken JSON

What to do: the message says what is wrong with the file, and the hint how to mend it. Jupyter keeps the last version
that was saved by hand in the folder `.ipynb_checkpoints`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.errors import NotebookError

CODE = "NB100"


def unreadable_notebook(error: NotebookError, path: Path) -> Diagnostic:
    """The diagnostic of a notebook whose reading raised an error."""
    location = Location(notebook=str(path))
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=error.message, location=location, hint=error.hint)
