"""Nested notebooks: where a `notebook:NAME` cell leads, and what may stand in such a cell.

The cell is replaced by the other notebook's steps. Names meet as in Kale: a name that the nested notebook uses and
does not define is the outer one's, what it defines is seen by the steps after it, and a parameter of the same name
takes the outer parameter's value.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from nb2pipe.notebook.checks.nb108_code_in_a_nested_cell import code_in_a_nested_cell
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Diagnostic, Location
    from nb2pipe.notebook.model import Cell, NestedTag

_EXAMPLE = 'set the cell\'s metadata, such as {"tags": ["notebook:clean"], "notebook_path": "clean.ipynb"}'


def nested_file(given: str | None, folder: Path, root: Path) -> Path:
    """The file that a `notebook_path` names.

    Args:
        given: The cell's metadata; None where it is missing or no text.
        folder: Of the notebook that names it.
        root: The resolved folder of the outermost notebook, which no path may leave, links followed.

    Raises:
        MalformedError: There is no such path to follow.
    """
    if given is None or not given.strip():
        raise MalformedError("the cell's metadata have no `notebook_path`", _EXAMPLE)
    path = shown(given)
    if PurePosixPath(given).is_absolute() or PureWindowsPath(given).is_absolute() or given.startswith("~"):
        hint = "give it relative to the notebook, so that it is found on other machines too"
        raise MalformedError(f"`{path}` is an absolute path", hint)
    if "\0" in given:
        raise MalformedError(f"`{path}` is no path", _EXAMPLE)
    file = Path(os.path.normpath(folder / given.replace("\\", "/")))
    if not file.resolve().is_relative_to(root):
        raise MalformedError(f"`{path}` lies outside the notebook's folder", "copy the notebook into the folder")
    return file


def check_nested_cell(cell: Cell, tag: NestedTag, location: Location) -> Diagnostic | None:
    """A diagnostic where a nested cell holds code that would be lost.

    Comments may stand there, and `%run` of the same notebook.
    """
    lines = [line.strip() for line in cell.source.splitlines()]
    code = [line for line in lines if line and not line.startswith("#")]
    if not code or code == [f"%run {tag.path}"]:
        return None
    return code_in_a_nested_cell(tag.name, tag.path, location)
