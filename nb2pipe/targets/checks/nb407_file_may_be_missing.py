"""A step reads a file beside the notebook, which is not part of the bundle.

Where the bundle runs, the file has to be in the working directory.

    table = pd.read_csv("train.csv")

What to do: `nb2pipe convert NOTEBOOK --include train.csv` copies it into the bundle; or see to it that it is there,
such as in a mounted folder.
"""

from __future__ import annotations

from nb2pipe.diagnostics import Diagnostic, Location, Severity

CODE = "NB407"


def file_may_be_missing(notebook: str, path: str, step: str, cell: int) -> Diagnostic:
    """An info.

    Args:
        notebook: The notebook's path as the user gave it.
        path: As the code names it.
        step: The first step that reads it.
        cell: The position of the cell that does.
    """
    return Diagnostic(
        code=CODE,
        severity=Severity.INFO,
        message=f"`{path}` is read, and is not part of the bundle",
        location=Location(notebook=notebook, position=cell, step=step),
        hint=f"--include '{path}' copies it",
    )
