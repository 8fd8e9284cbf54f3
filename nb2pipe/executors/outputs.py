"""Outputs of a cell as Jupyter shows them, and the notebook of a step on disk."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode


def merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs in which neighbors of one stream are one, as Jupyter shows them."""
    found: list[NotebookNode] = []
    texts: list[str] = []
    for output in outputs:
        if found and _same_stream(found[-1], output):
            texts.append(output["text"])
            continue
        _finish(found, texts)
        found.append(output)
        texts = [output["text"]] if output["output_type"] == "stream" else []
    _finish(found, texts)
    return found


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Writes a notebook so that it is there as a whole or not at all."""
    import nbformat  # noqa: PLC0415  # heavy

    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(nbformat.writes(notebook), encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _finish(found: list[NotebookNode], texts: list[str]) -> None:
    """Joins the pieces once: text that grows piece by piece takes time with the square of its length."""
    if len(texts) > 1:
        found[-1]["text"] = "".join(texts)


def _same_stream(one: NotebookNode, two: NotebookNode) -> bool:
    return all(output["output_type"] == "stream" for output in (one, two)) and bool(one["name"] == two["name"])
