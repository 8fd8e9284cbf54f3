"""Tracebacks of code in modules: which cell and line of the notebook each of their lines is."""

from __future__ import annotations

import importlib
import linecache
import os
import traceback
from contextlib import suppress
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.markers import find, markers_of
from nb2pipe.serializers.names import module_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from nb2pipe.runtime.markers import Place

_MOST = 30
"""Places that are named for one error: deep recursion has thousands."""
_IMPORTS = "<frozen importlib."
_OWN = str(Path(__file__).resolve().parent) + os.sep


class ModulePlaces:
    """The places of a step's code for `frames.describe`.

    Args:
        folder: The package's, absolute.
        function: The name of the step's function, whose body is the top level of its notebook.
        notebook: The file name of the step's notebook where that is a nested one.
    """

    def __init__(self, folder: Path, function: str, notebook: str | None = None) -> None:
        self._folder = str(folder) + os.sep
        self._function = function
        self._notebook = notebook

    def place(self, file: str, line: int | None) -> tuple[int, int | None] | None:
        """The cell and line of a line of a module; None for those of other notebooks than the step's."""
        found = place_of_line(file, line or 0)
        if found is None or found.notebook != self._notebook:
            return None
        return found.cell, found.line if line else None

    def function(self, file: str, name: str) -> str:
        """The name of a frame's function as the author knows it."""
        is_step = name == self._function and file.startswith(f"{self._folder}steps{os.sep}")
        return "<module>" if is_step else name

    def is_ours(self, file: str) -> bool:
        """Whether what stands in a file, and is no cell's, is no code of the author's."""
        return file.startswith(self._folder)

    def module(self, file: str, line: int | None) -> dict[str, Any]:
        """The module's path, from the folder of its package, its line, and the text of that."""
        if not file.startswith(self._folder):  # code that was stored by a module
            return {}
        path = os.path.relpath(file, os.path.dirname(self._folder.rstrip(os.sep))).replace(os.sep, "/")  # noqa: PTH120
        return {"module": path, "module_line": line, "text": linecache.getline(file, line or 0).strip()}


def place_of_line(file: str, line: int) -> Place | None:
    """The place in a notebook of a line of a module, or of code that was stored by one."""
    text = "".join(linecache.getlines(file)) if file.startswith("<notebook ") else module_text(file)
    return find(markers_of(text), line) if text else None


def explain(error: BaseException, notebook: str) -> None:
    """Adds the places of its frames to an error, and to those that led to it; takes our own frames away.

    Args:
        error: What a step raised.
        notebook: The file name of the notebook itself.
    """
    seen: set[int] = set()
    part: BaseException | None = error
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        part.__traceback__ = _without_own(part.__traceback__)
        with suppress(TypeError):  # an author's class may keep something else there
            known = [*getattr(part, "__notes__", [])]
            for note in islice(dict.fromkeys(_notes(part, notebook)), _MOST):
                if note not in known:
                    part.add_note(note)
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)


def is_ours(error: BaseException) -> bool:
    """Whether no code but ours was running as an error was raised: then it is a bug of ours."""
    at_home = isinstance(error, SyntaxError | ImportError | SystemExit)
    return not at_home and all(_is_own(one) for one in _entries(error.__traceback__))


def where(error: BaseException, notebook: str) -> str | None:
    """The place of the step's own line that led to an error, as people read it."""
    found = place(error)
    return found.shown(notebook) if found else None


def place(error: BaseException) -> Place | None:
    """The place of the step's own line that led to an error."""
    places = [each for each, _ in _places(error) if not each.definitions]
    places = places or [each for each, _ in _places(error)]
    return places[0] if places else None


def _notes(error: BaseException, notebook: str) -> Iterator[str]:
    for place, function in _places(error):
        yield place.shown(notebook) + (f", in {function}" if function else "")


def _places(error: BaseException) -> Iterator[tuple[Place, str]]:
    """The place of each frame that has one, outermost first, with the name of its function, if it is in one."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        place = place_of_line(code.co_filename, line or 0)
        if place is not None:
            is_within = place_of_line(code.co_filename, code.co_firstlineno) is not None and code.co_name != "<module>"
            yield place, code.co_name if is_within else ""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        place = place_of_line(error.filename, error.lineno)
        if place is not None:
            yield place, ""


def _without_own(trace: TracebackType | None) -> TracebackType | None:
    kept = [one for one in _entries(trace) if not _is_own(one)]
    for one, following in zip_longest(kept, kept[1:]):
        one.tb_next = following
    return kept[0] if kept else None


def _is_own(entry: TracebackType) -> bool:
    """Whether a frame is ours, or of Python's imports, which we call."""
    return entry.tb_frame.f_code.co_filename.startswith((_OWN, _IMPORTS, importlib.__file__))


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        following = trace.tb_next
        yield trace
        trace = following
