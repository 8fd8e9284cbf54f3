"""Codes of ruff that the author's own text gives, in the groups E9 and F."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def noqa_of(statements: Iterable[ast.stmt]) -> frozenset[str]:
    r"""The codes that some statements give wherever they stand; those that depend on names are not among them.

    >>> sorted(noqa_of(ast.parse("print(f'x')\nif a is 'b': pass").body))
    ['F541', 'F632']
    """
    parts = [part for statement in statements for part in ast.walk(statement)]
    specs = {id(part.format_spec) for part in parts if isinstance(part, ast.FormattedValue)}
    return frozenset(code for part in parts if id(part) not in specs for code in _codes(part))


def _codes(node: ast.AST) -> Iterator[str]:
    yield from _codes_of_text(node)
    match node:
        case ast.Compare(ops=ops, left=left, comparators=others) if _is_with_literal(ops, [left, *others]):
            yield "F632"
        case ast.Assert(test=ast.Tuple(elts=[_, *_])):
            yield "F631"
        case ast.If(test=ast.Tuple(elts=[_, *_])) | ast.IfExp(test=ast.Tuple(elts=[_, *_])):
            yield "F634"
        case ast.Dict(keys=keys) if _has_repeated_key(keys):
            yield "F601"
        case ast.Raise(exc=ast.Name(id="NotImplemented") | ast.Call(func=ast.Name(id="NotImplemented"))):
            yield "F901"
        case _:
            pass


def _codes_of_text(node: ast.AST) -> Iterator[str]:
    """What formatted texts give: whether a format fits is not looked at."""
    match node:
        case ast.JoinedStr(values=values) if not any(isinstance(value, ast.FormattedValue) for value in values):
            yield "F541"
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format")):
            yield from ("F521", "F522", "F523", "F524", "F525")
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod()):
            yield from ("F501", "F502", "F503", "F504", "F505", "F506", "F507", "F508", "F509")
        case _:
            pass


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
