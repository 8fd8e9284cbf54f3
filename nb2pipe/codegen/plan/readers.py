"""Which names functions and classes of `definitions` read or bind as globals, and what a statement may make them do."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nb2pipe.codegen.plan.hoist import BUILTINS, Kind
from nb2pipe.codegen.plan.mentions import is_quiet, mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nb2pipe.codegen.plan.flow import NameFlow
    from nb2pipe.codegen.plan.hoist import Candidate, Hoisted, Place
    from nb2pipe.codegen.plan.source import Piece, StepSource

_TRANSPARENT = frozenset({"no_grad", "inference_mode", "enable_grad", "njit", "jit", "wraps"})
"""Decorators that leave a function what is called by its name alone."""

_DYNAMIC = frozenset({"globals", "exec", "eval"})


@dataclass(eq=False)
class Readers:
    """Who reads which name as a global.

    Attributes:
        hoisted: What can be made before any step runs.
        by_name: For each name that is none of those, the places of the functions and classes that read it.
        binds: For each name that functions bind by `global`, one that does.
        dynamic: Functions that read names by their text.
        escaping: Functions and classes that objects may carry anywhere, with what they reach.
    """

    hoisted: Hoisted
    by_name: Mapping[str, frozenset[Place]]
    binds: Mapping[str, Candidate]
    dynamic: frozenset[Place]
    escaping: frozenset[Place]
    _reached: dict[Place, frozenset[Place]] = field(default_factory=dict)

    @cached_property
    def libraries(self) -> frozenset[str]:
        """Names of imports, and of builtins that no notebook binds."""
        imports = {name for name, each in self.hoisted.by_name.items() if each.kind is Kind.IMPORT}
        return frozenset(imports) | (BUILTINS - self.hoisted.by_name.keys())

    def reached(self, piece: Piece) -> frozenset[Place]:
        """The functions and classes that a statement mentions, itself or through others."""
        if piece.place not in self._reached:
            called, handled = mentions(piece.parts)
            self._reached[piece.place] = self._closure(called | handled)
        return self._reached[piece.place]

    def _closure(self, names: Iterable[str]) -> frozenset[Place]:
        return closure(self.hoisted, names)

    def readers(self, name: str) -> frozenset[Place]:
        """Who reads a name."""
        return self.by_name.get(name, frozenset())

    def can_reach(self, piece: Piece, targets: frozenset[Place], step: StepSource) -> bool:
        """Whether a statement of a step may run one of some functions.

        Args:
            piece: The statement.
            targets: The functions and classes.
            step: Its step: objects may carry into it what it repeats, and what steps up to it made.
        """
        if targets & self.reached(piece):
            return True
        carried = any(self._is_carried(place, step) for place in targets & self.escaping)
        return carried and not is_quiet(piece.node, self.libraries)

    def _is_carried(self, place: Place, step: StepSource) -> bool:
        maker = self.hoisted.pieces[place].step
        return place in step.places if maker is None else maker <= step.number or place in step.places


@dataclass(slots=True)
class Loose:
    """Code that earlier steps in namespace form left, whose globals are those of `definitions`.

    Attributes:
        reads: The names that it reads as globals.
        binds: Those that it binds.
        by_text: A step ran text that may have made functions of which nothing is known.
    """

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    by_text: bool = False

    def take(self, flow: NameFlow, hoisted: Hoisted) -> None:
        """Takes in what a step in namespace form leaves, with what that calls."""
        names = {name for late in flow.late if not late.consumed for name in late.free}
        called = (hoisted.pieces[place].piece.flow.late_reads for place in closure(hoisted, names))
        self.reads |= names.union(*called)
        self.binds |= flow.functions


def readers(hoisted: Hoisted, steps: Sequence[StepSource], moving: frozenset[str]) -> Readers:
    """Who reads which name as a global.

    Args:
        hoisted: What can be made before any step runs.
        steps: All steps of the run.
        moving: Names of functions and classes among them that steps hand on like variables.
    """
    fixed = hoisted.by_name.keys() - moving
    by_name: dict[str, set[Place]] = defaultdict(set)
    binds: dict[str, Candidate] = {}
    dynamic: set[Place] = set()
    for each in hoisted.functions:
        flow = each.piece.flow
        for name in flow.late_reads - fixed:
            by_name[name].add(each.piece.place)
        for name in flow.functions:
            binds.setdefault(name, each)
        if flow.late_reads & _DYNAMIC:
            dynamic.add(each.piece.place)
    return Readers(
        hoisted=hoisted,
        by_name={name: frozenset(places) for name, places in by_name.items()},
        binds=binds,
        dynamic=frozenset(dynamic),
        escaping=_escaping(hoisted, steps),
    )


def closure(hoisted: Hoisted, names: Iterable[str]) -> frozenset[Place]:
    """The functions and classes that are reached from some names."""
    todo, seen = list(names), set()
    found: set[Place] = set()
    while todo:
        name = todo.pop()
        candidate = hoisted.by_name.get(name)
        if name in seen or candidate is None:
            continue
        seen.add(name)
        if candidate.kind in {Kind.FUNCTION, Kind.CLASS}:
            found.add(candidate.piece.place)
            todo += candidate.piece.flow.late_reads | candidate.piece.flow.reads
    return frozenset(found)


def _escaping(hoisted: Hoisted, steps: Sequence[StepSource]) -> frozenset[Place]:
    """The functions and classes that objects may carry anywhere.

    These are all that are not only called by their names, and those whose results may still read what they read.
    """
    handled: set[str] = set()
    for piece in {piece.place: piece for step in steps for piece in step.pieces}.values():
        handled |= mentions(piece.parts).handled
        if not hoisted.has(piece):
            handled |= {name for late in piece.flow.late if not late.consumed for name in late.free}
        elif lasts(piece.node):
            handled |= piece.flow.late_reads
    roots = [
        name
        for name, each in hoisted.by_name.items()
        if each.kind in {Kind.FUNCTION, Kind.CLASS}
        and (name in handled or not _is_called_by_name(each.piece.node) or lasts(each.piece.node))
    ]
    return closure(hoisted, roots)


def lasts(node: ast.AST) -> bool:
    """Whether a function may give out something that still reads names: a function in it, or itself if it yields."""
    lasting = (ast.Yield, ast.YieldFrom, ast.Lambda, ast.GeneratorExp, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, ast.AsyncFunctionDef) or any(
        isinstance(part, lasting) for part in ast.walk(node) if part is not node
    )


def _is_called_by_name(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    words = (ast.unparse(decorator).partition("(")[0].rpartition(".")[2] for decorator in node.decorator_list)
    return all(word in _TRANSPARENT for word in words)
