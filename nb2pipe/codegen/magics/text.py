"""A cell as the plain Python that a module holds: as many lines, each in its place, magics in words of the runtime.

What `!ls` and the like become are calls of `nb2pipe.runtime.magics`; what only concerns Jupyter is dropped (NB401), and
what a module cannot hold is an error (NB400).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.codegen.checks.nb400_magic_not_in_modules import magic_not_in_modules
from nb2pipe.codegen.checks.nb401_magic_left_out import magic_left_out
from nb2pipe.codegen.magics.cells import cell_text
from nb2pipe.codegen.magics.lines import HINT, line_text
from nb2pipe.codegen.magics.notes import Note, Notes
from nb2pipe.codegen.magics.shell_object import without_shell_object
from nb2pipe.diagnostics import Diagnostic, Location
from nb2pipe.notebook.reader import read_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.notebook.interpolation import BoundNames
    from nb2pipe.notebook.model import Cell, Magic
    from nb2pipe.notebook.reader import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleText:
    """What a cell is in a module.

    Attributes:
        text: Plain Python of as many lines as the source; line N of the one stands for line N of the other.
        helpers: What the text needs of `nb2pipe.runtime.magics`, sorted, as it stands in an import: `run_shell`, or
            `run_shell as run_shell_`.
        requirements: What `pip install` lines ask for, as `requirements.txt` takes them.
        problems: NB400, errors: what a module cannot hold; NB401, infos: what was left out.
    """

    text: str
    helpers: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def module_text(
    cell: Cell,
    bound: BoundNames,
    *,
    notebook: str,
    source: str | None = None,
    taken: frozenset[str] = frozenset(),
    step: str | None = None,
) -> ModuleText:
    r"""A cell as plain Python of the same lines.

    Args:
        cell: A code cell.
        bound: The names that the notebook binds: `bound_names(cell.python for cell in notebook.cells)`, made once.
        notebook: Its path, for the places of problems.
        source: Instead of the cell's: a part of it, with blank lines for the rest (`pipeline.blocks.block_text`).
        taken: Names that helpers may not have in the module, such as those that the notebook binds.
        step: The cell's step, for the places of problems.

    >>> from nb2pipe.notebook.interpolation import BoundNames
    >>> from nb2pipe.notebook.model import Cell, CellKind
    >>> cell = Cell(id="a", position=1, kind=CellKind.CODE, source="%matplotlib inline\nfiles = !ls {folder}")
    >>> found = module_text(cell, BoundNames(frozenset({"folder"})), notebook="a.ipynb")
    >>> print(found.text)
    pass
    files = shell_lines(f"ls {folder}")
    >>> found.helpers
    ('shell_lines',)
    """
    source = cell.source if source is None else source
    notes = Notes(bound=bound, taken=taken)
    reading = read_source(source, _Words(notes))
    text = reading.text
    if reading.problem is not None:
        notes.refuse(reading.problem.line, f"modules cannot hold this cell: {reading.problem.message}", HINT)
        text = "\n" * source.count("\n")
    text = without_shell_object(text, notes)

    def place(line: int) -> Location:
        rows = cell.source.split("\n")
        row = rows[line - 1] if line <= len(rows) else None
        return Location(notebook=notebook, cell=cell.id, position=cell.position, line=line, source_line=row, step=step)

    return ModuleText(
        text=text,
        helpers=tuple(sorted(notes.helpers.values())),
        requirements=tuple(dict.fromkeys(notes.requirements)),
        problems=tuple(_diagnostic(note, place(note.line)) for note in notes.in_order()),
    )


def _diagnostic(note: Note, location: Location) -> Diagnostic:
    if note.refused:
        return magic_not_in_modules(note.message, location, note.hint)
    return magic_left_out(note.message, location, note.hint)


@dataclass(frozen=True, slots=True)
class _Words:
    """Words magics for a module."""

    notes: Notes

    def line(self, found: Found) -> str:
        """One line of Python."""
        self.notes.indent = found.before
        return line_text(found, self.notes)

    def cell(self, magic: Magic, read: Callable[[str, int], str]) -> tuple[str, str]:
        """The first line and the body."""
        self.notes.indent = ""
        return cell_text(magic, read, self.notes)
