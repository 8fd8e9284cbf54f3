"""The blocks of a step: all that it runs, in notebook order, cut to what it needs."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.effects import effects
from nb2pipe.notebook.model import RaisesExceptionTag
from nb2pipe.notebook.syntax import parsed
from nb2pipe.pipeline.model import Block, BlockRole
from nb2pipe.pipeline.settings import concerns, modules_of
from nb2pipe.pipeline.statements import Part, Statement, by_cell, cut, reads, shared_cell, slice_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nb2pipe.analysis.model import Definition, ParameterFact
    from nb2pipe.notebook.model import Cell
    from nb2pipe.pipeline.outline import Draft, Outline
    from nb2pipe.pipeline.ports import Ports
    from nb2pipe.pipeline.statements import SharedCell

_BUILTINS = frozenset(dir(builtins))


def block_text(cell: Cell, block: Block) -> str:
    """What a block runs: the cell's source, with blank lines for what it leaves out.

    Args:
        cell: The block's cell.
        block: The block.
    """
    if block.text is not None:
        return block.text
    if block.lines is None:
        return cell.source
    rows = cell.source.split("\n")
    return "\n".join(row if number in block.lines else "" for number, row in enumerate(rows, start=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutter:
    """Cuts the blocks of steps.

    Attributes:
        outline: The steps to be.
        cells: Every cell that blocks are cut from, cut into its statements.
        bindings: For each name, the definitions that bind it, in notebook order, by their indices.
        settings: The settings of shared cells, in notebook order.
        around: For each step, the top-level modules that it imports, or that what it takes may be of.
        silent: The imports, by their indices, that stand there only for what importing does: later steps repeat them.
    """

    outline: Outline
    cells: Mapping[int, SharedCell]
    bindings: Mapping[str, tuple[int, ...]]
    settings: tuple[tuple[int, Statement], ...] = field(default=())
    around: Mapping[str, frozenset[str]] = field(default_factory=dict)
    silent: tuple[int, ...] = ()

    def blocks(self, draft: Draft, parameters: Collection[str]) -> tuple[Block, ...]:
        """The blocks of a step.

        Args:
            draft: The step to be.
            parameters: Those that it uses.
        """
        kept: dict[int, set[Statement]] = defaultdict(set)
        needed = {index for fact in self.outline.facts[draft.name] for index in fact.needs}
        for name in parameters:
            needed |= self._keep_default(name, kept)
        needed |= self._keep_settings(draft, kept)
        needed |= {n for n in self.silent if self.outline.dataflow.definitions[n].cell <= draft.cells[-1]}
        for cell in draft.cells:
            needed |= self._keep_own(cell, kept)
        self._keep_definitions(needed, draft, kept)
        return tuple(self._block(cell, draft, parameters, kept[cell]) for cell in sorted({*kept, *draft.cells}))

    def _keep_default(self, name: str, kept: dict[int, set[Statement]]) -> set[int]:
        """Keeps the statements that make a parameter's default; gives the definitions that they need."""
        fact = self._fact(name)
        shared = self.cells.get(fact.cell) if fact else None
        if fact is None or shared is None:
            return set()
        chosen, outside = slice_of(shared.of(Part.PARAMETER), {name})
        kept[fact.cell].update(chosen)
        return self._resolve(outside, (fact.cell, fact.line))

    def _keep_settings(self, draft: Draft, kept: dict[int, set[Statement]]) -> set[int]:
        """Keeps the settings that concern a step; gives the definitions that they need."""
        code = "\n".join(self.outline.notebook.cell(cell).source for cell in draft.cells)
        needed: set[int] = set()
        for cell, setting in self.settings:
            if cell > draft.cells[-1]:
                break
            found = self._resolve(reads(setting.node), (cell, setting.first_line))
            modules = top_modules(self.outline, found) | modules_of(self.outline.notebook.cell(cell), setting.node)
            if cell in draft.cells or concerns(modules, self.around.get(draft.name, frozenset()), code):
                kept[cell].add(setting)
                needed |= found
        return needed

    def _fact(self, name: str) -> ParameterFact | None:
        return next((fact for fact in self.outline.dataflow.parameters if fact.name == name), None)

    def _keep_own(self, cell: int, kept: dict[int, set[Statement]]) -> set[int]:
        """Keeps what runs once of a shared cell of the step, with the defaults that it reads."""
        shared = self.outline.shared.get(cell)
        if shared is None:
            return set()
        once = shared.of(Part.ONCE)
        wanted = frozenset(name for statement in once for name in reads(statement.node))
        defaults, outside = slice_of(shared.of(Part.PARAMETER), wanted)
        kept[cell].update((*once, *defaults))
        return self._resolve(outside, (cell, shared.statements[-1].last_line + 1))

    def _keep_definitions(self, indices: Iterable[int], draft: Draft, kept: dict[int, set[Statement]]) -> None:
        for index in indices:
            definition = self.outline.dataflow.definitions[index]
            if definition.cell in draft.cells and definition.cell not in self.outline.shared:
                continue
            kept[definition.cell].update(_statements_of(definition, self.cells[definition.cell]))

    def _resolve(self, names: Iterable[str], before: tuple[int, int]) -> set[int]:
        """The definitions that names mean at a place, and those that these need in turn."""
        found: set[int] = set()
        todo = list(names)
        seen = set(todo)
        while todo:
            index = self._visible(todo.pop(), before)
            if index is None or index in found:
                continue
            found.add(index)
            new = self.outline.dataflow.definitions[index].reads - seen
            seen |= new
            todo += sorted(new)
        return found

    def _visible(self, name: str, before: tuple[int, int]) -> int | None:
        definitions = self.outline.dataflow.definitions
        for index in reversed(self.bindings.get(name, ())):
            if (definitions[index].cell, definitions[index].first_line) <= before:
                return index
        return None

    def _block(self, position: int, draft: Draft, parameters: Collection[str], kept: Collection[Statement]) -> Block:
        cell = self.outline.notebook.cell(position)
        shared = self.outline.shared.get(position)
        injects = self._injected(position, parameters)
        own = position in draft.cells
        if own and shared is None:
            return Block(cell=position, may_raise=cell.has(RaisesExceptionTag), injects=injects)
        lines, text = cut(cell, kept, self.cells[position].statements)
        defaults = any(statement.part is Part.PARAMETER for statement in kept)
        role = BlockRole.CODE if own else BlockRole.DEFINITIONS
        if injects or (defaults and not own):
            role = BlockRole.PARAMETERS
        may_raise = own and cell.has(RaisesExceptionTag)
        return Block(cell=position, role=role, lines=lines, text=text, may_raise=may_raise, injects=injects)

    def _injected(self, cell: int, parameters: Collection[str]) -> tuple[str, ...]:
        return tuple(
            fact.name for fact in self.outline.dataflow.parameters if fact.cell == cell and fact.name in parameters
        )


