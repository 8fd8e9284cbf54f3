"""Codes of ruff that the author's own text gives, in the groups E9 and F."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.codegen.plan.syntax import Parts


def noqa_of(texts: Iterable[Parts]) -> frozenset[str]:
    r"""The codes that some statements give wherever they stand; those that depend on names are not among them.

    >>> from nb2pipe.codegen.plan.syntax import Parts
    >>> sorted(noqa_of([Parts(ast.parse("print(f'x')\nif a is 'b': pass"))]))
    ['F541', 'F632']
    """
    return frozenset(code for parts in texts for code in (*_of_statements(parts), *_of_texts(parts)))


def _of_statements(parts: Parts) -> Iterator[str]:
    if any(_is_with_literal(node.ops, [node.left, *node.comparators]) for node in parts.of(ast.Compare)):
        yield "F632"
    if any(isinstance(node.test, ast.Tuple) and node.test.elts for node in parts.of(ast.Assert)):
        yield "F631"
    tests = [*(node.test for node in parts.of(ast.If)), *(node.test for node in parts.of(ast.IfExp))]
    if any(isinstance(test, ast.Tuple) and test.elts for test in tests):
        yield "F634"
    if any(_has_repeated_key(node.keys) for node in parts.of(ast.Dict)):
        yield "F601"
    if any(_is_not_implemented(node.exc) for node in parts.of(ast.Raise)):
        yield "F901"


def _is_not_implemented(node: ast.expr | None) -> bool:
    raised = node.func if isinstance(node, ast.Call) else node
    return isinstance(raised, ast.Name) and raised.id == "NotImplemented"


def _of_texts(parts: Parts) -> Iterator[str]:
    """What formatted texts give: whether a format fits is not looked at."""
    specs = {id(part.format_spec) for part in parts.of(ast.FormattedValue)}
    for node in parts.of(ast.JoinedStr):
        if id(node) not in specs and not any(isinstance(value, ast.FormattedValue) for value in node.values):
            yield "F541"
    for call in parts.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "format" and _is_text(call.func.value):
            yield from ("F521", "F522", "F523", "F524", "F525")
    if any(isinstance(node.op, ast.Mod) and _is_text(node.left) for node in parts.of(ast.BinOp)):
        yield from ("F501", "F502", "F503", "F504", "F505", "F506", "F507", "F508", "F509")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_with_literal(ops: list[ast.cmpop], sides: list[ast.expr]) -> bool:
    literal = (ast.Tuple, ast.List, ast.Dict, ast.Set)
    return any(
        isinstance(op, ast.Is | ast.IsNot) and any(_is_constant(side) or isinstance(side, literal) for side in pair)
        for op, pair in zip(ops, pairwise(sides), strict=True)
    )


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, bool | None | type(...))


def _has_repeated_key(keys: list[ast.expr | None]) -> bool:
    texts = [ast.dump(key) for key in keys if isinstance(key, ast.Constant | ast.Name)]
    return len(texts) != len(set(texts))
