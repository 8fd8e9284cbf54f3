"""Follows a notebook cell by cell, in its order, and keeps what each was seen to do."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nb2pipe.analysis.calls import call
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.analysis.commands import note_magics
from nb2pipe.analysis.definitions import Defined, definition, definition_kind, is_future
from nb2pipe.analysis.effects import effects
from nb2pipe.analysis.expressions import EXPRESSIONS
from nb2pipe.analysis.heap import NOTHING, Library, reach
from nb2pipe.analysis.history import History
from nb2pipe.analysis.library import WARNINGS
from nb2pipe.analysis.local import LocalModules
from nb2pipe.analysis.machine import Machine
from nb2pipe.analysis.names import all_bound, read_when_made
from nb2pipe.analysis.objects import iterate
from nb2pipe.analysis.parameters import assigned, overridden, parameter
from nb2pipe.analysis.statements import STATEMENTS
from nb2pipe.analysis.trace import Trace
from nb2pipe.notebook.model import RaisesExceptionTag
from nb2pipe.notebook.sections import Role, sections

if TYPE_CHECKING:
    from nb2pipe.analysis.heap import Obj
    from nb2pipe.analysis.model import ParameterFact
    from nb2pipe.analysis.scopes import Scope
    from nb2pipe.notebook.environment import Environment
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.notebook.sections import Section

_PARAMETER_ROLES = frozenset({Role.PARAMETERS, Role.INJECTED})
_CODE_ROLES = frozenset({Role.STEP, Role.DEFINITIONS}) | _PARAMETER_ROLES


@dataclass(kw_only=True)
class Seen:
    """What a notebook was seen to do.

    Attributes:
        traces: One of each cell of the pipeline.
        changed: The names that each cell changes without binding them.
        roles: The part of each of these cells.
        code_lines: The lines that run once, for cells that hold more than code.
        functions: The functions and classes that each cell binds as values.
        parameters: In notebook order.
        twice: Parameters that an earlier parameters cell assigns too.
        too_deep: Cells whose code is nested too deeply to be followed.
    """

    notebook: Notebook
    history: History = field(default_factory=History)
    traces: list[Trace] = field(default_factory=list)
    changed: dict[int, dict[str, bool]] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    sections: dict[int, Section] = field(default_factory=dict)
    code_lines: dict[int, set[int]] = field(default_factory=dict)
    bound: dict[int, frozenset[str]] = field(default_factory=dict)
    functions: dict[int, frozenset[str]] = field(default_factory=dict)
    definitions: list[Defined] = field(default_factory=list)
    parameters: dict[str, ParameterFact] = field(default_factory=dict)
    twice: list[tuple[ParameterFact, ParameterFact]] = field(default_factory=list)
    too_deep: list[int] = field(default_factory=list)
    skipped: list[Cell] = field(default_factory=list)
    may_raise: set[int] = field(default_factory=set)

    @cached_property
    def bound_last(self) -> dict[str, int]:
        """The last cell that binds each name, by its text."""
        found: dict[str, int] = {}
        for section in sections(self.notebook):
            tree = parsed(self.notebook.cell(section.cell).python) if section.role in _CODE_ROLES else None
            if tree is not None:
                found |= dict.fromkeys(all_bound(tree.body), section.cell)
        return found


def walk(notebook: Notebook, environment: Environment) -> Seen:
    """Follows all cells of the pipeline."""
    local = LocalModules(environment.local_sources)
    machine = Machine(
        table=effects(),
        expressions=EXPRESSIONS,
        statements=STATEMENTS,
        caller=call,
        iterate=iterate,
        modules=local.scope,
        star_exports=environment.star_exports,
    )
    seen = Seen(notebook=notebook)
    for section in sections(notebook):
        cell = notebook.cell(section.cell)
        seen.sections[section.cell] = section
        if section.role in _CODE_ROLES:
            _Cell(machine, seen, cell, section.role).follow()
        elif section.role is Role.SKIPPED:
            seen.skipped.append(cell)
    return seen


def _is_own(decorator: ast.expr, machine: Machine) -> bool:
    """Whether a decorator is the notebook's, or an object that the notebook made."""
    root = _root(decorator)
    slot = machine.module.slots.get(root.id) if isinstance(root, ast.Name) else None
    return slot is not None and any(not isinstance(thing, Library) for thing in slot.value)


