"""What a loop carries from one round to the next beside what is trained, found in its text alone.

`check` names it, and a training goes on from a checkpoint only where there is none of it. What is bound in each round
before it is read is made anew by whoever goes on; what is read first, kept from an earlier round, or changed in place
is not.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.tracking.training.calls import Calls
from nb2pipe.tracking.training.rounds import Leftover, Round, bound_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Calls", "Leftover", "bound_by", "leftovers", "loops_over", "read_outside"]


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
    round_ = Round(calls)
    own = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    round_.bound = {name: node for name, node in bound_names(loop.body, calls) if name not in own}
    done = round_.block(loop.body, set(own))
    found = dict(round_.found)
    for name, node in round_.bound.items():
        temporary = name in round_.read and name not in set(outputs)
        if name not in done and name not in found and not temporary:
            found[name] = Leftover(name, node, bound=True)
    return sorted(found.values(), key=lambda each: each.name)


def bound_by(loop: ast.For, calls: Calls) -> set[str]:
    r"""All names that a loop binds.

    >>> sorted(bound_by(ast.parse("for e in t:\n    x, y = e").body[0], Calls(lambda name: None)))
    ['e', 'x', 'y']
    """
    return {name for name, _ in bound_names([loop.target, *loop.body], calls)}


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
