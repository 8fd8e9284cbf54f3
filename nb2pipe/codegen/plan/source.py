"""The cells of a run as text and statements: what each step keeps of which cell, in the order of the notebooks."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from nb2pipe.codegen.magics.text import ModuleText, module_text
from nb2pipe.codegen.plan.flow import NameFlow, name_flow
from nb2pipe.codegen.plan.syntax import Parts
from nb2pipe.notebook.model import MagicKind
from nb2pipe.pipeline.blocks import block_text
from nb2pipe.pipeline.statements import binds, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.notebook.interpolation import BoundNames
    from nb2pipe.notebook.model import Cell
    from nb2pipe.pipeline.model import Block, Pipeline
    from nb2pipe.pipeline.statements import Statement
    from nb2pipe.pipeline.work import Unit, Work


_BROUGHT = ("display", "get_ipython")
"""Names that only Jupyter brings; a cell without them and without magics is a module's text as it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """A top-level statement of a cell.

    Attributes:
        book: The notebook.
        cell: Position of the cell.
        node: Its syntax.
        first: Its first line, from 1 within the cell, decorators counted.
        last: Its last line.
        place: Sorts the statements of all notebooks of a run, and is another for each.
        flow: What it does to names by itself.
        parts: All nodes in it.
    """

    book: Book
    cell: int
    node: ast.stmt
    first: int
    last: int
    place: tuple[int, ...]
    flow: NameFlow
    parts: Parts

    @property
    def lines(self) -> range:
        """All lines that it touches."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A cell as plain Python.

    Attributes:
        rows: Its lines.
        pieces: Its top-level statements, those apart that only say that there is nothing.
        module: What else is known of it.
    """

    rows: tuple[str, ...]
    pieces: tuple[Piece, ...]
    module: ModuleText


@dataclass(slots=True, kw_only=True, eq=False)
class Book:
    """A notebook of the run, whose cells are read when they are asked for, each once.

    Attributes:
        pipeline: Its pipeline.
        bound: The names that notebooks of the run bind.
        place: Where it stands in the notebooks around it.
        file: Its file name; None for the notebook itself.
        own: The names of functions and classes that it defines anywhere.
        texts: What was read, by cell, and by the source where that is a part of the cell.
    """

    pipeline: Pipeline
    bound: BoundNames
    place: tuple[int, ...] = ()
    file: str | None = None
    own: frozenset[str] = frozenset()
    texts: dict[tuple[int, str | None], Text] = field(default_factory=dict)
    _sets: dict[int, frozenset[str]] | None = None

    def cell(self, position: int) -> Cell:
        """A cell."""
        return self.pipeline.notebook.cell(position)

    def text(self, position: int, source: str | None = None) -> Text:
        """A cell as plain Python.

        Args:
            position: The cell's.
            source: A part of it, with blank lines for the rest; None for all of it.
        """
        key = (position, source)
        if key not in self.texts:
            self.texts[key] = self._read(position, source)
        return self.texts[key]

    def sets(self, position: int) -> frozenset[str]:
        """The hidden state that a cell sets."""
        if self._sets is None:
            facts = self.pipeline.dataflow.facts if self.pipeline.dataflow is not None else ()
            self._sets = {fact.cell: fact.sets for fact in facts}
        return self._sets.get(position, frozenset())

    def _read(self, position: int, source: str | None) -> Text:
        cell = self.cell(position)
        if source is None and not cell.magics and not any(name in cell.source for name in _BROUGHT):
            module = ModuleText(text=cell.python)
        else:
            path = self.pipeline.notebook.path
            module = module_text(cell, self.bound, notebook=path, source=source, taken=self.bound.names)
        rows, written = module.text.split("\n"), (cell.source if source is None else source).split("\n")
        pieces = []
        for item in statements(module.text):
            if isinstance(item.node, ast.Pass) and "pass" not in written[item.first_line - 1]:
                rows[item.first_line - 1] = rows[item.first_line - 1].replace("pass", "", 1).rstrip()
            else:
                pieces.append(self._piece(position, item))
        return Text(rows=tuple(rows), pieces=tuple(pieces), module=module)

    def _piece(self, position: int, item: Statement) -> Piece:
        return Piece(
            book=self,
            cell=position,
            node=item.node,
            first=item.first_line,
            last=item.last_line,
            place=(*self.place, position, item.first_line, item.node.col_offset),
            flow=name_flow([item.node], own=self.own),
            parts=Parts(item.node),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a step keeps of a cell.

    Attributes:
        block: The pipeline's word for it.
        is_own: The cell is one of the step's.
        text: The cell's text.
        pieces: The statements, in order, without defaults of parameters that the step is given.
        defaults: The statements that make the defaults of parameters.
    """

    block: Block
    is_own: bool
    text: Text
    pieces: tuple[Piece, ...]
    defaults: tuple[Piece, ...] = ()

    @property
    def runs_once(self) -> bool:
        """Whether the cell is a step's alone, so that nothing of it is repeated elsewhere but its imports."""
        return self.is_own and self.block.lines is None


