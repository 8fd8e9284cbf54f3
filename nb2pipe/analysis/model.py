"""What analysis finds: facts of each cell, and what flows between cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.digest import Digest
    from nb2pipe.notebook.model import Notebook


OUTSIDE = frozenset({"clock", "entropy"})
"""What is another each time, and nobody sets."""


class FlowKind(StrEnum):
    """Why one cell needs another: the kinds of an edge in `graph --format json`."""

    VALUE = "value"
    CHANGE = "change"
    FILE = "file"
    RANDOM = "random"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Something that an earlier cell leaves and a later one takes.

    Attributes:
        name: The variable or function (`value`, `change`), the path as written (`file`), the generator (`random`:
            `random`, `numpy`, `torch`), or the hidden state (`order`: `cwd`, `environ`, `sys.path`, ...).
        source: The position of the cell that leaves it; the latest version before `target` comes from there.
        target: The position of the cell that takes it.
        certain: False where it stands for an unknown call that may have changed it.
        function: The name is a function or class of the notebook rather than a variable.
    """

    name: str
    source: int
    target: int
    kind: FlowKind
    certain: bool = True
    function: bool = False


class DefinitionKind(StrEnum):
    """The statements that are repeated in every step that needs them."""

    IMPORT = "import"
    FUNCTION = "function"
    CLASS = "class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A statement that steps repeat: any top-level import, and the functions and classes of definition cells.

    A definition cell is one tagged `imports` or `functions`, or one before the first tag.

    Attributes:
        names: What it binds; empty for a star import whose names are not known.
        cell: Position of its cell.
        first_line: From 1 within the cell, decorators counted.
        last_line: The last line of the statement.
        reads: The global names that it, or its body when called, reads.
        module: The dotted module, for an import.
    """

    names: tuple[str, ...]
    kind: DefinitionKind
    cell: int
    first_line: int
    last_line: int
    reads: frozenset[str] = frozenset()
    module: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """What a cell does, as far as its text tells.

    A definition cell's facts are those of its remaining statements, which run once; what it defines stands in
    `Dataflow.definitions`.

    Attributes:
        cell: Its position.
        definitions: Names that it binds at top level (imports and the definitions of definition cells excluded).
        functions: Those of `definitions` that are functions or classes of the notebook.
        uses: Global names that it reads before binding them itself, through the functions that it calls too.
        mutations: Names whose objects it changes in place, or leaves a new reference to.
        deletions: Names that it deletes.
        needs: Indices into `Dataflow.definitions`: what has to be repeated before it, transitively.
        draws: Random generators that it draws from or seeds: `random`, `numpy`, `torch`.
        sets: Hidden state that it sets: `cwd`, `environ`, `sys.path`, `warnings`, `rcParams`, ...
        files_read: Literal paths that it reads.
        files_written: Paths that it writes or makes, with `*` where a part is not known.
        outside: What no digest tells it depends on: `clock`, `entropy`.
        code_lines: Lines (from 1) of the statements that run once; None for the whole cell. In a definition cell the
            definitions are not among them.
    """

    cell: int
    definitions: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    mutations: frozenset[str] = frozenset()
    deletions: frozenset[str] = frozenset()
    needs: tuple[int, ...] = ()
    draws: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    files_read: frozenset[str] = frozenset()
    files_written: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    code_lines: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFact:
    """A parameter of the pipeline, as a parameters cell assigns it.

    Attributes:
        name: The name.
        cell: Position of the parameters cell.
        line: The line of the assignment that counts, the last one of the cell.
        source: The default's text.
        is_literal: Whether the default is a literal, whose value then is `value`.
        value: The default's value; None where it is no literal.
        annotation: The type as annotated, if any.
        repeatable: Whether every step may evaluate the default anew: a literal, or an expression of literals, earlier
            parameters and calls without effects. Otherwise it is evaluated once, in the step `setup`.
        reads: The names that the default reads.
    """

    name: str
    cell: int
    line: int
    source: str
    is_literal: bool
    value: object = None
    annotation: str | None = None
    repeatable: bool = True
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataflow:
    """A notebook with what flows between its cells.

    Attributes:
        notebook: The notebook.
        facts: One of each code cell that is part of the pipeline, in notebook order.
        definitions: In notebook order.
        parameters: In notebook order.
        flows: Sorted by target, source, kind, name. Flows out of parameters cells are not among them: a parameter that
            no cell bound again is given to the steps that use it.
        parameter_uses: For each parameter, the cells that read its given value (nobody bound or changed it before).
    """

    notebook: Notebook
    facts: tuple[CellFacts, ...]
    definitions: tuple[Definition, ...] = ()
    parameters: tuple[ParameterFact, ...] = ()
    flows: tuple[Flow, ...] = ()
    parameter_uses: Mapping[str, frozenset[int]] = field(default_factory=dict)
    digest: Digest | None = None

    def facts_of(self, position: int) -> CellFacts | None:
        """The facts of the cell at a position, or None where it is not part of the pipeline."""
        return self._by_cell().get(position)

    def _by_cell(self) -> dict[int, CellFacts]:
        return {fact.cell: fact for fact in self.facts}
