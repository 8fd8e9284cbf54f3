"""Figures as files: pictures of matplotlib and PIL, pages of plotly and altair."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WAYS = {"savefig": ".png", "write_html": ".html", "save": ".png"}
"""What figures are written with, and the ending."""


def keeper_of(figure: Any) -> Callable[[Path, str, int | None], Path]:
    """What writes a figure into a folder, by its name and place in a series; it returns the file.

    Raises:
        TypeError: It is none that can be written.
    """
    way = next((name for name in _WAYS if callable(getattr(figure, name, None))), None)
    if way is None:
        kinds = "a figure of matplotlib, plotly or altair, or a picture of PIL"
        raise TypeError(f"{kinds} can be kept, and this is of the type {type(figure).__name__}")
    page = way == "save" and hasattr(figure, "to_html")  # altair

    def keep(folder: Path, name: str, index: int | None) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_file(name, index)}{'.html' if page else _WAYS[way]}"
        getattr(figure, way)(str(path))
        return path

    return keep


def _file(name: str, index: int | None) -> str:
    """A file's name, without its ending, that is another one for another figure.

    >>> _file("confusion", 3), _file("../a b", None)
    ('confusion-3', '_a_b.2c2c791a')
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
    digest = "" if plain == name else f".{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{plain}{digest}" if index is None else f"{plain}{digest}-{index}"
