"""What the text of a loop over batches tells: whether one can begin in its middle, and what is saved for that."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.tracking.training.rounds import stored_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.tracking.training.calls import Calls

SHOWN_BY = frozenset({"tqdm", "tqdm_notebook", "trange", "track", "progress_bar"})
"""What shows how far a loop is, and gives what it is given."""
_DEEPEST = 6


def counted(tree: ast.AST, loop: ast.For) -> bool | None:
    r"""Whether the rounds of a loop over batches are counted by `enumerate`.

    Args:
        tree: The text that the loop is in.
        loop: The loop.

    Returns:
        None where what it goes through is something that cannot begin in its middle, such as a `zip`.

    >>> def head(text):
    ...     tree = ast.parse(text)
    ...     return counted(tree, next(node for node in ast.walk(tree) if isinstance(node, ast.For)))
    >>> head("for x in epoch.batches(d): f(x)"), head("for i, x in enumerate(tqdm(epoch.batches(d))): f(x)")
    (False, True)
    >>> head("bar = tqdm(epoch.batches(d))\nfor x in bar: f(x)")
    False
    >>> print(head("for x, y in zip(epoch.batches(d), other): f(x)"))
    None
    """
    found = False
    node: ast.expr | None = loop.iter
    for _ in range(_DEEPEST):
        if isinstance(node, ast.Name):
            node = _meant(tree, node.id)
        if not isinstance(node, ast.Call):
            return None
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "batches":
            return found
        if name != "enumerate" and name not in SHOWN_BY:
            return None
        found = found or name == "enumerate"
        node = node.args[0] if node.args else next((one.value for one in node.keywords if one.arg == "iterable"), None)
    return None


def _meant(tree: ast.AST, name: str) -> ast.expr | None:
    """What a name is bound to, if that is one expression."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            found.append(node.value)
        elif isinstance(node, ast.withitem) and getattr(node.optional_vars, "id", None) == name:
            found.append(node.context_expr)
    return found[0] if len(found) == 1 else None


def clears_gradients(loop: ast.For, optimizers: int, calls: Calls) -> bool:
    """Whether each round begins with gradients that are cleared, so that nobody asks for those before it.

    Args:
        loop: The loop over batches.
        optimizers: How many optimizers there are.
        calls: What the loop may call.
    """
    cleared: set[str] = set()
    for statement in loop.body:
        words = _words(statement, calls)
        if "zero_grad" in words and isinstance(statement, ast.Expr):
            if any(isinstance(node, ast.keyword) for node in ast.walk(statement)):
                return False
            cleared.add(ast.unparse(statement))
            if len(cleared) >= max(optimizers, 1):
                return True
        elif any("grad" in word or word == "backward" for word in words):
            return False
    return False


def _words(statement: ast.stmt, calls: Calls) -> set[str]:
    """The names and attributes in a statement, and in the functions that it calls."""
    nodes = list(ast.walk(statement))
    for node in [each for each in nodes if isinstance(each, ast.Call)]:
        callee = calls.of(node.func)
        nodes += ast.walk(callee.function) if callee is not None else ()
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def takes_before(body: Iterable[ast.stmt], line: int, names: set[str]) -> bool:
    r"""Whether statements before a line bind something that they make of some names, other than by looking at it.

    >>> body = ast.parse("teacher = copy(net)\nfor x in epoch.batches(d):\n    pass").body
    >>> takes_before(body, 2, {"net"}), takes_before(body, 2, {"other"})
    (True, False)
    """
    return any(names & _read(node) for each in body if (each.end_lineno or 0) < line for node in _values(each))


def _values(statement: ast.stmt) -> Iterator[ast.expr]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            yield node.value


def _read(node: ast.AST) -> set[str]:
    """The names that an expression reads, other than for their length and the like."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "iter":
        return set()
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} - stored_names(node)
