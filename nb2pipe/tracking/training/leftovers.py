"""What a loop carries from one round to the next beside what is trained, found in its text alone.

`check` names it, and a training goes on from a checkpoint only where there is none of it. What is bound in each round
before it is read is made anew by whoever goes on; what is read first, kept from an earlier round, or changed in place
is not.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CHANGES = frozenset(
    {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "popleft", "appendleft"}
    | {"extendleft", "remove", "discard", "clear", "sort", "reverse", "rotate", "subtract", "step", "load_state_dict"}
    | {
        "write",
        "writerow",
        "writelines",
        "update_parameters",
        "fill",
        "put",
        "move_to_end",
        "set",
        "increment",
        "reset",
    }
)
"""Methods that change what they are called on."""

_HARMLESS = frozenset({"requires_grad_", "__init__"})
_DEEPEST = 3


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


@dataclass(frozen=True, slots=True)
class Calls:
    """The functions that a loop may call.

    Attributes:
        find: The definition that a name means, if it is the author's.
    """

    find: Callable[[str], ast.FunctionDef | None]

    def of(self, call: ast.Call) -> ast.FunctionDef | None:
        """The function that is called, if it is known."""
        return self.find(call.func.id) if isinstance(call.func, ast.Name) else None


def leftovers(loop: ast.For, calls: Calls, outputs: Iterable[str] = ()) -> list[Leftover]:
    r"""The names that rounds of a loop hand on, sorted.

    Args:
        loop: The loop.
        calls: What it may call.
        outputs: Names that are read elsewhere after it.

    >>> text = "for epoch in e:\n    for x in epoch.batches(d):\n        loss = f(x)\n        log.append(loss)"
    >>> [each.name for each in leftovers(ast.parse(text).body[0], Calls(lambda name: None))]
    ['log']
    """
    round_ = _Round(calls)
    own = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    round_.bound = {name: node for name, node in _bound(loop.body, calls) if name not in own}
    done = round_.block(loop.body, set(own))
    found = dict(round_.found)
    for name, node in round_.bound.items():
        temporary = name in round_.read and name not in set(outputs)
        if name not in done and name not in found and not temporary:
            found[name] = Leftover(name, node, bound=True)
    return sorted(found.values(), key=lambda each: each.name)


def loops_over(tree: ast.Module, method: str) -> Iterator[ast.For]:
    """The loops over what a method of some object gives: `epochs`, `batches`.

    >>> [loop.lineno for loop in loops_over(ast.parse("for e in t.epochs(3): pass"), "epochs")]
    [1]
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and any(
            isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == method
            for part in ast.walk(node.iter)
        ):
            yield node


def read_outside(tree: ast.Module) -> set[str]:
    r"""The names that are read outside of loops over epochs.

    >>> sorted(read_outside(ast.parse("for e in t.epochs(3):\n    x = y\nprint(x)")))
    ['print', 'x']
    """
    inside = {id(node) for loop in loops_over(tree, "epochs") for node in ast.walk(loop)}
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside
    }


def clears_gradients(loop: ast.For) -> bool:
    """Whether each round begins with gradients that are cleared, so that nobody asks for those before it."""
    for statement in loop.body:
        names = [node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)]
        if "backward" in names:
            return False
        if "zero_grad" in names and isinstance(statement, ast.Expr):
            return not any(isinstance(node, ast.keyword) for node in ast.walk(statement))
    return False


def takes_before(loop: ast.For, line: int, names: set[str]) -> bool:
    r"""Whether a round binds something that it makes of some names by a call, before a line.

    >>> loop = ast.parse("for epoch in e:\n    teacher = copy(net)\n    for x in epoch.batches(d):\n        pass")
    >>> takes_before(loop.body[0], 3, {"net"})
    True
    """
    above = (statement for statement in loop.body if (statement.end_lineno or 0) < line)
    made = (node.value for each in above for node in ast.walk(each) if isinstance(node, ast.Assign | ast.AnnAssign))
    calls = (node for value in made if value is not None for node in ast.walk(value) if isinstance(node, ast.Call))
    return any(isinstance(node, ast.Name) and node.id in names for call in calls for node in ast.walk(call))


def _bound(body: list[ast.stmt], calls: Calls) -> Iterator[tuple[str, ast.AST]]:
    """All names that statements bind in their own scope, and those that functions bind as globals."""
    queue: list[ast.AST] = list(body)
    while queue:
        node = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        if isinstance(node, ast.Call) and (function := calls.of(node)) is not None:
            declared = [each for each in ast.walk(function) if isinstance(each, ast.Global)]
            yield from ((name, node) for each in declared for name in each.names)
        queue += ast.iter_child_nodes(node)


