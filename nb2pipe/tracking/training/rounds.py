"""One round of a loop, gone through from its first statement to its last: what it takes from an earlier one."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.tracking.training.calls import Callee, outer_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.tracking.training.calls import Calls

_CHANGES = frozenset(
    {
        "append",
        "extend",
        "insert",
        "add",
        "update",
        "setdefault",
        "pop",
        "popitem",
        "popleft",
        "appendleft",
        "extendleft",
        "remove",
    }
    | {"discard", "clear", "sort", "reverse", "rotate", "subtract", "step", "load_state_dict", "write", "writerow"}
    | {"writelines", "update_parameters", "fill", "put", "move_to_end", "set", "increment", "reset"}
)
"""Methods that change what they are called on."""

_CHANGES_GIVEN = frozenset({"shuffle", "heappush", "heappop", "heapify", "insort", "copyto", "setattr", "delattr"})
"""Functions that change what they are given first."""

_HARMLESS = frozenset({"requires_grad_", "__init__"})
_DEEPEST = 3
"""Calls within calls that are followed."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A name whose value goes from one round to the next.

    Attributes:
        node: Where it is bound or changed.
        bound: It is bound to another object, rather than changed in place.
    """

    name: str
    node: ast.AST
    bound: bool


def bound_names(body: Iterable[ast.AST], calls: Calls) -> Iterator[tuple[str, ast.AST]]:
    """All names that statements bind in their own scope, and those that functions bind in it."""
    queue = list(body)
    while queue:
        node = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        if isinstance(node, ast.Call) and (callee := calls.of(node.func)) is not None:
            yield from ((name, node) for name in outer_names(callee.function))
        queue += ast.iter_child_nodes(node)


@dataclass(slots=True)
class Round:
    """What is known of a round so far.

    Attributes:
        calls: What it may call.
        depth: How many calls it lies within.
        bound: The names that it binds somewhere.
        found: Those that it takes from an earlier round.
        read: Those that it reads after having bound them.
        alias: The names whose objects others are parts of.
        own: The functions that it defines.
    """

    calls: Calls
    depth: int = 0
    bound: dict[str, ast.AST] = field(default_factory=dict)
    found: dict[str, Leftover] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    alias: dict[str, str] = field(default_factory=dict)
    own: dict[str, ast.FunctionDef] = field(default_factory=dict)

    def block(self, body: Iterable[ast.stmt], done: set[str]) -> set[str]:
        """Goes through statements.

        Args:
            body: The statements.
            done: The names that are bound in this round before them.

        Returns:
            The names that are bound after them.
        """
        for statement in body:
            done = self.statement(statement, done)
        return done

    def statement(self, node: ast.stmt, done: set[str]) -> set[str]:
        """Goes through one statement."""
        match node:
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
                return self._branch(node, done)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.expression(item.context_expr, done)
                    done = done | (stored_names(item.optional_vars) if item.optional_vars else set())
                return self.block(node.body, done)
            case ast.Try() | ast.TryStar():
                return self._try(node, done)
            case ast.Match():
                return self._match(node, done)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if isinstance(node, ast.FunctionDef):
                    self.own[node.name] = node
                return done | {node.name}
            case _:
                return self._simple(node, done)

    def _branch(self, node: ast.If | ast.For | ast.AsyncFor | ast.While, done: set[str]) -> set[str]:
        """Goes through a branch or a loop; a loop is taken to have a round."""
        if isinstance(node, ast.For | ast.AsyncFor):
            self.expression(node.iter, done)
            return self.block(node.orelse, self.block(node.body, done | stored_names(node.target)))
        self.expression(node.test, done)
        done = done | stored_names(node.test)
        if isinstance(node, ast.While):
            return self.block(node.orelse, self.block(node.body, set(done)))
        one, two = self.block(node.body, set(done)), self.block(node.orelse, set(done))
        return _both(node.body, node.orelse, one, two)

    def _try(self, node: ast.Try | ast.TryStar, done: set[str]) -> set[str]:
        after = self.block(node.orelse, self.block(node.body, set(done)))
        for handler in node.handlers:
            after &= self.block(handler.body, done | ({handler.name} if handler.name else set()))
        return self.block(node.finalbody, after)

    def _match(self, node: ast.Match, done: set[str]) -> set[str]:
        self.expression(node.subject, done)
        for case in node.cases:
            captured = {one.name for one in ast.walk(case.pattern) if isinstance(one, ast.MatchAs) and one.name}
            self.block(case.body, done | captured)
        return done

    def _simple(self, node: ast.stmt, done: set[str]) -> set[str]:
        if isinstance(node, ast.AugAssign):
            self._augmented(node, done)
        self.expression(node, done)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript):
            for target in node.targets:
                if isinstance(target, ast.Name) and (root := root_of(node.value)) is not None:
                    self.alias[target.id] = self.alias.get(root, root)
        return done | _made(node)

    def _augmented(self, node: ast.AugAssign, done: set[str]) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in done:
            self._find(node.target.id, node.target, bound=True)
        root = root_of(node.target)
        if root is not None and not isinstance(node.target, ast.Name):
            self._change(root, node, done)

    def expression(self, node: ast.AST, done: set[str]) -> None:
        """Goes through all that is read and changed in an expression or a simple statement."""
        for part in _parts(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in self.bound:
                if part.id in done:
                    self.read.add(part.id)
                else:
                    self._find(part.id, self.bound[part.id], bound=True)
            elif isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
                self._change(root_of(part), part, done)
            elif isinstance(part, ast.Call):
                self._call(part, done)

    def _call(self, call: ast.Call, done: set[str]) -> None:
        if isinstance(call.func, ast.Attribute):
            name = call.func.attr
            if name in _CHANGES or (name.endswith("_") and not name.endswith("__") and name not in _HARMLESS):
                self._change(root_of(call.func.value), call, done)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in _CHANGES_GIVEN and call.args:
            self._change(root_of(call.args[0]), call, done)
        if self.depth >= _DEEPEST:
            return
        callee = self._callee(call.func)
        given = callee.given(call) if callee is not None else {}
        handed = [one for one in call.args if isinstance(one, ast.Name)]  # a closure, perhaps, which is called there
        for one, values in [(callee, given), *((self._callee(name), {}) for name in handed)]:
            for root in _changed_by(one, values, self.depth + 1) if one is not None else ():
                self._change(root, call, done)

    def _callee(self, function: ast.expr) -> Callee | None:
        own = self.own.get(function.id) if isinstance(function, ast.Name) else None
        return self.calls.of(function) if own is None else Callee(own, None, self.calls)

    def _change(self, name: str | None, node: ast.AST, done: set[str]) -> None:
        root = self.alias.get(name, name) if name is not None else None
        if root is not None and (root not in done or root != name):
            self._find(root, node, bound=False)

    def _find(self, name: str, node: ast.AST, *, bound: bool) -> None:
        before = self.found.get(name)
        if before is None or (bound and not before.bound):
            self.found[name] = Leftover(name, node, bound=bound)


def stored_names(node: ast.AST) -> set[str]:
    """The names that are bound somewhere in an expression or target."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def root_of(node: ast.AST) -> str | None:
    """The name that an expression begins with.

    >>> root_of(ast.parse("a.b[0].c", mode="eval").body)
    'a'
    """
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _both(body: list[ast.stmt], orelse: list[ast.stmt], one: set[str], two: set[str]) -> set[str]:
    """What is bound after two branches; one that leaves the round does not count."""
    if _leaves(body):
        return two
    return one if _leaves(orelse) else one & two


