"""Comments in the modules of a package that name the notebook's cell and line of what follows; the only such record.

```
# %% cell 9
# %% inner.ipynb, cell 3, line 4 (definitions)
# %% cell 12 (may raise)
```

The line that they name is that of the next line of the module, and the lines after it count up.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OFF = "# fmt: off"
ON = "# fmt: on"
"""The comments that keep formatters away from the author's text; the second one ends what a marker names."""

_MARKER = re.compile(
    r"(?P<indent>[ \t]*)# %% (?:(?P<notebook>.+), )?cell (?P<cell>[0-9]{1,9})(?:, line (?P<line>[0-9]{1,9}))?"
    r"(?P<definitions> \(definitions\))?(?P<may_raise> \(may raise\))?[ \t]*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a notebook.

    Attributes:
        cell: Position of the cell.
        line: Line of the cell.
        notebook: The file name of a nested notebook; None for the notebook itself.
        definitions: What stands there may be run once in a process, though several steps have it.
        may_raise: The cell is tagged `raises-exception`.
    """

    cell: int
    line: int = 1
    notebook: str | None = None
    definitions: bool = False
    may_raise: bool = False

    @property
    def comment(self) -> str:
        """The comment that names it.

        >>> Place(cell=3, line=2, may_raise=True).comment
        '# %% cell 3, line 2 (may raise)'
        """
        notebook = f"{' '.join(self.notebook.split())}, " if self.notebook else ""
        line = f", line {self.line}" if self.line != 1 else ""
        definitions = " (definitions)" if self.definitions else ""
        return f"# %% {notebook}cell {self.cell}{line}{definitions}{' (may raise)' if self.may_raise else ''}"

    @property
    def of_cell(self) -> tuple[str | None, int, bool]:
        """What places of one cell have in common."""
        return self.notebook, self.cell, self.definitions

    def shown(self, notebook: str) -> str:
        """The place as people read it; `notebook` is the file name of the notebook itself."""
        return f"{self.notebook or notebook}, cell {self.cell}, line {self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A comment that names a place.

    Attributes:
        line: The line of the module that it stands in.
        end: The first line after it that its place does not count for; None if there is none.
        indent: How far it is indented.
    """

    line: int
    end: int | None
    indent: int
    place: Place

    def at(self, line: int) -> Place:
        """The place of a line of the module."""
        found = self.place
        return Place(
            cell=found.cell,
            line=max(found.line + line - self.line - 1, 1),
            notebook=found.notebook,
            definitions=found.definitions,
            may_raise=found.may_raise,
        )


def place_of(comment: str) -> Place | None:
    """The place that a line of text names; None if it is no such comment.

    >>> place_of("    # %% cell 7, line 2").line
    2
    """
    found = _MARKER.fullmatch(comment)
    if found is None:
        return None
    return Place(
        cell=int(found["cell"]),
        line=int(found["line"] or 1),
        notebook=found["notebook"],
        definitions=bool(found["definitions"]),
        may_raise=bool(found["may_raise"]),
    )


def markers(text: str, tree: ast.AST | None = None) -> tuple[Marker, ...]:
    """The markers of a module, in order; those in its multi-line strings are none.

    Args:
        text: The module's.
        tree: Its syntax tree, if it is known; without it each comment counts, wherever it stands.
    """
    lines = text.split("\n")
    inside = _within_strings(tree) if tree is not None else frozenset()
    found = [
        (number, place)
        for number, line in enumerate(lines, 1)
        if "# %% " in line and number not in inside and (place := place_of(line.rstrip("\r"))) is not None
    ]
    ends = [*(number for number, _ in found), len(lines) + 1]
    return tuple(
        Marker(line=number, end=_end(lines, number, end), indent=_indent(lines[number - 1]), place=place)
        for (number, place), end in zip(found, ends[1:], strict=True)
    )


def find(found: Sequence[Marker], line: int) -> Place | None:
    """The place of a line of a module."""
    index = bisect_right(found, line, key=lambda marker: marker.line) - 1
    if index < 0:
        return None
    marker = found[index]
    is_after = marker.end is not None and line >= marker.end
    return None if is_after or line == marker.line else marker.at(line)


@lru_cache(maxsize=256)
def markers_of(text: str) -> tuple[Marker, ...]:
    """The markers of a text that may be no Python."""
    if "# %% " not in text:
        return ()
    try:
        return markers(text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return markers(text)


def _end(lines: Sequence[str], first: int, end: int) -> int | None:
    """Where the text of a marker ends: at our `# fmt: on`, which is no answer to one of the author's `# fmt: off`."""
    indent = lines[first - 1][: _indent(lines[first - 1])]
    own = False
    for number in range(first + 1, end):
        line = lines[number - 1].rstrip()
        if line == indent + OFF:
            own = True
        elif line == indent + ON and not own:
            return number
        elif line == indent + ON:
            own = False
    return end if end <= len(lines) else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _within_strings(tree: ast.AST) -> frozenset[int]:
    """The lines that begin inside a string of several lines."""
    found: set[int] = set()
    for node in _strings(tree):
        found.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return frozenset(found)


def _strings(tree: ast.AST) -> Iterable[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            yield node
