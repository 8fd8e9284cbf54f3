"""Which names a function stores in `definitions`, and where, so that functions there read them as in the notebook."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.codegen.plan.flow import certain_after
from nb2pipe.codegen.plan.hoist import BUILTINS
from nb2pipe.codegen.plan.mentions import is_quiet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.codegen.plan.body import Body
    from nb2pipe.codegen.plan.hoist import Place
    from nb2pipe.codegen.plan.readers import Loose, Readers
    from nb2pipe.codegen.plan.source import Piece, StepSource


class StoresNeededError(Exception):
    """A name would have to be stored where no line of ours can stand."""

    def __init__(self, reason: str, piece: Piece) -> None:
        super().__init__(reason)
        self.reason = reason
        self.piece = piece


def stores_of(body: Body, readers: Readers, loose: Loose) -> tuple[tuple[str, ...], dict[Place, tuple[str, ...]]]:
    """The names to store as the function begins, and those to store after statements, by place.

    A name is stored right before the next statement that may run a function which reads it, so that it reads what the
    notebook's would.

    Args:
        body: What the step runs.
        readers: Who reads which name as a global.
        loose: What the steps above in namespace form left.

    Raises:
        StoresNeededError: There is no place for a line of ours.
    """
    pieces = body.pieces
    read = frozenset(name for name in body.local if readers.readers(name) or name in loose.reads)
    watched = read & body.flow.bound
    ends = certain_after([piece.node for piece in pieces], watched, body.given, body.step.book.own)
    walk = _Walk(readers=readers, step=body.step, bound=watched, loose=loose)
    for number, piece in enumerate(pieces):
        walk.take(piece, ends[number])
    shared = (name for name in sorted(body.given & read) if any(walk.reads(piece, name) for piece in pieces))
    return tuple(shared), {place: tuple(sorted(names)) for place, names in walk.stores.items()}


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Goes through the statements, with the names that are bound and not stored yet."""

    readers: Readers
    step: StepSource
    bound: frozenset[str]
    loose: Loose
    pending: dict[str, Piece] = field(default_factory=dict)
    lost: dict[str, Piece] = field(default_factory=dict)
    done: list[Piece] = field(default_factory=list)
    stores: dict[Place, set[str]] = field(default_factory=dict)

    def reads(self, piece: Piece, name: str) -> bool:
        """Whether a statement may run a function that reads a name as a global."""
        if name in self.loose.reads and not is_quiet(piece.node, self.readers.libraries):
            return True
        return self.readers.can_reach(piece, self.readers.readers(name), self.step)

    def take(self, piece: Piece, certain: frozenset[str]) -> None:
        for name in [name for name in self.lost if self.reads(piece, name)]:
            raise StoresNeededError(self._reason(name), self.lost[name])
        for name in [name for name in self.pending if self.reads(piece, name)]:
            self._store(name, piece)
        for name in sorted(piece.flow.bound & self.bound):
            self._bind(name, piece, name in certain)
        self.done.append(piece)

    def _store(self, name: str, piece: Piece) -> None:
        """Stores a name at the last end of a line between where it is bound and a statement."""
        for before in reversed(self.done):
            if before.cell != piece.cell or before.book is not piece.book or before.last < piece.first:
                del self.pending[name]
                self.stores.setdefault(before.place, set()).add(name)
                return
            if before is self.pending[name]:
                break
            piece = before
        raise StoresNeededError(self._reason(name), self.pending[name])

    def _bind(self, name: str, piece: Piece, certain: bool) -> None:  # noqa: FBT001  # said by the caller's name
        if not _binds_at_its_end(piece.node, name) and self.reads(piece, name):
            raise StoresNeededError(self._reason(name), piece)
        self.pending.pop(name, None)
        self.lost.pop(name, None)
        if certain and name not in BUILTINS:
            self.pending[name] = piece
        else:
            self.lost[name] = piece

    def _reason(self, name: str) -> str:
        by = sorted(self.readers.readers(name))
        if not by:
            return f"`{name}`, which this step binds, is read as a global by code that an earlier step left"
        candidate = self.readers.hoisted.pieces[by[0]]
        function = min(candidate.names, default="?")
        what = "class" if isinstance(candidate.piece.node, ast.ClassDef) else "function"
        return f"`{name}`, which this step binds, is read by the {what} `{function}` as a global"


def _binds_at_its_end(node: ast.stmt, name: str) -> bool:
    """Whether all that a statement does after it has bound a name is to bind others."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return _only_names(targets) and not _mentions_binding(value, name)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
            return _only_names([target]) and not _mentions_binding(value, name)
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return True
        case _:
            return False


def _only_names(targets: Iterable[ast.expr]) -> bool:
    allowed = (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.expr_context)
    return all(isinstance(part, allowed) for target in targets for part in ast.walk(target))


def _mentions_binding(value: ast.expr, name: str) -> bool:
    """Whether a value binds the name itself, by `:=`."""
    return any(isinstance(part, ast.NamedExpr) and part.target.id == name for part in ast.walk(value))
