"""Literals as formatters would write them: defaults of parameters, and what templates print with `py`."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.modules.words import WIDTH, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

_MUTABLE = ast.List | ast.Dict | ast.Set | ast.Call
"""`set()` is a call."""
_BRACKETS: Mapping[type[ast.expr], tuple[str, str]] = {ast.List: ("[", "]"), ast.Set: ("{", "}")}
_NUMBER = re.compile(r"(?P<whole>[0-9_]*)(?P<point>\.?)(?P<part>[0-9_]*)(?P<power>[eE][-+]?[0-9_]+)?(?P<unit>[jJ]?)\Z")


def is_literal(text: str) -> bool:
    """Whether a text is a literal, such as `[1, "a"]`."""
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True


def is_mutable(text: str) -> bool:
    """Whether a literal makes an object that can be changed, so that it is no good as a default of a function."""
    return is_literal(text) and any(isinstance(node, _MUTABLE) for node in ast.walk(_parsed(text)))


def value_text(value: object) -> str:
    """The literal of a value.

    Raises:
        ValueError: It has none.

    >>> print(value_text(["a", 1]))
    ["a", 1]
    """
    plain = literal(value)
    if not is_literal(plain):  # infinity is a call
        return plain
    text = formatted(plain)
    if ast.literal_eval(text) != value:
        raise ValueError(f"{text} does not mean {value!r}")
    return text


def formatted(text: str, *, indent: str = "", before: int = 0, after: int = 0) -> str:
    """A literal in one line where it fits, else with one item a line.

    Args:
        text: The literal as the author wrote it.
        indent: What stands before the line that it begins in.
        before: Columns of that line that are taken, without the indent.
        after: Columns that come after it.

    Raises:
        ValueError: It is no literal.

    >>> print(formatted("['a',1.,   {'b':0XFF}]"))
    ["a", 1.0, {"b": 0xFF}]
    """
    if not is_literal(text):
        raise ValueError(f"{text!r} is no literal")
    shown = _shown(_parsed(text), text.strip(), indent, len(indent) + before, after)
    if ast.dump(_parsed(shown)) != ast.dump(_parsed(text)) and ast.literal_eval(shown) != ast.literal_eval(text):
        raise ValueError(f"{shown} does not mean {text}")
    return shown


def _parsed(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _shown(node: ast.expr, source: str, indent: str, before: int, after: int) -> str:
    flat = _flat(node, source)
    parts = _items(node)
    if before + len(flat) + after <= WIDTH or not parts:
        return flat
    inner = f"{indent}    "
    rows = []
    for key, item in parts:
        head = "" if key is None else f"{_flat(key, source)}: "
        rows.append(f"{inner}{head}{_shown(item, source, inner, len(inner) + len(head), 1)},")
    return "\n".join([flat[0], *rows, f"{indent}{flat[-1]}"])


def _items(node: ast.expr) -> list[tuple[ast.expr | None, ast.expr]]:
    if isinstance(node, ast.Dict):
        return list(zip(node.keys, node.values, strict=True))
    return [(None, item) for item in node.elts] if isinstance(node, ast.List | ast.Tuple | ast.Set) else []


def _flat(node: ast.expr, source: str) -> str:
    if isinstance(node, ast.Constant):
        return _constant(node, source)
    if isinstance(node, ast.Dict):
        return "{" + ", ".join(f"{_flat(key, source)}: {_flat(item, source)}" for key, item in _pairs(node)) + "}"
    if isinstance(node, ast.List | ast.Set | ast.Tuple):
        opening, closing = _BRACKETS.get(type(node), ("(", ")"))
        comma = "," if isinstance(node, ast.Tuple) and len(node.elts) == 1 else ""
        return opening + ", ".join(_flat(item, source) for item in node.elts) + comma + closing
    if isinstance(node, ast.UnaryOp):
        return ("-" if isinstance(node.op, ast.USub) else "+") + _flat(node.operand, source)
    return ast.unparse(node)  # `1 + 2j` and `set()`


def _pairs(node: ast.Dict) -> list[tuple[ast.expr, ast.expr]]:
    return [(key, item) for key, item in zip(node.keys, node.values, strict=True) if key is not None]


def _constant(node: ast.Constant, source: str) -> str:
    value = node.value
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bytes):
        plain = repr(value)
        return plain if '"' in plain else f'b"{plain[2:-1]}"'
    if value is ...:
        return "..."
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        return repr(value)
    return _number(ast.get_source_segment(source, node) or repr(value))


def _number(text: str) -> str:
    """A number as the author wrote it, in the letters that formatters prefer."""
    lower = text.lower()
    if lower[:2] in ("0x", "0o", "0b"):
        return lower[:2] + lower[2:].upper()
    match = _NUMBER.match(lower)
    if match is None or not match["point"]:
        return lower
    return f"{match['whole'] or '0'}.{match['part'] or '0'}{match['power'] or ''}{match['unit']}"
