"""Reading: a file becomes a `Notebook` and a report of all that is wrong with it. Nothing of it is executed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Report
from nb2pipe.digest import Digest
from nb2pipe.errors import Nb2pipeError, NotebookError, UsageError
from nb2pipe.notebook.cell_tags import check_tags, read_tags
from nb2pipe.notebook.checks.nb107_nested_notebook import nested_notebook
from nb2pipe.notebook.checks.nb110_syntax_error import syntax_error
from nb2pipe.notebook.checks.nb111_names_of_a_magic import names_of_magics
from nb2pipe.notebook.checks.nb112_cell_magic_not_first import cell_magics_not_first
from nb2pipe.notebook.interpolation import BoundNames, bound_names
from nb2pipe.notebook.ipynb import read_ipynb
from nb2pipe.notebook.magics import Translation, interpolates, translate
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import Cell, CellKind, Kernel, NestedTag, Notebook, RaisesExceptionTag, Settings, SkipTag
from nb2pipe.notebook.nested import check_nested_cell, nested_file
from nb2pipe.notebook.raw import RawCell, RawNotebook, kernel_of
from nb2pipe.notebook.script import read_script
from nb2pipe.notebook.sections import sections
from nb2pipe.notebook.settings import read_settings
from nb2pipe.notebook.shown import shown, shown_path
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_ID_LENGTH = 8
_DEEPEST = 20
"""Notebooks may nest this deep; honest ones do two or three times."""

_READERS = {".ipynb": read_ipynb, ".py": read_script}


def read_notebook(path: Path) -> tuple[Notebook, Report]:
    """The notebook of a file, with all that is wrong with its tags, magics and metadata.

    Args:
        path: An `.ipynb` of nbformat 4, or a `.py` that jupytext reads.

    Raises:
        UsageError: There is no such file.
        NotebookError: It is no readable Python notebook.
    """
    return notebook_of(path, _raw)


def notebook_of(path: Path, raw: Callable[[Path], RawNotebook]) -> tuple[Notebook, Report]:
    """The notebook that a file is or was, with all that is wrong with it: every reading goes this way.

    Args:
        path: The file; messages and nested paths follow from it. It need not exist.
        raw: What a file says; asked for the notebook itself and for each one nested in it.

    Raises:
        UsageError: The path cannot be followed.
        NotebookError: It is no readable Python notebook.
    """
    return _Reading(root=_resolved(path).parent, raw=raw).read(path, ())


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"there is no notebook {shown_path(path)}: {error}") from error


@dataclass(slots=True)
class _Reading:
    """Reads one notebook and those nested in it, each file once.

    Attributes:
        root: The resolved folder that nested paths may not leave.
        raw: What a file says.
        known: What has been read, by resolved file.
    """

    root: Path
    raw: Callable[[Path], RawNotebook]
    known: dict[Path, tuple[Notebook, Report]] = field(default_factory=dict)

    def read(self, path: Path, chain: tuple[Path, ...]) -> tuple[Notebook, Report]:
        """A notebook; `chain` are the notebooks around it."""
        file = _resolved(path)
        if file not in self.known:
            self.known[file] = self._notebook(path, (*chain, file))
        return self.known[file]

    def _notebook(self, path: Path, chain: tuple[Path, ...]) -> tuple[Notebook, Report]:
        name = str(path)
        raw = self.raw(path)
        kernel = kernel_of(raw.metadata, name)
        settings, wrong_settings = read_settings(raw.metadata, Location(notebook=name))
        cells, wrong_cells = _cells(raw, name)
        notebook = Notebook(
            path=name, cells=cells, kernel=kernel, settings=settings, digest=_digest(cells, kernel, settings, {})
        )
        nested, wrong_nested = self._nested(notebook, path, chain)
        whole = dataclasses.replace(notebook, nested=nested, digest=_digest(cells, kernel, settings, nested))
        return whole, Report.of(_with_steps(whole, [*wrong_settings, *wrong_cells, *wrong_nested, *_checked(whole)]))

    def _nested(
        self, notebook: Notebook, path: Path, chain: tuple[Path, ...]
    ) -> tuple[dict[str, Notebook], list[Diagnostic]]:
        found: dict[str, Notebook] = {}
        diagnostics: list[Diagnostic] = []
        for cell in notebook.cells:
            for tag in () if cell.has(SkipTag) else cell.tags_of(NestedTag):
                location = _cell_location(notebook.path, cell)
                try:
                    inner, report = self._inner(tag, path, chain)
                except (MalformedError, Nb2pipeError) as error:
                    diagnostics.append(nested_notebook(tag.name, error.message, error.hint, location))
                else:
                    found[str(tag.path)] = inner
                    diagnostics += report
        return found, diagnostics

    def _inner(self, tag: NestedTag, path: Path, chain: tuple[Path, ...]) -> tuple[Notebook, Report]:
        file = nested_file(tag.path, path.parent, self.root)
        if _resolved(file) in chain:
            names = " -> ".join(shown(step.name) for step in (*chain, file))
            raise MalformedError(f"notebooks go round in a circle: {names}", "take one of the `notebook:` cells out")
        if len(chain) >= _DEEPEST:
            raise MalformedError("notebooks are nested too deeply", "take some of the `notebook:` cells out")
        return self.read(file, chain)


def _raw(path: Path) -> RawNotebook:
    name = shown_path(path)
    reader = _READERS.get(path.suffix.lower())
    try:
        if not path.exists():
            raise UsageError(f"there is no notebook {name}", hint=_near(path))
        if path.is_dir():
            raise NotebookError(
                f"{name} is a folder, not a notebook", hint="give the path of an .ipynb or a jupytext .py"
            )
        if not path.is_file():
            raise NotebookError(f"{name} is no regular file", hint="give the path of an .ipynb or a jupytext .py")
        if reader is None:
            hint = "nb2pipe reads .ipynb and jupytext .py; convert others with `jupytext --to ipynb`"
            raise NotebookError(f"{name} is no notebook: its ending is `{shown(path.suffix)}`", hint=hint)
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotebookError(f"{name} cannot be read: {reason}", hint="look at its path and permissions") from error
    return reader(data, name)


def _near(path: Path) -> str | None:
    """A notebook beside it of nearly the same name."""
    if not path.parent.is_dir():
        return f"there is no folder {shown_path(path.parent)} either"
    try:
        names = sorted(file.name for file in path.parent.iterdir() if file.suffix in _READERS)
    except OSError:
        return None
    close = suggestion(path.name, names)
    return f"did you mean {shown_path(path.parent / close)}?" if close else None


def _cells(raw: RawNotebook, name: str) -> tuple[tuple[Cell, ...], list[Diagnostic]]:
    diagnostics: list[Diagnostic] = []
    cells: list[Cell] = []
    translations = _translations(raw.cells)
    for position, (cell, identity) in enumerate(zip(raw.cells, _ids(raw.cells), strict=True), start=1):
        location = Location(notebook=name, cell=identity, position=position)
        path = cell.path if isinstance(cell.path, str) else None
        raw_tags, tags, wrong = read_tags(cell.tags, path, location)
        translation = translations[position - 1]
        read = Cell(
            id=identity,
            position=position,
            kind=cell.kind,
            source=cell.source,
            python=translation.python,
            tags=tags,
            raw_tags=raw_tags,
            magics=translation.magics,
        )
        cells.append(read)
        diagnostics += [*wrong, *_checked_code(read, translation, location)]
    return tuple(cells), diagnostics


def _translations(cells: Sequence[RawCell]) -> list[Translation]:
    """Plain Python of each cell; a second look where commands may hold names that other cells bind."""
    found = [translate(cell.source) if cell.kind is CellKind.CODE else Translation("") for cell in cells]
    again = [number for number, translation in enumerate(found) if interpolates(translation.magics)]
    if again:
        bound: BoundNames = bound_names(translation.python for translation in found)
        for number in again:
            found[number] = translate(cells[number].source, bound)
    return found


def _ids(cells: Sequence[RawCell]) -> list[str]:
    """The cells' ids: the file's own, and for the others one made of their content and how often it came before."""
    taken = {cell.id for cell in cells if cell.id}
    used: set[str] = set()
    counts: dict[tuple[CellKind, str], int] = {}
    result = []
    for cell in cells:
        content = (cell.kind, cell.source)
        counts[content] = counts.get(content, 0) + 1
        identity = cell.id if cell.id and cell.id not in used else _made_id(cell, counts[content], taken)
        used.add(identity)
        taken.add(identity)
        result.append(identity)
    return result


def _made_id(cell: RawCell, occurrence: int, taken: set[str]) -> str:
    made = (
        Digest.of("cell-id", [cell.kind.value, cell.source, occurrence, attempt]).hex[:_ID_LENGTH]
        for attempt in count()
    )
    return next(identity for identity in made if identity not in taken)


def _cell_location(name: str, cell: Cell, line: int | None = None) -> Location:
    lines = cell.source.split("\n")
    text = lines[line - 1] if line is not None and line <= len(lines) else None
    return Location(notebook=name, cell=cell.id, position=cell.position, line=line, source_line=text)


def _checked_code(cell: Cell, translation: Translation, location: Location) -> Iterator[Diagnostic]:
    if cell.has(SkipTag, NestedTag):
        return

    def place(line: int) -> Location:
        return _cell_location(location.notebook, cell, line)

    problem = translation.problem
    if problem is not None:
        where = dataclasses.replace(place(problem.line), column=problem.column, end_column=problem.end_column)
        yield syntax_error(problem, where, may_raise=cell.has(RaisesExceptionTag))
    yield from names_of_magics(translation.magics, place)
    yield from cell_magics_not_first(translation.magics, place)


def _checked(notebook: Notebook) -> Iterator[Diagnostic]:
    """What is wrong with the tags of cells in their sections, and with nested cells."""

    def place(cell: Cell) -> Location:
        return _cell_location(notebook.path, cell)

    yield from check_tags(notebook, sections(notebook), place)
    for cell in notebook.cells:
        for tag in () if cell.has(SkipTag) else cell.tags_of(NestedTag):
            diagnostic = check_nested_cell(cell, tag, place(cell))
            if diagnostic:
                yield diagnostic


def _with_steps(notebook: Notebook, diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """The diagnostics, with the steps of their cells."""
    steps = {section.cell: section.step for section in sections(notebook) if section.step}
    for diagnostic in diagnostics:
        location = diagnostic.location
        step = steps.get(location.position or 0) if location.notebook == notebook.path else None
        if step and not location.step:
            yield dataclasses.replace(diagnostic, location=dataclasses.replace(location, step=step))
        else:
            yield diagnostic


def _digest(cells: Sequence[Cell], kernel: Kernel, settings: Settings, nested: Mapping[str, Notebook]) -> Digest:
    """Of what counts: cells with their tags, kernel, settings and nested notebooks."""
    content = {
        "cells": [[cell.kind.value, cell.source, list(cell.raw_tags)] for cell in cells],
        "kernel": kernel.name,
        "settings": [repr(getattr(settings, part.name)) for part in dataclasses.fields(settings)],
        "nested": {path: inner.digest.hex for path, inner in nested.items()},
    }
    return Digest.of("notebook", content)
