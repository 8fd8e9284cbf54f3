"""Codes of ruff that the author's own text gives, in the groups E9 and F."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.codegen.plan.syntax import Parts

_PLACE = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]")


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
    if not all(map(_formats_well, parts.of(ast.Call))):
        yield from ("F521", "F522", "F523", "F524", "F525")
    if not all(map(_inserts_well, parts.of(ast.BinOp))):
        yield from ("F501", "F502", "F503", "F504", "F505", "F506", "F507", "F508", "F509")


def _formats_well(call: ast.Call) -> bool:
    """Whether a call is no `format` of a text, or one whose fields are all there and all used."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), args=given, keywords=named
        ):
            if any(isinstance(one, ast.Starred) for one in given) or any(one.arg is None for one in named):
                return True
            return _fields(text) == ({str(number) for number in range(len(given))} | {str(one.arg) for one in named})
        case _:
            return True


def _fields(text: str) -> set[str] | None:
    """The fields of a format, numbered ones by their numbers; None where it is not plain."""
    try:
        found = [(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    words = [re.split(r"[.\[]", name, maxsplit=1)[0] for name, _ in found]
    if any("{" in (spec or "") for _, spec in found) or ("" in words and any(word.isdecimal() for word in words)):
        return None
    count = iter(range(len(words)))
    return {word or str(next(count)) for word in words}


def _inserts_well(node: ast.BinOp) -> bool:
    """Whether an operation is no `%` of a text, or one with as many plain places as values."""
    match node:
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            places = len(_PLACE.findall(text.replace("%%", "")))
            plain = text.replace("%%", "").count("%") == places
            if isinstance(right, ast.Tuple):
                return (
                    plain and len(right.elts) == places and not any(isinstance(one, ast.Starred) for one in right.elts)
                )
            return plain and places == 1 and not isinstance(right, ast.Dict | ast.List | ast.Set)
        case _:
            return True


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