def _leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise | ast.Return | ast.Break)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below one; of a comprehension not the names that are its own."""
    queue = [node]
    while queue:
        part = queue.pop()
        yield part
        if isinstance(part, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            own = {name for each in part.generators for name in stored_names(each.target)}
            inner = (each for child in ast.iter_child_nodes(part) for each in ast.walk(child))
            yield from (each for each in inner if not (isinstance(each, ast.Name) and each.id in own))
        elif isinstance(part, ast.Lambda):
            own = {argument.arg for argument in part.args.args}
            yield from (each for each in ast.walk(part.body) if not (isinstance(each, ast.Name) and each.id in own))
        else:
            queue += ast.iter_child_nodes(part)


def _made(node: ast.stmt) -> set[str]:
    names = stored_names(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def _changed_by(callee: Callee, given: dict[str, ast.expr], depth: int) -> Iterator[str]:
    """The names of the caller whose objects a function changes: those that it is given, and those outside of both."""
    inner = Round(callee.calls, depth)
    inner.block(callee.function.body, set())
    local = stored_names(callee.function) - set(outer_names(callee.function))
    for name in inner.found:
        if name in callee.parameters:
            root = root_of(given[name]) if name in given else None
            if root is not None:
                yield root
        elif name not in local:
            yield name
