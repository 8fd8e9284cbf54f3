"""The author's file as nbformat sees it, since a Notebook keeps no outputs, attachments and foreign metadata."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import CellKind

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from nb2pipe.notebook.model import Cell, Notebook

_FORMATS = frozenset({"percent", "light", "hydrogen", "nomarker", "sphinx"})
"""What jupytext reads by itself; for others it starts another program."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def original(notebook: Notebook) -> NotebookNode:
    """The author's notebook as nbformat 4.5: all its cells, with metadata and attachments, and each with an id.

    If the file is no longer the one that was read, its cells are made from what was.
    """
    import nbformat.v4  # heavy

    node = read_file(Path(notebook.path))
    if node is None or not _same(node, notebook):
        made = (_made(cell) for cell in notebook.cells)
        node = nbformat.v4.new_notebook(cells=list(made), metadata=dict(node.metadata) if node else {})
    used: set[str] = set()
    for number, (cell, model) in enumerate(zip(node.cells, notebook.cells, strict=True), 1):
        unique = _ID.fullmatch(model.id) and model.id not in used
        cell["id"] = model.id if unique else f"cell-{number}"
        used.add(cell["id"])
    node["nbformat"], node["nbformat_minor"] = 4, 5
    return node


def read_file(path: Path) -> NotebookNode | None:
    """The notebook in a file as nbformat 4 of any minor version, or None where it cannot be read."""
    import nbformat.v4  # heavy

    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix != ".ipynb":
            return _jupytext(text, path.suffix)
        node = nbformat.v4.to_notebook(json.loads(text))
    except (OSError, ValueError, RecursionError, AttributeError, TypeError):
        return None
    return node if isinstance(node.get("cells"), list) and isinstance(node.get("metadata"), dict) else None


def _jupytext(text: str, ending: str) -> NotebookNode | None:
    import jupytext  # heavy
    from jupytext.formats import guess_format, read_format_from_metadata  # comes with it

    name = read_format_from_metadata(text, ending) or guess_format(text, ending)[0]
    if name not in _FORMATS:
        return None
    return jupytext.reads(text, fmt={"extension": ending, "format_name": name})


def _same(node: NotebookNode, notebook: Notebook) -> bool:
    """Whether the file still holds the cells that ran."""
    return len(node.cells) == len(notebook.cells) and all(
        isinstance(cell, dict)
        and cell.get("cell_type") == model.kind.value
        and isinstance(cell.get("metadata"), dict)
        and _lines(cell.get("source")) == _lines(model.source)
        for cell, model in zip(node.cells, notebook.cells, strict=True)
    )


def _lines(source: object) -> list[str]:
    return str(source).rstrip().splitlines()


def _made(cell: Cell) -> NotebookNode:
    import nbformat.v4  # heavy

    make = {
        CellKind.CODE: nbformat.v4.new_code_cell,
        CellKind.MARKDOWN: nbformat.v4.new_markdown_cell,
        CellKind.RAW: nbformat.v4.new_raw_cell,
    }[cell.kind]
    return make(cell.source, metadata={"tags": list(cell.raw_tags)} if cell.raw_tags else {})
