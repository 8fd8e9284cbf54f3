"""What went wrong in a cell: the author's own frames of the last exception, as JSON for the executor."""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TIMED = "<timed exec>"
"""IPython's file name of the body of a `%%time` cell, which begins in the cell's second line."""


class Places(Protocol):
    """Tells where the author's code stands."""

    def place(self, file: str, line: int | None) -> tuple[Any, int | None] | None:
        """The cell and the line in it of a line in a file; None for files that hold no cells."""

    def function(self, file: str, name: str) -> str:
        """The name of a frame's function as the author knows it."""

    def is_ours(self, file: str) -> bool:
        """Whether what stands in a file, and is no cell's, is no code of the author's."""

    def module(self, file: str, line: int | None) -> dict[str, Any]:
        """Where the line of a cell stands beside: `module`, `module_line` and `text`; empty where it has no module."""


class Cells:
    """The cells' places by the file names that IPython compiles them under.

    Args:
        sources: Each cell's key and source; where sources are equal, the earlier one counts.
        file_names: The names that a source's code may have.
    """

    def __init__(self, sources: Sequence[tuple[Any, str]], file_names: Callable[[str], Sequence[str]]) -> None:
        self._places: dict[str, tuple[Any, int]] = {}
        for key, source in sources:
            for name in file_names(source):
                self._places.setdefault(name, (key, _blank_lines(source)))

    def place(self, file: str, line: int | None) -> tuple[Any, int | None] | None:
        """The cell and the line in it of a line in a file that IPython compiled; None for other files."""
        known = self._places.get(file)
        if known is None:
            return None
        key, offset = known
        return key, (None if line is None else line + offset)

    def function(self, file: str, name: str) -> str:  # noqa: ARG002  # other places need the file
        """The name of a frame's function as the author knows it."""
        return name

    def is_ours(self, file: str) -> bool:  # noqa: ARG002  # other places have such files
        """Whether what stands in a file, and is no cell's, is no code of the author's."""
        return False

    def module(self, file: str, line: int | None) -> dict[str, Any]:  # noqa: ARG002  # other places have modules
        """Nothing: cells are all that a kernel knows."""
        return {}


def describe(error: BaseException, cells: Places, folder: str) -> list[dict[str, Any]]:
    """The error and the errors that led to it, the first one first.

    Returns:
        For each error `kind`, `message`, `link` (how it led to the next: `cause`, `context` or None) and `frames`,
        outermost first; each frame has `cell` and `line`, or `file` and `line` for a module in the notebook's folder,
        `name` of the function, and `text` of a line that is no cell's. Where cells stand in modules, such a frame has
        `module`, `module_line` and `text` too; an import that stands on top of a module, and in no cell of it, is told
        as `imports`.
    """
    return [
        {
            "kind": type(part).__name__,
            "message": _message(part),
            "link": link,
            "frames": _frames(part, cells, folder),
        }
        for part, link in _chain(error)
    ]


def _chain(error: BaseException) -> list[tuple[BaseException, str | None]]:
    links: list[tuple[BaseException, str | None]] = []
    seen: set[int] = set()
    part: BaseException | None = error
    link: str | None = None
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        links.append((part, link))
        link = "cause" if part.__cause__ is not None else "context"
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)
    return links[::-1]


def _message(error: BaseException) -> str:
    try:
        return error.msg if isinstance(error, SyntaxError) and error.msg else str(error)
    except Exception:  # noqa: BLE001  # the author's `__str__` may fail too
        return "(its text cannot be made)"


def _frames(error: BaseException, cells: Places, folder: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file, line, name in _lines(error):
        place = cells.place(file, line)
        if place is not None:
            named = {"cell": place[0], "line": place[1], "name": cells.function(file, name)}
            found.append({**named, **cells.module(file, line)})
        elif file == _TIMED and found and "cell" in found[-1] and line is not None:
            frame = (
                found.pop() if name == "<module>" else found[-1]
            )  # the magic that runs the body is no frame of the author's
            found.append({**frame, "line": line + 1, "name": name})
        elif _is_beside(file, folder) and not cells.is_ours(file):
            found.append({"file": os.path.relpath(file, folder), "line": line, "name": name, "text": _text(file, line)})
        elif cells.is_ours(file) and (text := _text(file, line)).startswith(("import ", "from ")):
            found.append({"imports": text, "name": "<module>"})
    return found


def _lines(error: BaseException) -> Iterator[tuple[str, int | None, str]]:
    """File, line and function of each frame; the place of a syntax error comes last."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        yield frame.f_code.co_filename, line, frame.f_code.co_name
    if isinstance(error, SyntaxError) and error.filename:
        yield error.filename, error.lineno, "<module>"


def _is_beside(file: str, folder: str) -> bool:
    """Whether a file is a module of the author's: it lies in the notebook's folder, and is not installed there."""
    installed = (sys.prefix, sys.base_prefix, Path(__file__).resolve().parents[1])
    path = Path(file)
    inside = path.is_absolute() and path.is_relative_to(folder) and "site-packages" not in path.parts
    return inside and not any(path.is_relative_to(place) for place in installed)


def _text(file: str, line: int | None) -> str:
    return linecache.getline(file, line).strip() if line else ""


def _blank_lines(source: str) -> int:
    """How many lines IPython takes away at the start, since they are empty."""
    lines = source.split("\n")
    return next((number for number, line in enumerate(lines) if line.strip()), 0)
