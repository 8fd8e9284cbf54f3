"""Follows code over abstract objects: the state that this needs, and the doors to its parts.

Expressions, statements and calls live in modules of their own; the machine is given them as tables. Nothing of the
notebook is executed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from nb2pipe.analysis.heap import (
    ITEMS,
    NOTHING,
    Bound,
    Function,
    Library,
    Obj,
    Text,
    Thing,
    Value,
    elements,
    holders,
    reach,
)
from nb2pipe.analysis.names import block_of
from nb2pipe.analysis.paths import HOLE, normal
from nb2pipe.analysis.scopes import Journal, Scope, ScopeKind, Slot
from nb2pipe.analysis.trace import Doubt, Missing, Trace
from nb2pipe.runtime.patches import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.analysis.effects import Effects
    from nb2pipe.analysis.names import Block, Code

BUILTIN_NAMES = frozenset(dir(builtins)) | {"__name__", "__doc__", "__file__", "__builtins__"}
"""Names that are there without being bound."""

IPYTHON_NAMES = frozenset({"display", "get_ipython", "exit", "quit"})
"""Names that IPython binds, the same in every kernel."""

OUTPUT_NAMES = frozenset({"_", "__", "___", "In", "Out", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"})
"""Names that IPython binds anew with every cell."""

MAIN = "__main__"
"""The notebook as a module."""

MAXIMUM_STEPS = 10_000
"""Expressions of one cell that are followed before calls are taken from the text of the functions alone."""

CALL_STEPS = 10
"""What a call counts for, beside the expressions of its function."""

MAXIMUM_OBJECTS = 16
"""Objects that an expression may stand for before they are taken as one."""

MAXIMUM_DEPTH = 24
"""Calls within calls that are followed."""


MODULES = "modules"
"""Hidden state that all modules beside the notebook are together."""
ITSELF = "self"
"""Stands among the generators of an object that changes itself when it is used, as a `BatchNorm` does."""

GIVEN = "given"
"""Stands there for an object that changes what it is given, as a `ReLU(inplace=True)` does."""

_QUIET: Value = frozenset({Text(0, value="eval")})


class End(Enum):
    """How a block of statements ends."""

    NEXT = "next"
    LEFT = "left"
    RAISED = "raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of a call.

    Attributes:
        positional: By place.
        keywords: By name.
        extra: What `*` and `**` may hand over.
        literals: Keyword arguments, and places, that are literals.
    """

    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    extra: Value = NOTHING
    literals: dict[str | int, object] = field(default_factory=dict)

    @property
    def all(self) -> Value:
        """All objects that are handed over."""
        return frozenset().union(*self.positional, *self.keywords.values(), self.extra)

    def get(self, place: int | None, keyword: str | None) -> Value:
        """One argument; empty where it is not given."""
        if keyword is not None and keyword in self.keywords:
            return self.keywords[keyword]
        if place is not None and place < len(self.positional):
            return self.positional[place]
        return NOTHING


Evaluate = Callable[["Machine", Any, Scope], Value]
Execute = Callable[["Machine", Any, Scope], End]


