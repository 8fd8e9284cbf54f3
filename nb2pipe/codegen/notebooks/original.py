"""The author's file with all that stands in it, since a Notebook keeps no outputs, attachments and foreign metadata.

The file is read and written as the mapping that it is, not through nbformat, whose validator alone takes longer to
import than a run takes that reuses everything.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.notebook.model import CellKind

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Cell, Notebook

_FORMATS = frozenset({"percent", "light", "hydrogen", "nomarker", "sphinx"})
"""What jupytext reads by itself; for others it starts another program."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def original(notebook: Notebook) -> dict[str, Any]:
    """The author's notebook in format 4.5: all its cells, with metadata and attachments, and each with an id.

    If the file is no longer the one that was read, its cells are made from what was.
    """
    node = read_file(Path(notebook.path))
    if node is None or not _same(node, notebook):
        node = {"cells": [_made(cell) for cell in notebook.cells], "metadata": node["metadata"] if node else {}}
    used: set[str] = set()
    for number, (cell, model) in enumerate(zip(node["cells"], notebook.cells, strict=True), 1):
        unique = _ID.fullmatch(model.id) and model.id not in used
        cell["id"] = model.id if unique else f"cell-{number}"
        used.add(cell["id"])
    node["nbformat"], node["nbformat_minor"] = 4, 5
    return node


def read_file(path: Path) -> dict[str, Any] | None:
    """The notebook in a file, in format 4 of any minor version; None where it cannot be read.

    A cell's source is one text; what else the format allows to be a list of lines is left as the file has it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        node = json.loads(text) if path.suffix == ".ipynb" else _jupytext(text, path.suffix)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(node, dict) or not isinstance(node.get("metadata"), dict):
        return None
    cells = node.get("cells")
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        return None
    for cell in cells:
        cell["source"] = "".join(cell["source"])
        cell["metadata"].pop("trusted", None)
    node["metadata"].pop("orig_nbformat", None)
    node["metadata"].pop("signature", None)
    return node


def as_text(notebook: dict[str, Any]) -> str:
    """The text of a notebook file, as Jupyter writes it: one line a line of source, keys in order.

    Halves of characters, which UTF-8 has no place for, are escaped, and then all that is not ASCII.
    """
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    whole = {**notebook, "cells": cells}
    text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(whole, indent=1, sort_keys=True)
    return text + "\n"


def code_cell(source: str, metadata: dict[str, Any], *, count: int | None = None) -> dict[str, Any]:
    """A code cell without outputs; its `id` is for the caller to give."""
    return {"cell_type": "code", "execution_count": count, "metadata": metadata, "outputs": [], "source": source}


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return isinstance(cell.get("cell_type"), str) and all(isinstance(line, str) for line in lines)


def _jupytext(text: str, ending: str) -> dict[str, Any] | None:
    import jupytext  # heavy
    from jupytext.formats import guess_format, read_format_from_metadata  # comes with it

    name = read_format_from_metadata(text, ending) or guess_format(text, ending)[0]
    if name not in _FORMATS:
        return None
    return dict(jupytext.reads(text, fmt={"extension": ending, "format_name": name}))


def _same(node: dict[str, Any], notebook: Notebook) -> bool:
    """Whether the file still holds the cells that ran."""
    return len(node["cells"]) == len(notebook.cells) and all(
        cell["cell_type"] == model.kind.value and _lines(cell["source"]) == _lines(model.source)
        for cell, model in zip(node["cells"], notebook.cells, strict=True)
    )


def _lines(source: str) -> list[str]:
    return source.rstrip().splitlines()


def _made(cell: Cell) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": list(cell.raw_tags)} if cell.raw_tags else {}
    if cell.kind is CellKind.CODE:
        return code_cell(cell.source, metadata)
    return {"cell_type": cell.kind.value, "metadata": metadata, "source": cell.source}
