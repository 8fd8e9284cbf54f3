"""Places in a notebook, as the diagnostics of this stage name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Location

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Notebook


def cell_place(notebook: Notebook, position: int, *, step: str | None = None) -> Location:
    """A cell as a whole.

    Args:
        notebook: The notebook.
        position: The cell's, from 1.
        step: Its step, where it has one.
    """
    return Location(notebook=notebook.path, cell=notebook.cell(position).id, position=position, step=step)


def notebook_place(notebook: Notebook) -> Location:
    """The notebook as a whole."""
    return Location(notebook=notebook.path)