def _root(expression: ast.expr) -> ast.expr:
    """What an expression begins with: `f` of `f.register(int)`."""
    while isinstance(expression, (ast.Call, ast.Attribute, ast.Subscript)):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression


class _Cell:
    """Follows one cell."""

    def __init__(self, machine: Machine, seen: Seen, cell: Cell, role: Role) -> None:
        self.machine = machine
        self.seen = seen
        self.cell = cell
        self.role = role
        self.trace = Trace(cell=cell.position)
        self.lines: set[int] = set()
        self.touched: set[Obj] = set()

    def follow(self) -> None:
        """Follows its statements, and takes what they did into the history."""
        machine = self.machine
        machine.trace, machine.steps, machine.doubtful = self.trace, 0, 0
        note_magics(machine, self.cell.magics)
        machine.places.clear()
        machine.summarized.clear()
        machine.merged_changes.clear()
        may_raise = self.cell.has(RaisesExceptionTag)
        if may_raise:
            self.seen.may_raise.add(self.cell.position)
            machine.journal.fork()
            machine.doubtful += 1
            machine.caught += 1
        self._statements()
        if may_raise:
            machine.caught -= 1
            machine.journal.join([machine.journal.leave(), {}], self.cell.position)
        self._finish()

    def _statements(self) -> None:
        try:
            tree = parsed(self.cell.python)
            for statement in tree.body if tree is not None else ():
                self._statement(statement)
        except RecursionError:
            self.seen.too_deep.append(self.cell.position)

    def _statement(self, statement: ast.stmt) -> None:
        kind = definition_kind(statement, self.role)
        if kind is not None and not self._has_effects(statement) and not self._is_of_its_time(statement):
            self._define(statement)
        elif self.role in _PARAMETER_ROLES and assigned(statement):
            self._parameters(statement)
        else:
            self.lines |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
            self.machine.touched = self.touched if self.role is Role.DEFINITIONS else None
            self.machine.execute([statement], self.machine.module)
            self.machine.touched = None

    def _has_effects(self, statement: ast.stmt) -> bool:
        """Whether a definition's own decorators do more than make it, as one that registers it: it runs once then."""
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        machine = self.machine
        if self.role is Role.STEP or not any(_is_own(decorator, machine) for decorator in decorators):
            return False
        known = reach(thing for slot in machine.module.slots.values() for thing in slot.value)
        machine.touched = set()
        trace = self._apart(statement, None)
        touched, machine.touched = machine.touched, None
        bound_more = trace.bound - {getattr(statement, "name", "")}
        return bool(touched & known or trace.sets or trace.draws or trace.writes or trace.makes or bound_more)

    def _is_of_its_time(self, statement: ast.stmt) -> bool:
        """Whether making a function or class reads variables that would be others later: it runs once then."""
        if self.role is Role.STEP or not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False
        slots, seen = self.machine.module.slots, self.seen
        variables = [name for name in read_when_made(statement) if name in slots and slots[name].code]
        return any(
            seen.roles.get(slots[name].cell) is Role.STEP or seen.bound_last.get(name, 0) > self.cell.position
            for name in variables
        )

    def _define(self, statement: ast.stmt) -> None:
        kind = definition_kind(statement, self.role)
        assert kind is not None
        found = definition(statement, kind, self.cell.position, self.machine.star_exports)
        trace = self._apart(statement, len(self.seen.definitions))
        self.seen.definitions.append(
            Defined(found, frozenset(trace.names), frozenset(trace.imports), future=is_future(statement))
        )
        self.trace.missing += trace.missing
        self.trace.doubts += trace.doubts
        if self.role is Role.STEP:
            self.trace.uses |= trace.uses
            self.trace.needs |= trace.needs
            self.trace.state |= trace.state
            self.trace.imports |= trace.imports
        self._merge(trace)
        self._register(statement, len(self.seen.definitions) - 1)

    def _register(self, statement: ast.stmt, index: int) -> None:
        """What takes a definition by a decorator of its own, as `@f.register`, is needed with it from then on."""
        slots = self.machine.module.slots
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        for decorator in (each for each in decorators if _is_own(each, self.machine)):
            root = _root(decorator)
            slot = slots.get(root.id) if isinstance(root, ast.Name) and root is not decorator else None
            if isinstance(root, ast.Name) and slot is not None and slot.definitions:
                slots[root.id] = slot._replace(definitions=slot.definitions | {index})

    def _apart(self, statement: ast.stmt, index: int | None) -> Trace:
        """Follows a statement with a trace of its own."""
        machine = self.machine
        trace = Trace(cell=self.cell.position)
        machine.trace, machine.definition = trace, index
        try:
            machine.execute([statement], machine.module)
        finally:
            machine.trace, machine.definition = self.trace, None
        return trace

    def _merge(self, trace: Trace) -> None:
        self.trace.bound |= trace.bound
        self.trace.draws |= trace.draws
        self.trace.sets |= trace.sets
        self.trace.reads |= trace.reads
        self.trace.writes |= trace.writes
        self.trace.makes |= trace.makes
        for holder, fresh in trace.linked.items():
            self.trace.linked.setdefault(holder, set()).update(fresh)
        for thing, certain in trace.changes.items():
            self.trace.changes[thing] = certain or self.trace.changes.get(thing, False)

    def _parameters(self, statement: ast.stmt) -> None:
        trace = self._apart(statement, None)
        self._merge(trace)
        self.trace.missing += trace.missing
        for name, default, annotation in assigned(statement):
            fact = parameter(name, default, annotation, trace, self.cell.python)
            old = self.seen.parameters.pop(name, None)
            if self.role is Role.INJECTED:
                fact = overridden(old, fact)
            elif old is not None and old.cell != fact.cell:
                self.seen.twice.append((old, fact))
            self.seen.parameters[name] = fact

    def _keep_changed(self, module: Scope) -> None:
        """What a cell defines, and its own code then changes (`f.calls = 0`), flows as a value too."""
        for name, slot in tuple(module.slots.items()) if self.touched else ():
            if slot.cell == self.cell.position and not slot.code and reach(slot.value) & self.touched:
                module.slots[name] = slot._replace(code=True)

    def _late(self) -> None:
        """Takes in the names that an earlier cell may have bound, whose effect cannot be told."""
        seen, late = self.seen, self.machine.late
        for name, cell in late.items():
            if cell != self.cell.position:
                seen.history.bind_late(name, cell, self.machine.module.slots[name].value)
                seen.bound[cell] |= {name}
            else:
                self.trace.bound.add(name)
        late.clear()

    def _finish(self) -> None:
        seen, trace, position = self.seen, self.trace, self.cell.position
        module = self.machine.module
        trace.needs |= {number for number, one in enumerate(seen.definitions) if one.future}
        if self.role is Role.STEP and WARNINGS in trace.sets:
            self.machine.patched.setdefault(WARNINGS, NOTHING)  # a setting of a shared cell is repeated in each step
        if self.role is Role.STEP:
            own = {number for number, one in enumerate(seen.definitions) if one.definition.cell == position}
            trace.needs -= own
        else:
            seen.code_lines[position] = self.lines
        self._keep_changed(module)
        self._late()
        seen.changed[position] = seen.history.commit(trace, module)
        names = {name for name in trace.bound if name in module.slots and module.slots[name].code}
        seen.bound[position] = frozenset(names)
        versions = {name: seen.history.at(name, position) for name in names}
        seen.functions[position] = frozenset(name for name, version in versions.items() if version and version.function)
        seen.roles[position] = self.role
        seen.traces.append(trace)