@dataclass(eq=False, kw_only=True)
class Machine:
    """Follows code.

    Attributes:
        table: Effects of libraries.
        expressions: How each kind of expression is followed.
        statements: How each kind of statement is followed.
        caller: How a call is followed.
        iterate: What a loop over some objects hands over.
        module: The notebook's names.
        modes: The modules of networks that were put in evaluation mode.
        trace: What the cell does.
        unknown_stars: Star imports whose names are not known: definitions with their modules.
        doubtful: More than zero inside code that may not run.
        depth: The calls that are being followed.
        names: Stands for the dictionary of the notebook's names: to change it may bind any of them.
        wild: The last cell that may have bound any name.
        late: Names that such a cell may have bound, found when a later one reads them.
        folder: The working directory, from the one that the notebook starts in.
        logs: The files that messages are logged to.
        lazy_annotations: A `from __future__ import annotations` stands above.
        touched: What is changed in place, those objects too that the cell itself made; None where nobody asks.
        beside: The scopes of modules beside the notebook, by their names.
        owned: The objects that such modules hold, with the names of theirs that they are under.
        patched: Libraries that cells have set something in, and the places, with what was set there.
    """

    table: Effects
    expressions: dict[type[ast.expr], Evaluate]
    statements: dict[type[ast.stmt], Execute]
    caller: Callable[[Machine, Value, Arguments, ast.AST], Value]
    iterate: Callable[[Machine, Value, ast.AST], Value]
    modules: Callable[[Machine, str], Scope | None]
    module: Scope = field(default_factory=lambda: Scope(kind=ScopeKind.MODULE))
    modes: Scope = field(default_factory=lambda: Scope(kind=ScopeKind.MODULE))
    trace: Trace = field(default_factory=lambda: Trace(cell=0))
    journal: Journal = field(default_factory=Journal)
    doubtful: int = 0
    loops: int = 0
    no_graph: int = 0
    caught: int = 0
    depth: list[ast.AST] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    frames: dict[ast.AST, Scope] = field(default_factory=dict)
    steps: int = 0
    touched: set[Obj] | None = None
    merged_changes: dict[Thing, bool] = field(default_factory=dict)
    summarized: set[Function] = field(default_factory=set)
    definition: int | None = None
    names: Thing = field(default_factory=lambda: Thing(0, type="builtins.dict"))
    wild: int | None = None
    late: dict[str, int] = field(default_factory=dict)
    folder: str = ""
    logs: set[str] = field(default_factory=set)
    lazy_annotations: bool = False
    star_exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_stars: dict[int, str] = field(default_factory=dict)
    beside: dict[Scope, str] = field(default_factory=dict)
    owned: dict[Obj, str] = field(default_factory=dict)
    patched: dict[str, Value] = field(default_factory=dict)
    _libraries: dict[str, Library] = field(default_factory=dict)
    _blocks: dict[ast.AST, Block] = field(default_factory=dict)

    @property
    def cell(self) -> int:
        """The position of the cell that is followed."""
        return self.trace.cell

    @property
    def place(self) -> int:
        """The position of the cell whose text is followed: that of a function, while it is called."""
        return self.places[-1] if self.places else self.cell

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression may stand for, and its effects."""
        found = self.expressions[type(node)](self, node, scope)
        self.steps += 1 + len(found)
        return found if len(found) <= MAXIMUM_OBJECTS else self._merged(found)

    def _merged(self, value: Value) -> Value:
        """Many objects as one that stands for all of them."""
        things = frozenset(thing for thing in value if isinstance(thing, Thing))
        inner = frozenset().union(things, *(thing.merged for thing in things))
        return (value - things) | {self.thing(holds=things, merged=inner)}

    def execute(self, statements: list[ast.stmt], scope: Scope) -> End:
        """Follows statements until one leaves the block."""
        for statement in statements:
            end = self.statements[type(statement)](self, statement, scope)
            if end is not End.NEXT:
                return end
        return End.NEXT

    def call(self, callee: Value, arguments: Arguments, node: ast.AST) -> Value:
        """What a call may return, and its effects."""
        return self.caller(self, callee, arguments, node)

    def block(self, code: Code) -> Block:
        """The names of a function's text."""
        if code not in self._blocks:
            self._blocks[code] = block_of(code)
        return self._blocks[code]

    # ---------------------------------------------------------------------------------------------- objects

    def thing(self, kind: str = "", holds: Value = NOTHING, **more: Any) -> Thing:
        """A new object."""
        made = Thing(self.cell, type=kind, **more)
        self.link(made, ITEMS, holds)
        return made

    def text(self, *values: str) -> Value:
        """A known text, or one of several."""
        return frozenset(Text(self.cell, value=value) for value in dict.fromkeys(values))

    def library(self, path: str) -> Value:
        """A module, function or class of a library."""
        if path not in self._libraries:
            self._libraries[path] = Library(0, path=path)
        return frozenset({self._libraries[path]})

    def link(self, holder: Obj, key: str, value: Value) -> None:
        """Makes an object hold others from here on."""
        place = holder.fields.setdefault(key, set())
        fresh = value - place
        place |= fresh
        for thing in fresh:
            if not isinstance(thing, (Library, Text)) and thing is not holder:
                thing.holders.add(holder)
        if fresh and holder.born != self.cell:
            self.trace.linked.setdefault(holder, set()).update(fresh)

    def child(self, holder: Obj, key: str, kind: str = "") -> Value:
        """What an object holds in a field; made if nothing is known of it."""
        if key not in holder.fields:
            made = Thing(holder.born, type=kind)
            self.link(holder, key, frozenset({made}))
        return frozenset(holder.fields[key])

    def close(self, value: Value) -> None:
        """Notes that files were closed, where they surely were."""
        for thing in value if not self.doubtful else ():
            if isinstance(thing, Thing) and thing.type == "builtins.file" and not thing.closed:
                thing.closed = self.cell

    def change(self, value: Value, *, certain: bool = True) -> None:
        """Notes that objects are changed in place."""
        if self.touched is not None:
            self.touched |= value
        if self.owned:
            self.set_beside({self.owned[one] for thing in value for one in holders(thing) if one in self.owned})
        if self.names in value:
            self.bind_all()
        for thing in value:
            if isinstance(thing, Thing) and thing.merged and not self.merged_changes.get(thing, False):
                self.merged_changes[thing] = certain or thing in self.merged_changes
                self.change(thing.merged, certain=certain)
            if thing.mutable and thing.born != self.cell:
                self.trace.changes[thing] = certain or self.trace.changes.get(thing, False)

    def set_beside(self, names: set[str]) -> None:
        """Notes that names of modules, not of the notebook, are bound, or that what they hold is changed."""
        self.trace.sets |= names
        if any(not name.startswith(PREFIX) for name in names):
            self.trace.sets.add(MODULES)  # modules are handed on together, so who sets any of them is in order

    def own(self, name: str, value: Value) -> None:
        """Notes what a name of a module, not of the notebook, holds."""
        for thing in reach(value):
            if thing.mutable or isinstance(thing, Function):
                self.owned.setdefault(thing, name)

    def use(self, thing: Thing) -> None:
        """Notes that an object is used that draws then, or that keeps statistics of what it is given."""
        if not thing.draws or self.is_quiet(thing):
            return
        self.trace.draws |= thing.draws - {ITSELF, GIVEN}
        if ITSELF in thing.draws:
            self.change(frozenset({thing}))

    def set_mode(self, modules: Iterable[Obj], *, quiet: bool) -> None:
        """Notes that modules are in evaluation mode from here on, or no more."""
        for module in modules:
            self.journal.put(self.modes, str(id(module)), Slot(_QUIET if quiet else NOTHING, self.cell))

    def is_quiet(self, module: Obj) -> bool:
        """Whether a module is surely in evaluation mode."""
        slot = self.modes.slots.get(str(id(module)))
        return slot is not None and slot.value == _QUIET and not slot.partial

    def bound(self, receiver: Obj, *, function: Function | None = None, method: str = "") -> Value:
        """A method with its receiver."""
        made = Bound(self.cell, receiver=receiver, function=function, method=method)
        self.link(made, "self", frozenset({receiver}))
        return frozenset({made})

    # ---------------------------------------------------------------------------------------------- files

    def note_paths(self, kept: set[str], paths: Iterable[str]) -> None:
        """Notes files that the cell reads, writes or makes, in the set of its trace that is for that."""
        self.trace.state.add("cwd")
        kept.update(normal(path, self.folder) for path in paths if "://" not in path)

    def enter(self, folders: Iterable[str]) -> None:
        """Changes the working directory."""
        found = [normal(folder, self.folder) for folder in folders]
        self.folder = found[0] if len(found) == 1 and not self.doubtful else HOLE

    # ---------------------------------------------------------------------------------------------- names

    def bind(self, name: str, value: Value, scope: Scope) -> None:
        """Binds a name where the scope says it lives."""
        block = scope.block
        if block is not None and name in block.global_names:
            scope = root_of(scope)
        elif block is not None and name in block.nonlocal_names:
            scope = self._outer(name, scope)
        self.bind_in(scope, name, value)

    def bind_in(self, scope: Scope, name: str, value: Value) -> None:
        """Binds a name in just this scope."""
        if scope is self.module:
            self.trace.bound.add(name)
            self.trace.deleted.discard(name)
        elif scope in self.beside:
            self.set_beside({f"{self.beside[scope]}.{name}"})
            self.own(f"{self.beside[scope]}.{name}", value)
        scope.nones.discard(name)
        if scope.closure is not None:
            self.link(scope.closure, name, value)
        definitions = frozenset() if self.definition is None else frozenset({self.definition})
        slot = Slot(value, self.cell, definitions=definitions, code=self.definition is None)
        self.journal.put(scope, name, slot)

    def _outer(self, name: str, scope: Scope) -> Scope:
        outer = scope.parent
        while outer is not None and outer.kind is not ScopeKind.MODULE:
            if outer.kind is ScopeKind.FUNCTION and outer.block is not None and name in outer.block.bound:
                if outer.closure is not None:
                    self.change(frozenset({outer.closure}))
                return outer
            outer = outer.parent
        return scope

    def is_none(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression is None, or a name that holds it."""
        if not isinstance(node, ast.Name):
            return isinstance(node, ast.Constant) and node.value is None
        found: Scope | None = scope
        while found is not None and node.id not in found.slots:
            found = found.parent
        return found is not None and node.id in found.nones

    def unbind(self, name: str, scope: Scope) -> None:
        """Deletes a name."""
        if scope.block is not None and name in scope.block.global_names:
            scope = root_of(scope)
        if scope is self.module:
            self.trace.deleted.add(name)
            self.trace.bound.discard(name)
        self.journal.put(scope, name, None)

    def read(self, node: ast.Name, scope: Scope) -> Value:
        """What a name holds, and notes that it is read."""
        name = node.id
        found: Scope | None = scope
        if scope.block is not None and name in scope.block.global_names:
            found = root_of(scope)
        while found is not None and found.kind is not ScopeKind.MODULE:
            if name in found.slots and (found is scope or found.kind is ScopeKind.FUNCTION):
                return found.slots[name].value
            if found.kind is ScopeKind.FUNCTION and found.block is not None and name in _own(found.block):
                return NOTHING
            found = found.parent
        if found is not None and found is not self.module:
            return self._read_foreign(found, name)
        return self.read_global(name, node)

    def _read_foreign(self, scope: Scope, name: str) -> Value:
        """What a name of a module beside the notebook holds."""
        if name in scope.slots:
            self.trace.state.add(f"{self.beside.get(scope, '')}.{name}")
            return scope.slots[name].value
        return self.library(f"builtins.{name}") if name in BUILTIN_NAMES else NOTHING

    def read_global(self, name: str, node: ast.AST) -> Value:
        """What a name of the notebook holds, and notes that it is read."""
        slot = self.module.slots.get(name)
        if slot is None:
            return self._read_unbound(name, node)
        self.trace.names.add(name)
        self.trace.needs |= slot.definitions
        if slot.definitions:
            self.trace.defined.add(name)
        if slot.code and (slot.cell != self.cell or slot.partial):
            self.trace.uses.add(name)
        if self.owned:
            self.trace.state |= {self.owned[thing] for thing in slot.value if thing in self.owned}
        return slot.value

    def _read_unbound(self, name: str, node: ast.AST) -> Value:
        self.trace.needs |= self.unknown_stars.keys()
        if f"builtins.{name}" in self.patched:
            self.trace.state.add("builtins")
            return self.library(f"builtins.{name}")
        if name in BUILTIN_NAMES or name in IPYTHON_NAMES:
            return self.library(f"builtins.{name}")
        if name in OUTPUT_NAMES:
            if isinstance(node, ast.Name):
                self.trace.outputs.append(node)
            return NOTHING
        if self.unknown_stars:
            return self._starred(name)
        if self.wild is not None:
            return self._bound_by_text(name)
        if not self.caught:
            surely = not self.doubtful and not self.depth
            self.trace.missing.append(Missing(name, node, surely, self.place))
        return frozenset({self.thing()})

    def _bound_by_text(self, name: str) -> Value:
        """A name that code may have bound whose effect cannot be told."""
        assert self.wild is not None
        value = frozenset({Thing(self.wild)}) | elements(frozenset({self.names}))
        self.module.slots[name] = Slot(value, self.wild)
        self.late[name] = self.wild
        self.trace.names.add(name)
        if self.wild != self.cell:
            self.trace.uses.add(name)
        return value

    def all_names(self, node: ast.AST) -> Value:
        """The dictionary of names: whoever holds it may read all of them, and change what they hold."""
        self.doubt("all names at once, by `globals()`", node)
        self.read_all(node)
        return frozenset({self.names})

    def read_all(self, node: ast.AST) -> None:
        """Reads every name and may change all that they hold: the safe side."""
        self.trace.everything = True
        for name, slot in tuple(self.module.slots.items()):
            if slot.code:
                self.change(self.read_global(name, node) - {self.names}, certain=False)

    def bind_all(self) -> None:
        """Any name may be bound anew from here on."""
        put = elements(frozenset({self.names}))
        for name, slot in tuple(self.module.slots.items()):
            if slot.code:
                partial = slot.partial or slot.cell != self.cell
                certain = slot.cell == self.cell and slot.certain
                value = slot.value | {self.thing()} | put
                self.trace.bound.add(name)
                fresh = slot._replace(value=value, cell=self.cell, partial=partial, certain=certain)
                self.journal.put(self.module, name, fresh)
        self.wild = self.cell

    def annotate(self, node: ast.expr, scope: Scope) -> None:
        """An annotation; where none is evaluated, its names need not be there."""
        self.caught += self.lazy_annotations
        self.evaluate(node, scope)
        self.caught -= self.lazy_annotations

    def _starred(self, name: str) -> Value:
        """A name that a star import may have bound: by the module whose effects are known, else the last."""
        modules = [module for module in self.unknown_stars.values() if self.table.knows_module(module)]
        return self.library(f"{(modules or list(self.unknown_stars.values()))[-1]}.{name}")

    def doubt(self, what: str, node: ast.AST) -> None:
        """Notes code whose effect cannot be told."""
        self.trace.doubts.append(Doubt(what, node, self.place))


def root_of(scope: Scope) -> Scope:
    """The module that a scope is in."""
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _own(block: Block) -> set[str]:
    return block.bound - block.global_names - block.nonlocal_names