@dataclass(frozen=True, kw_only=True, eq=False)
class StepSource:
    """A step with what it keeps.

    Attributes:
        unit: The step.
        book: Its notebook.
        number: Its place among the steps of the run.
        parts: In notebook order.
    """

    unit: Unit
    book: Book
    number: int
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The step's name in the run."""
        return self.unit.name

    @property
    def pieces(self) -> Iterator[Piece]:
        """All statements that it keeps, but for defaults of parameters."""
        return (piece for part in self.parts for piece in part.pieces)

    @cached_property
    def places(self) -> frozenset[tuple[int, ...]]:
        """The places of these statements."""
        return frozenset(piece.place for piece in self.pieces)

    @property
    def helpers(self) -> frozenset[str]:
        """The names of the functions of ours that its text may call."""
        helpers = (helper for part in self.parts for helper in part.text.module.helpers)
        return frozenset(helper.rpartition(" ")[2] for helper in helpers)


def step_sources(work: Work, bound: BoundNames) -> tuple[StepSource, ...]:
    """The steps of a run that run code, in notebook order.

    Args:
        work: The steps.
        bound: The names that notebooks of the run bind.
    """
    books: dict[str, Book] = {}
    found: list[StepSource] = []
    for unit in work.units:
        if not unit.inner and unit.step.nested is None:
            book = _book(unit, work, books, bound)
            parts = tuple(_part(book, unit, block) for block in unit.step.blocks)
            found.append(StepSource(unit=unit, book=book, number=len(found), parts=parts))
    return tuple(found)


def _book(unit: Unit, work: Work, books: dict[str, Book], bound: BoundNames) -> Book:
    if unit.scope not in books:
        around = work.by_name.get(unit.scope)
        place: tuple[int, ...] = ()
        if around is not None:
            place = (*_book(around, work, books, bound).place, around.step.cells[0])
        path = unit.pipeline.notebook.path.replace("\\", "/")
        file = PurePosixPath(path).name if unit.scope else None
        own = _defined(unit.pipeline)
        books[unit.scope] = Book(pipeline=unit.pipeline, bound=bound, place=place, file=file, own=own)
    return books[unit.scope]


def _defined(pipeline: Pipeline) -> frozenset[str]:
    """The names of the functions and classes that a notebook defines."""
    found: set[str] = set()
    for fact in pipeline.dataflow.facts if pipeline.dataflow is not None else ():
        found |= fact.functions
    for definition in pipeline.dataflow.definitions if pipeline.dataflow is not None else ():
        found |= set(definition.names) if definition.module is None else set()
    return frozenset(found)


def _part(book: Book, unit: Unit, block: Block) -> Part:
    text = _text(book, block)
    kept = text.pieces
    if block.lines is not None and block.text is None:
        kept = tuple(piece for piece in kept if block.lines.intersection(piece.lines))
    names = {parameter.name for parameter in book.pipeline.parameters if parameter.cell == block.cell}
    defaults = tuple(piece for piece in kept if block.lines is not None and _is_default(piece, names))
    pieces = tuple(piece for piece in kept if piece not in defaults)
    is_own = block.cell in unit.step.cells
    return Part(block=block, is_own=is_own, text=text, pieces=pieces, defaults=defaults)


def _text(book: Book, block: Block) -> Text:
    """The text of a block's cell: of the whole cell where lines of it can be taken out as they are."""
    cell = book.cell(block.cell)
    wrapped = any(magic.kind is MagicKind.CELL for magic in cell.magics)
    if block.text is None and (block.lines is None or not wrapped):
        return book.text(block.cell)
    return book.text(block.cell, block_text(cell, block))


def _is_default(piece: Piece, parameters: set[str]) -> bool:
    bound = binds(piece.node)
    return isinstance(piece.node, ast.Assign | ast.AnnAssign | ast.AugAssign) and bool(bound) and bound <= parameters
