"""Loops: each round sees what the one before left, and what holds after them depends on where they are left."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.machine import End
from nb2pipe.analysis.scopes import Branch, Jumps, Scope
from nb2pipe.analysis.targets import assign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nb2pipe.analysis.machine import Machine


def leave_loop(machine: Machine, node: ast.Break, scope: Scope) -> End:
    """`break`: what holds here holds after the loop."""
    del node
    if scope.loops:
        scope.loops[-1].out.append(machine.journal.since(scope.loops[-1].level))
    return End.LEFT


def leave_round(machine: Machine, node: ast.Continue, scope: Scope) -> End:
    """`continue`: what holds here holds when the next round begins."""
    del node
    if scope.loops:
        scope.loops[-1].on.append(machine.journal.since(scope.loops[-1].level))
    return End.LEFT


def follow_for(machine: Machine, node: ast.For | ast.AsyncFor, scope: Scope) -> End:
    """A `for` loop, with its `else`."""
    source = machine.evaluate(node.iter, scope)
    surely = is_filled(node.iter)

    def body() -> End:
        handed = machine.iterate(machine, source, node.iter)
        assign(machine, node.target, handed, scope)
        machine.doubtful += not surely
        end = machine.execute(node.body, scope)
        machine.doubtful -= not surely
        return end

    return _Loop(machine, scope, surely=surely, endless=False).follow(body, node.orelse)


def follow_while(machine: Machine, node: ast.While, scope: Scope) -> End:
    """A `while` loop, with its `else`."""
    machine.evaluate(node.test, scope)
    surely = isinstance(node.test, ast.Constant) and bool(node.test.value)

    def body() -> End:
        machine.doubtful += 1
        end = machine.execute(node.body, scope)
        if end is End.NEXT:
            machine.evaluate(node.test, scope)
        machine.doubtful -= 1
        return end

    return _Loop(machine, scope, surely=surely, endless=surely).follow(body, node.orelse)


class _Loop:
    """Follows a body twice, so that what one round leaves is seen by the next.

    Args:
        machine: Follows the code.
        scope: The scope that the loop stands in.
        surely: It has a round.
        endless: It ends by a jump alone.
    """

    def __init__(self, machine: Machine, scope: Scope, *, surely: bool, endless: bool) -> None:
        self.machine = machine
        self.scope = scope
        self.surely = surely
        self.endless = endless
        self.breaks: list[Branch] = []

    def follow(self, body: Callable[[], End], orelse: list[ast.stmt]) -> End:
        """Follows the rounds, and what comes after them."""
        machine = self.machine
        ended, runs_out = End.NEXT, not self.surely
        for number in range(1 if machine.loops else 2):
            ways, ended = self._round(body)
            runs_out |= bool(ways)
            if ways or not self.surely:
                self._complete(key for way in ways for key in way)
                machine.journal.join([*ways, *([{}] if number or not self.surely else [])], machine.cell)
            if not ways:
                break
        return self._after(orelse, ended, runs_out=runs_out and not self.endless)

    def _round(self, body: Callable[[], End]) -> tuple[list[Branch], End]:
        """What names may hold at the end of a round, and how its text ends."""
        machine, scope = self.machine, self.scope
        scope.loops.append(Jumps(level=machine.journal.level))
        machine.loops += 1
        machine.journal.fork()
        end = body()
        branch = machine.journal.leave()
        machine.loops -= 1
        jumps = scope.loops.pop()
        self.breaks += jumps.out
        return [*([branch] if end is End.NEXT else []), *jumps.on], end

    def _complete(self, keys: Iterable[tuple[Scope, str]]) -> None:
        """Names that only other ways bind hold at each `break` what they hold now."""
        for scope, name in dict.fromkeys(keys):
            for branch in self.breaks:
                branch.setdefault((scope, name), scope.slots.get(name))

    def _after(self, orelse: list[ast.stmt], ended: End, *, runs_out: bool) -> End:
        machine = self.machine
        ways: list[Branch] = []
        if runs_out:
            machine.journal.fork()
            machine.doubtful += bool(self.breaks)
            end = machine.execute(orelse, self.scope)
            machine.doubtful -= bool(self.breaks)
            branch = machine.journal.leave()
            self._complete(branch)
            ways += [branch] if end is End.NEXT else []
            ended = end
        ways += self.breaks
        if not ways:
            return ended if ended is not End.NEXT else End.LEFT
        machine.journal.join(ways, machine.cell)
        return End.NEXT


def is_filled(source: ast.expr) -> bool:
    """Whether a loop over it surely has a round."""
    match source:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return any(not isinstance(part, ast.Starred) for part in parts)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Dict(keys=keys):
            return any(key is not None for key in keys)
        case ast.Call(func=ast.Name(id=name), args=parts):
            return _is_filled_call(name, parts)
        case ast.Call(func=ast.Attribute(value=ast.Dict() as inner, attr="items" | "values" | "keys")):
            return is_filled(inner)
        case _:
            return False


def _is_filled_call(name: str, parts: list[ast.expr]) -> bool:
    if name == "range":
        return _counts(parts)
    if name in {"enumerate", "reversed", "sorted", "list", "tqdm"}:
        return is_filled(parts[0]) if parts else False
    return name == "zip" and bool(parts) and all(is_filled(part) for part in parts)


def _counts(arguments: list[ast.expr]) -> bool:
    try:
        return len(range(*(ast.literal_eval(part) for part in arguments))) > 0
    except (ValueError, TypeError, OverflowError):
        return False