@dataclass(slots=True)
class _Round:
    """One round of a loop, gone through from its first statement to its last.

    Attributes:
        bound: The names that it binds somewhere.
        found: Those that it takes from an earlier round.
        read: Those that it reads after having bound them.
        alias: The names whose objects others are parts of.
    """

    calls: Calls
    bound: dict[str, ast.AST] = field(default_factory=dict)
    found: dict[str, Leftover] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    alias: dict[str, str] = field(default_factory=dict)

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
                    done = done | (_names(item.optional_vars) if item.optional_vars else set())
                return self.block(node.body, done)
            case ast.Try():
                return self._try(node, done)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return done | {node.name}
            case _:
                return self._simple(node, done)

    def _branch(self, node: ast.If | ast.For | ast.AsyncFor | ast.While, done: set[str]) -> set[str]:
        """Goes through a branch or a loop; a loop is taken to have a round."""
        if isinstance(node, ast.For | ast.AsyncFor):
            self.expression(node.iter, done)
            return self.block(node.orelse, self.block(node.body, done | _names(node.target)))
        self.expression(node.test, done)
        if isinstance(node, ast.While):
            return self.block(node.orelse, self.block(node.body, set(done)))
        one, two = self.block(node.body, set(done)), self.block(node.orelse, set(done))
        return _both(node.body, node.orelse, one, two)

    def _try(self, node: ast.Try, done: set[str]) -> set[str]:
        after = self.block(node.orelse, self.block(node.body, set(done)))
        for handler in node.handlers:
            after &= self.block(handler.body, done | ({handler.name} if handler.name else set()))
        return self.block(node.finalbody, after)

    def _simple(self, node: ast.stmt, done: set[str]) -> set[str]:
        if isinstance(node, ast.AugAssign):
            self._augmented(node, done)
        self.expression(node, done)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute | ast.Subscript):
            for target in node.targets:
                if isinstance(target, ast.Name) and (root := _root(node.value)) is not None:
                    self.alias[target.id] = self.alias.get(root, root)
        return done | _stored(node)

    def _augmented(self, node: ast.AugAssign, done: set[str]) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in done:
            self._find(node.target.id, node.target, bound=True)
        root = _root(node.target)
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
                self._change(_root(part), part, done)
            elif isinstance(part, ast.Call):
                self._call(part, done)

    def _call(self, call: ast.Call, done: set[str]) -> None:
        if isinstance(call.func, ast.Attribute):
            name = call.func.attr
            if name in _CHANGES or (name.endswith("_") and not name.endswith("__") and name not in _HARMLESS):
                self._change(_root(call.func.value), call, done)
        function = self.calls.of(call)
        if function is not None:
            for root in _changed_by(function, call, self.calls, 0):
                self._change(root, call, done)

    def _change(self, name: str | None, node: ast.AST, done: set[str]) -> None:
        root = self.alias.get(name, name) if name is not None else None
        if root is not None and (root not in done or root != name):
            self._find(root, node, bound=False)

    def _find(self, name: str, node: ast.AST, *, bound: bool) -> None:
        before = self.found.get(name)
        if before is None or (bound and not before.bound):
            self.found[name] = Leftover(name, node, bound=bound)


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
            own = {name for each in part.generators for name in _names(each.target)}
            inner = (each for child in ast.iter_child_nodes(part) for each in ast.walk(child))
            yield from (each for each in inner if not (isinstance(each, ast.Name) and each.id in own))
        elif isinstance(part, ast.Lambda):
            own = {argument.arg for argument in part.args.args}
            yield from (each for each in ast.walk(part.body) if not (isinstance(each, ast.Name) and each.id in own))
        else:
            queue += ast.iter_child_nodes(part)


def _names(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _stored(node: ast.AST) -> set[str]:
    names = _names(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def _root(node: ast.AST) -> str | None:
    """The name that an expression begins with.

    >>> _root(ast.parse("a.b[0].c", mode="eval").body)
    'a'
    """
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _changed_by(function: ast.FunctionDef, call: ast.Call, calls: Calls, depth: int) -> Iterator[str]:
    """The names of the caller whose objects a function changes: those that it is given, and globals."""
    places = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    given = {name: _root(value) for name, value in zip(places, call.args, strict=False)}
    given |= {each.arg: _root(each.value) for each in call.keywords if each.arg}
    inner = _Round(calls)
    own = {*places, *(argument.arg for argument in function.args.kwonlyargs)}
    local = _names(function) - {
        name for each in ast.walk(function) if isinstance(each, ast.Global) for name in each.names
    }
    if depth < _DEEPEST:
        inner.calls = Calls(lambda name: calls.find(name) if depth + 1 < _DEEPEST else None)
        inner.block(function.body, set())
    for name in inner.found:
        if name in own:
            root = given.get(name)
            if root is not None:
                yield root
        elif name not in local:
            yield name
