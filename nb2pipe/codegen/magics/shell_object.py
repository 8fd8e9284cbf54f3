"""`get_ipython()` and `display()` in plain Python: names that Jupyter brings, and that modules have to do without."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.codegen.magics.lines import DROPPED, HARMLESS_EXTENSIONS, HINT
from nb2pipe.notebook.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.codegen.magics.notes import Notes

_BROUGHT = ("display", "get_ipython")


def without_shell_object(text: str, notes: Notes) -> str:
    """The text without calls of magics that only concern Jupyter, and with helpers for the names that Jupyter brings.

    Args:
        text: Plain Python.
        notes: Takes the helpers, and what cannot be held.
    """
    if not any(name in text for name in _BROUGHT):
        return text
    tree = parsed(text)
    if tree is None:
        return text
    dropped = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and _is_dropped(node.value)]
    for statement in dropped:
        notes.drop(statement.lineno, "a call of IPython that only concerns Jupyter is left out")
    text = _passed(text, dropped)
    tree = parsed(text) or tree
    _note_methods(tree, notes)
    _note_names(tree, notes)
    return text


def _shell_method(node: ast.AST) -> str | None:
    """The attribute of `get_ipython()` that an expression takes."""
    match node:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=name):
            return name
        case _:
            return None


def _is_dropped(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=func, args=[ast.Constant(value=str(first)), *rest]) if _shell_method(func) in {
            "run_line_magic",
            "magic",
        }:
            words = [first, *(each.value for each in rest if isinstance(each, ast.Constant))]
            name, _, arguments = " ".join(map(str, words)).strip().lstrip("%").partition(" ")
            return name in DROPPED or (name in {"load_ext", "reload_ext"} and arguments in HARMLESS_EXTENSIONS)
        case _:
            return False


def _passed(text: str, statements: Iterable[ast.Expr]) -> str:
    """The text with `pass` for some statements, in the same lines."""
    rows = [row.encode() for row in text.split("\n")]
    for node in sorted(statements, key=lambda each: (each.lineno, each.col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        rest = rows[last][node.end_col_offset or 0 :]
        rows[first] = rows[first][: node.col_offset] + b"pass" + rest
        for number in range(first + 1, last + 1):
            rows[number] = b""
    return "\n".join(row.decode() for row in rows)


def _note_methods(tree: ast.AST, notes: Notes) -> None:
    for node in ast.walk(tree):
        name = _shell_method(node)
        if name is not None and not name.startswith("__"):
            notes.refuse(getattr(node, "lineno", 1), f"modules have no IPython: `get_ipython().{name}`", HINT)


def _note_names(tree: ast.AST, notes: Notes) -> None:
    read = {node.id: node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in _BROUGHT:
        if name in read and name not in notes.bound.names:
            notes.helpers[name] = name