def cutter(outline: Outline, flowing: Ports) -> Cutter:
    """A cutter of the blocks of an outline's steps.

    Args:
        outline: The steps to be.
        flowing: What flows between them.
    """
    definitions = by_cell(outline.dataflow.definitions)
    cells = dict(outline.shared)
    for position, group in definitions.items():
        if position not in cells:
            cells[position] = shared_cell(outline.notebook.cell(position), group, None)
    bindings: dict[str, list[int]] = defaultdict(list)
    for index, definition in enumerate(outline.dataflow.definitions):
        for name in definition.names:
            bindings[name].append(index)
    settings = tuple(
        (position, statement)
        for position, shared in sorted(outline.shared.items())
        for statement in shared.of(Part.SETTING)
    )
    return Cutter(
        outline=outline,
        cells=cells,
        bindings={name: tuple(indices) for name, indices in bindings.items()},
        settings=settings,
        around=_around(outline, flowing),
        silent=tuple(_silent(outline)),
    )


def _silent(outline: Outline) -> Iterator[int]:
    """The imports that no text mentions, of modules that may do something as they are imported."""
    known = effects()
    definitions = outline.dataflow.definitions
    acting = [n for n, each in enumerate(definitions) if each.module and known.acts_on_import(each.module)]
    if acting:
        trees = [parsed(cell.python) for cell in outline.notebook.cells]
        names = {part.id for tree in trees if tree for part in ast.walk(tree) if isinstance(part, ast.Name)}
        yield from (n for n in acting if definitions[n].names and names.isdisjoint(definitions[n].names))


def top_modules(outline: Outline, definitions: Iterable[int]) -> frozenset[str]:
    """The top-level modules that some definitions import, by their indices."""
    modules = (outline.dataflow.definitions[index].module for index in definitions)
    return frozenset(module.partition(".")[0] for module in modules if module is not None)


def _around(outline: Outline, flowing: Ports) -> dict[str, frozenset[str]]:
    """The modules that each step imports, or that the steps import whose variables it takes."""
    own: dict[int, list[int]] = defaultdict(list)
    for index, definition in enumerate(outline.dataflow.definitions):
        own[definition.cell].append(index)
    found: dict[str, frozenset[str]] = {}
    for draft in outline.drafts:
        needed = {index for fact in outline.facts[draft.name] for index in fact.needs}
        written = {index for cell in draft.cells if cell not in outline.shared for index in own[cell]}
        origins = {port.origin for port in flowing.inputs[draft.name].values() if port.origin is not None}
        taken = (found.get(origin, frozenset()) for origin in origins)
        found[draft.name] = top_modules(outline, needed | written).union(*taken)
    return found


def _statements_of(definition: Definition, shared: SharedCell) -> tuple[Statement, ...]:
    """The statement of a definition; where several begin in its line, those that are definitions."""
    return tuple(
        statement
        for statement in shared.of(Part.DEFINITION)
        if statement.first_line == definition.first_line and statement.last_line == definition.last_line
    )
