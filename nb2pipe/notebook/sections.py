"""Sections: which step each code cell belongs to, by the tags alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import (
    CellKind,
    FunctionsTag,
    ImportsTag,
    InjectedParametersTag,
    MetricsTag,
    NestedTag,
    ParametersTag,
    SkipTag,
    StepTag,
)

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Cell, Notebook

MAIN = "main"
"""The step that a notebook without steps is."""


class Role(StrEnum):
    """What a code cell is in the pipeline."""

    STEP = "step"
    DEFINITIONS = "definitions"
    PARAMETERS = "parameters"
    INJECTED = "injected"
    SKIPPED = "skipped"
    NESTED = "nested"


@dataclass(frozen=True, slots=True)
class Section:
    """The part that a code cell has.

    Attributes:
        cell: Its position.
        role: What it is.
        step: The step that it belongs to; for a nested notebook, the step that it is; None for all else.
    """

    cell: int
    role: Role
    step: str | None = None


def sections(notebook: Notebook) -> tuple[Section, ...]:
    """The part of each code cell, in notebook order.

    An untagged cell continues the section before it; cells that are skipped, of parameters or of metrics end no
    section. Before the first section, cells hold definitions. After a nested notebook, untagged cells belong to the
    next step, as in Kale, or hold definitions where none follows. In a notebook without a step, all cells are `main`.
    """
    cells = [cell for cell in notebook.cells if cell.kind is CellKind.CODE]
    if not any(own_role(cell) in {Role.STEP, Role.NESTED} for cell in cells):
        return tuple(_only_main(cell) for cell in cells)
    walk = _Walk()
    for cell in cells:
        walk.add(cell)
    return tuple(walk.found)


def own_role(cell: Cell) -> Role | None:
    """What a cell's own tags make it; None where it continues what stands before it, as a cell of metrics does."""
    for role, kinds in _ROLES:
        if cell.has(*kinds):
            return role
    return None


_ROLES = (
    (Role.SKIPPED, (SkipTag,)),
    (Role.PARAMETERS, (ParametersTag,)),
    (Role.INJECTED, (InjectedParametersTag,)),
    (Role.NESTED, (NestedTag,)),
    (Role.STEP, (StepTag,)),
    (Role.DEFINITIONS, (ImportsTag, FunctionsTag)),
)


_PASSED_OVER = frozenset({Role.SKIPPED, Role.PARAMETERS, Role.INJECTED})


def _only_main(cell: Cell) -> Section:
    role = own_role(cell)
    if role in _PASSED_OVER:
        return Section(cell.position, role)
    return Section(cell.position, Role.STEP, MAIN)


@dataclass(slots=True)
class _Walk:
    """Goes down a notebook: the section that is open, the last step, and the cells that wait for the next section."""

    found: list[Section] = field(default_factory=list)
    role: Role = Role.DEFINITIONS
    step: str | None = None
    last_step: str | None = None
    waiting: list[int] = field(default_factory=list)

    def add(self, cell: Cell) -> None:
        role = own_role(cell)
        if role in _PASSED_OVER:
            self.found.append(Section(cell.position, role))
        elif role is not None:
            self._open(role, cell)
            self.found.append(Section(cell.position, role, self.step))
        elif cell.has(MetricsTag):
            self.found.append(_metrics(cell, self.last_step))
        else:
            self._continue(cell)

    def _open(self, role: Role, cell: Cell) -> None:
        self.role, self.step = role, _name(cell, role)
        if role is not Role.DEFINITIONS:
            self.last_step = self.step if role is Role.STEP else None
        if role is Role.STEP:
            for number in self.waiting:
                self.found[number] = Section(self.found[number].cell, Role.STEP, self.step)
        self.waiting.clear()

    def _continue(self, cell: Cell) -> None:
        if self.role is Role.NESTED:
            self.waiting.append(len(self.found))
            self.found.append(Section(cell.position, Role.DEFINITIONS))
        else:
            self.found.append(Section(cell.position, self.role, self.step))


def _name(cell: Cell, role: Role) -> str | None:
    match role:
        case Role.STEP:
            return cell.tags_of(StepTag)[0].name
        case Role.NESTED:
            return cell.tags_of(NestedTag)[0].name
        case _:
            return None


def _metrics(cell: Cell, step: str | None) -> Section:
    """A cell of metrics belongs to the step before it; without one it is an error, and runs as other code would."""
    return Section(cell.position, Role.STEP if step else Role.DEFINITIONS, step)
