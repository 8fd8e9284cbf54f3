"""What running statements in order does to names: what is bound for certain, read too early, or kept for later."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nb2pipe.analysis.names import block_of, bound_by_import, eager_expressions, module_block, query_names
from nb2pipe.codegen.plan.consumers import consumes, given_to, is_lazy, never_empty, suppresses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class LateKind(StrEnum):
    """Code that runs later than where it stands."""

    LAMBDA = "lambda"
    FUNCTION = "function"
    GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Late:
    """A lambda, function or generator expression.

    Attributes:
        free: The names that it reads from outside.
        bound: The names that were bound for certain when it was made.
        consumed: The call that it is handed to is known to be done with it when it returns.
    """

    node: ast.Lambda | _Function | ast.GeneratorExp
    kind: LateKind
    free: frozenset[str]
    bound: frozenset[str]
    consumed: bool = False


@dataclass(slots=True)
class NameFlow:
    """What statements do to the names of their scope.

    Attributes:
        bound: Names that they bind, delete or declare.
        reads: Names that they read themselves.
        early: Names that they read where these may not be bound yet, with the first place.
        sure: Names that they read for certain before anything here could bind them.
        late: The code in them that runs later, that in class bodies too.
        functions: Names that functions in them bind by `global`.
        stars: They hold a star import.
        end: The names that are bound for certain at the end; None where the end is never reached.
    """

    bound: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    early: dict[str, ast.AST] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    late: list[Late] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    stars: bool = False
    end: frozenset[str] | None = frozenset()

    @property
    def late_reads(self) -> frozenset[str]:
        """The names that the code which runs later reads."""
        return frozenset[str]().union(*(late.free for late in self.late))


def name_flow(statements: Iterable[ast.stmt], bound: Iterable[str] = (), own: frozenset[str] = frozenset()) -> NameFlow:
    """What statements that run in order do to names.

    Args:
        statements: They share a scope.
        bound: Names that are bound before.
        own: Names of the notebook's own functions and classes: of what they do as context managers nothing is known.
    """
    return _Walker(set(bound), own).followed(statements)


def certain_after(
    statements: Iterable[ast.stmt],
    watched: frozenset[str],
    bound: Iterable[str] = (),
    own: frozenset[str] = frozenset(),
) -> list[frozenset[str]]:
    """Which of some names are bound for certain after each of some statements.

    Args:
        statements: As for `name_flow`.
        watched: The names.
        bound: Names that are bound before.
        own: As for `name_flow`.
    """
    walker = _Walker(set(bound), own)
    found = []
    for statement in statements:
        walker.run([statement])
        found.append(frozenset(walker.now or ()) & watched if watched else watched)
    return found


@dataclass(slots=True)
class _Loop:
    breaks: list[set[str] | None] = field(default_factory=list)
    continues: list[set[str] | None] = field(default_factory=list)


def _joined(ends: Iterable[set[str] | None]) -> set[str] | None:
    """What is bound for certain after one of several ways; None where none of them gets there."""
    reached = [end for end in ends if end is not None]
    return set.intersection(*reached) if reached else None


class _Walker(ast.NodeVisitor):
    """Goes through statements in the order in which they run."""

    def __init__(self, bound: set[str], own: frozenset[str], *, in_class: bool = False) -> None:
        self.flow = NameFlow()
        self.now: set[str] | None = bound
        self.own = own
        self.in_class = in_class
        self.maybe = 0
        self.hidden: list[frozenset[str]] = []
        self.loops: list[_Loop] = []
        self.consumed: set[int] = set()

    # -------------------------------------------------------------------------------------------- names

    def read(self, name: str, node: ast.AST) -> None:
        if any(name in names for names in self.hidden):
            return
        self.flow.reads.add(name)
        if self.now is not None and name not in self.now:
            self.flow.early.setdefault(name, node)
            if not self.maybe and name not in self.flow.bound:
                self.flow.sure.add(name)

    def read_from_class(self, name: str, node: ast.AST) -> None:
        """A class body in a class body does not see the names of the outer one."""
        if self.in_class:
            self.flow.reads.add(name)
            self.flow.early.setdefault(name, node)
        else:
            self.read(name, node)

    def bind(self, name: str) -> None:
        self.flow.bound.add(name)
        if self.now is not None:
            self.now.add(name)

    def unbind(self, name: str) -> None:
        self.flow.bound.add(name)
        if self.now is not None:
            self.now.discard(name)

    def keep(self, late: Late) -> None:
        self.flow.late.append(late)

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """Around what may not run; what it binds is not certain."""
        before = set(self.now) if self.now is not None else None
        self.maybe += 1
        yield
        self.maybe -= 1
        self.now = _joined([before, self.now]) if before is not None else None

    def fork(self, ways: Iterable[Callable[[], None]]) -> None:
        """Goes one of several ways."""
        before = self.now
        ends: list[set[str] | None] = []
        self.maybe += 1
        for way in ways:
            self.now = set(before) if before is not None else None
            way()
            ends.append(self.now)
        self.maybe -= 1
        self.now = _joined(ends)

    # -------------------------------------------------------------------------------------------- statements

    def followed(self, statements: Iterable[ast.stmt]) -> NameFlow:
        """What statements do, from their first to their last."""
        self.run(statements)
        self.flow.end = frozenset(self.now) if self.now is not None else None
        return self.flow

    def run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def generic_visit(self, node: ast.AST) -> None:
        for part in ast.iter_child_nodes(node):
            self.expression(part)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.expression(node.value)
        for target in node.targets:
            self.expression(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id, node.target)
        self.expression(node.value)
        self.expression(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        with self.perhaps():
            self.expression(node.annotation)
        if node.value is not None:
            self.expression(node.value)
            self.expression(node.target)
        elif isinstance(node.target, ast.Name):
            self.flow.bound.add(node.target.id)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.read(target.id, target)
            self.expression(target)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.flow.stars = True
            else:
                self.bind(bound_by_import(alias))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.visit_Import(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.flow.functions.update(node.names)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.expression(node.test)
        with self.perhaps():
            self.expression(node.msg)

    def visit_Raise(self, node: ast.Raise | ast.Return) -> None:
        self.generic_visit(node)
        self.now = None

    def visit_Return(self, node: ast.Return) -> None:
        self.visit_Raise(node)

    def visit_Break(self, _: ast.Break) -> None:
        self._leave([loop.breaks for loop in self.loops[-1:]])

    def visit_Continue(self, _: ast.Continue) -> None:
        self._leave([loop.continues for loop in self.loops[-1:]])

    def _leave(self, ways: list[list[set[str] | None]]) -> None:
        for way in ways:
            way.append(self.now)
        self.now = None

    def visit_If(self, node: ast.If) -> None:
        self.expression(node.test)
        if isinstance(node.test, ast.Constant):
            self.run(node.body if node.test.value else node.orelse)
            with self.perhaps():
                self.run(node.orelse if node.test.value else node.body)
        else:
            self.fork([lambda: self.run(node.body), lambda: self.run(node.orelse)])

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.consumed.add(id(node.iter))
        self.expression(node.iter)

        def once() -> None:
            self.expression(node.target)
            self.run(node.body)

        self._loop(once, node.orelse, at_least_once=never_empty(node.iter), ends=True)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        self.expression(node.test)
        forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._loop(lambda: self.run(node.body), node.orelse, at_least_once=forever, ends=not forever)

    def _loop(self, once: Callable[[], None], orelse: list[ast.stmt], *, at_least_once: bool, ends: bool) -> None:
        """A loop; `ends` where it can end by itself, without `break`."""
        before = set(self.now) if self.now is not None else None
        loop = _Loop()
        self.loops.append(loop)
        self.maybe += 1
        once()
        self.loops.pop()
        after = _joined([self.now, *loop.continues, *([] if at_least_once else [before])])
        self.now = after if ends else None
        self.run(orelse)
        self.maybe -= 1
        self.now = _joined([self.now, *loop.breaks])

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self.now) if self.now is not None else None
        self.maybe += 1
        self.run(node.body)
        self.run(node.orelse)
        ends = [self.now]
        raised = before - _deleted(node.body) if before is not None else None
        for handler in node.handlers:
            self.now = set(raised) if raised is not None else None
            self._handler(handler)
            ends.append(self.now)
        normal = _joined(ends)
        self.now = set(raised) if raised is not None else None
        self.run(node.finalbody)
        added = (self.now or set()) - (raised or set())
        self.maybe -= 1
        self.now = (normal | added) - _deleted(node.finalbody) if normal is not None and self.now is not None else None

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self.visit_Try(node)

    def _handler(self, handler: ast.ExceptHandler) -> None:
        self.expression(handler.type)
        if handler.name:
            self.bind(handler.name)
        self.run(handler.body)
        if handler.name:
            self.unbind(handler.name)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.expression(item.context_expr)
            self.expression(item.optional_vars)
        if any(suppresses(item.context_expr, self.own) for item in node.items):
            with self.perhaps():
                self.run(node.body)
        else:
            self.run(node.body)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self.visit_With(node)

    def visit_Match(self, node: ast.Match) -> None:
        self.expression(node.subject)
        ways: list[Callable[[], None]] = [lambda case=case: self._case(case) for case in node.cases]  # type: ignore[misc]
        last = node.cases[-1]
        if last.guard is not None or not isinstance(last.pattern, ast.MatchAs) or last.pattern.pattern is not None:
            ways.append(lambda: None)
        self.fork(ways)

    def _case(self, case: ast.match_case) -> None:
        for part in ast.walk(case.pattern):
            match part:
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                    self.bind(name)
                case ast.expr():
                    self.expression(part)
                case _:
                    pass
        self.expression(case.guard)
        self.run(case.body)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *eager_expressions(node)):
            self.expression(part)
        block = block_of(node)
        self.flow.functions |= block.global_binds()
        self.keep(Late(node, LateKind.FUNCTION, block.free(), frozenset(self.now or ())))
        self.bind(node.name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(part)
        inner = _Walker(set(), self.own, in_class=True).followed(node.body)
        for name, place in inner.early.items():
            if name != node.name or not _annotates(node, place):
                self.read_from_class(name, place)
        for late in inner.late:
            self.keep(Late(late.node, late.kind, late.free, frozenset(self.now or ())))
        self.flow.functions |= inner.functions
        self.bind(node.name)

    # -------------------------------------------------------------------------------------------- expressions

    def expression(self, node: ast.AST | None) -> None:
        match node:
            case None:
                pass
            case ast.Name():
                self._name(node)
            case ast.NamedExpr():
                self.expression(node.value)
                self.expression(node.target)
            case ast.Lambda() | ast.GeneratorExp():
                self._later(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                self._comprehension(node)
            case ast.BoolOp(values=[first, *others]) | ast.Compare(left=first, comparators=[_, _, *_] as others):
                self._shortcut(first, others)
            case ast.IfExp():
                self.expression(node.test)
                self.fork([lambda: self.expression(node.body), lambda: self.expression(node.orelse)])
            case _:
                self._others(node)

    def _others(self, node: ast.AST) -> None:
        ends = isinstance(node, ast.Call) and (consumes(node) or (id(node) in self.consumed and is_lazy(node)))
        if ends or isinstance(node, ast.Starred):
            self.consumed |= {id(part) for part in given_to(node)}
        elif isinstance(node, ast.Subscript):
            self.consumed.add(id(node.slice))
        for name in sorted(query_names(node)):
            self.read(name, node)
        self.generic_visit(node)

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.read(node.id, node)
        elif isinstance(node.ctx, ast.Store):
            self.bind(node.id)
        else:
            self.unbind(node.id)

    def _shortcut(self, first: ast.expr, others: list[ast.expr]) -> None:
        self.expression(first)
        with self.perhaps():
            for other in others:
                self.expression(other)

    def _later(self, node: ast.Lambda | ast.GeneratorExp) -> None:
        consumed = id(node) in self.consumed
        if isinstance(node, ast.Lambda):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                self.expression(default)
            block, kind = block_of(node), LateKind.LAMBDA
        else:
            block, kind = module_block([ast.Expr(node)]).inner[-1], LateKind.GENERATOR
            self._comprehension(node)
        free = block.free().difference(*self.hidden)
        self.keep(Late(node, kind, free, frozenset(self.now or ()), consumed))

    def _comprehension(self, node: _Comprehension) -> None:
        if not isinstance(node, ast.GeneratorExp) or id(node) in self.consumed:
            self.consumed |= {id(generator.iter) for generator in node.generators}
        self.expression(node.generators[0].iter)
        own = frozenset(_targets(node))
        self.hidden.append(own)
        with self.perhaps():
            for number, generator in enumerate(node.generators):
                self._target_parts(generator.target)
                for part in (*([generator.iter] if number else []), *generator.ifs):
                    self.expression(part)
            for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
                self.expression(part)
        self.hidden.pop()

    def _target_parts(self, target: ast.expr) -> None:
        """What the target of a comprehension reads: `x[i]` in `for x[i] in y`."""
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                self.read(part.id, part)


def _targets(node: _Comprehension) -> Iterator[str]:
    for generator in node.generators:
        for part in ast.walk(generator.target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _annotates(node: ast.ClassDef, place: ast.AST) -> bool:
    """Whether a node is part of an annotation in a class: one that names the class itself is never evaluated."""
    notes = (each.annotation for each in ast.walk(node) if isinstance(each, ast.AnnAssign | ast.arg))
    returns = (each.returns for each in ast.walk(node) if isinstance(each, _Function))
    return any(part is place for note in (*notes, *returns) if note is not None for part in ast.walk(note))


def _deleted(body: Iterable[ast.stmt]) -> set[str]:
    """The names that a body deletes, anywhere in it."""
    return {
        part.id
        for statement in body
        for part in ast.walk(statement)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Del)
    }
