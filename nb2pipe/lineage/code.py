"""The texts of the cells that a step ran, out of the notebook that its run left."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from nb2pipe.records.index import RUNS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.records.model import RunRecord, StepRecord

_NOTEBOOK = "notebook.ipynb"


def code_of(home: Path, run: RunRecord, step: StepRecord) -> dict[int, str]:
    """The texts of a step's cells by their positions: found by their SHA-256, since cells may have come between them.

    Args:
        home: The folder `.nb2pipe`.
        run: The run.
        step: The step.
    """
    texts = _texts(home / RUNS / run.run / _NOTEBOOK)
    return {cell: texts[digest] for cell in step.cells if (digest := step.code.get(cell, "")) in texts}


def _texts(file: Path) -> Mapping[str, str]:
    """The texts of a notebook's cells by their SHA-256; nothing where there is none that can be read."""
    try:
        cells = json.loads(file.read_bytes())["cells"]
        sources = [cell["source"] for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    joined = ("".join(source) if isinstance(source, list) else str(source) for source in sources)
    return {_digest(text): text for text in joined}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
