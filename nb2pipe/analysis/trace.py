"""What one cell was seen to do, collected while its code is followed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from nb2pipe.analysis.heap import Obj


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that is read and that nothing has bound.

    Attributes:
        surely: The read is at top level, and surely happens.
        cell: The cell whose text it stands in: the function's, where it is a function that reads it.
    """

    name: str
    node: ast.AST
    surely: bool
    cell: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Code whose effect cannot be told from the text."""

    what: str
    node: ast.AST
    cell: int


@dataclass(slots=True, kw_only=True)
class Trace:
    """What a cell, or one definition, was seen to do.

    Attributes:
        cell: The cell's position.
        uses: The notebook's variables that it reads in the version it is given.
        names: All names of the notebook that it reads, its own too.
        imports: Modules that it imports.
        needs: Indices of the definitions that it reads.
        defined: The notebook's names that it reads and that definitions bound.
        bound: The notebook's names that it binds.
        deleted: The notebook's names that it deletes.
        changes: Objects made by earlier cells that it changes, and whether it surely does.
        linked: Objects made by earlier cells, with what they hold from here on.
        draws: Random generators.
        sets: Hidden state that it sets.
        state: Hidden state that it depends on.
        reads: Paths that it reads; here and below with holes where a part is not known.
        writes: Paths that it writes.
        makes: Folders that it makes, if they are not there.
        missing: Names that nothing binds.
        doubts: Code whose effect cannot be told.
        everything: It may read and change every name.
        outputs: Places where it reads IPython's `_`, `In` or `Out`.
    """

    cell: int
    uses: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    needs: set[int] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    changes: dict[Obj, bool] = field(default_factory=dict)
    linked: dict[Obj, set[Obj]] = field(default_factory=dict)
    draws: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    state: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    makes: set[str] = field(default_factory=set)
    missing: list[Missing] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    everything: bool = False
    outputs: list[ast.Name] = field(default_factory=list)
