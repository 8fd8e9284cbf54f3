"""The outline of a pipeline: which cells make which step, in notebook order, before anything is known of ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import NestedTag, StepTag
from nb2pipe.notebook.sections import Role, sections
from nb2pipe.pipeline.statements import SharedCell, by_cell, shared_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.analysis.model import CellFacts, Dataflow, ParameterFact
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.notebook.sections import Section

SETUP = "setup"
MAIN = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step to be.

    Attributes:
        name: Its name.
        cells: Its own cells, in notebook order.
        generated: No tag names it.
        nested: The path of the notebook that it is.
    """

    name: str
    cells: tuple[int, ...]
    generated: bool = False
    nested: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The steps to be, and the cells that they share.

    Attributes:
        drafts: In notebook order of their first cells.
        shared: Cells of definitions and parameters by position.
        owner: The step of each cell that runs once.
        repeatable: The parameters whose defaults every step may evaluate.
        facts: The facts of each step's own cells.
    """

    dataflow: Dataflow
    drafts: tuple[Draft, ...]
    shared: Mapping[int, SharedCell] = field(default_factory=dict)
    owner: Mapping[int, str] = field(default_factory=dict)
    repeatable: Mapping[str, ParameterFact] = field(default_factory=dict)
    facts: Mapping[str, tuple[CellFacts, ...]] = field(default_factory=dict)

    @property
    def notebook(self) -> Notebook:
        """The notebook."""
        return self.dataflow.notebook

    @property
    def order(self) -> Mapping[str, int]:
        """The place of each step in the notebook's order."""
        return {draft.name: number for number, draft in enumerate(self.drafts)}


def outline(dataflow: Dataflow) -> Outline:
    """The outline of a notebook's pipeline."""
    notebook = dataflow.notebook
    repeatable = _repeatable(dataflow.parameters)
    parts = sections(notebook)
    shared = _shared(dataflow, parts, repeatable)
    drafts = _drafts(notebook, parts, shared)
    owner = {cell: draft.name for draft in drafts for cell in draft.cells}
    facts: dict[str, tuple[CellFacts, ...]] = {draft.name: () for draft in drafts}
    for fact in dataflow.facts:
        if fact.cell in owner:
            facts[owner[fact.cell]] += (fact,)
    return Outline(dataflow=dataflow, drafts=drafts, shared=shared, owner=owner, repeatable=repeatable, facts=facts)


def _repeatable(parameters: Iterable[ParameterFact]) -> dict[str, ParameterFact]:
    """The parameters that are repeatable themselves and made only of such."""
    found: dict[str, ParameterFact] = {}
    once: set[str] = set()
    for fact in parameters:
        if fact.repeatable and not once & fact.reads:
            found[fact.name] = fact
        else:
            found.pop(fact.name, None)
            once.add(fact.name)
    return found


def _shared(
    dataflow: Dataflow, parts: Iterable[Section], repeatable: Mapping[str, ParameterFact]
) -> dict[int, SharedCell]:
    definitions = by_cell(dataflow.definitions)
    sets = {fact.cell: fact.sets for fact in dataflow.facts}
    found: dict[int, SharedCell] = {}
    changed: set[str] = set()
    for section in parts:
        if section.role is Role.STEP:
            changed |= sets.get(section.cell, frozenset())
        if section.role not in {Role.DEFINITIONS, Role.PARAMETERS, Role.INJECTED}:
            continue
        cell = dataflow.notebook.cell(section.cell)
        names = None if section.role is Role.DEFINITIONS else frozenset(repeatable)
        # What a step has set is handed on to later steps, and wins over a setting that they repeat.
        settings = not changed & sets.get(cell.position, frozenset())
        own = definitions.get(cell.position, ())
        found[cell.position] = shared_cell(cell, own, names, settings=settings)
    return found


def _drafts(notebook: Notebook, parts: tuple[Section, ...], shared: Mapping[int, SharedCell]) -> tuple[Draft, ...]:
    tagged = any(cell.has(StepTag, NestedTag) for cell in notebook.cells)
    cells: dict[str, list[int]] = {}
    nested: dict[str, str] = {}
    generated: set[str] = set() if tagged else {MAIN}
    own = frozenset(section.step for section in parts if section.step is not None)
    setup: str | None = None if tagged else MAIN
    for section in parts:
        if section.role in {Role.STEP, Role.NESTED} and section.step is not None:
            cells.setdefault(section.step, []).append(section.cell)
            setup = None if tagged else MAIN
        elif section.cell in shared and shared[section.cell].runs_once:
            if setup is None:
                setup = _free_name(own | generated)
                generated.add(setup)
            cells.setdefault(setup, []).append(section.cell)
        if section.role is Role.NESTED and section.step is not None:
            nested[section.step] = _nested_path(notebook.cell(section.cell))
    drafts = [
        Draft(name=name, cells=tuple(sorted(found)), generated=name in generated, nested=nested.get(name))
        for name, found in cells.items()
    ]
    return tuple(sorted(drafts, key=lambda draft: draft.cells[0]))


def _free_name(taken: frozenset[str] | set[str]) -> str:
    name, number = SETUP, 1
    while name in taken:
        number += 1
        name = f"{SETUP}_{number}"
    return name


def _nested_path(cell: Cell) -> str:
    return next((tag.path or "" for tag in cell.tags_of(NestedTag)), "")
