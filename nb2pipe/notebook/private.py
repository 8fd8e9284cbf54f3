"""Names that begin with two underscores: in a class, Python takes `__name` for `_Class__name`."""

from __future__ import annotations

import ast
import re
from typing import TypeVar

_PRIVATE = re.compile(r"\b__\w+(?<!__)\b")
_NAMED = ("id", "attr", "arg", "name", "asname", "rest")

_Tree = TypeVar("_Tree", bound=ast.AST)


def with_private_names(tree: _Tree, text: str) -> _Tree:
    r"""The same tree, its private names written out; the tree itself is changed.

    Args:
        tree: The syntax.
        text: The text that it was read from.

    >>> text = "class Box:\n    def get(self):\n        return self.__items, __all__"
    >>> print(ast.unparse(with_private_names(ast.parse(text), text)))
    class Box:
    <BLANKLINE>
        def get(self):
            return (self._Box__items, __all__)
    """
    if "class" in text and _PRIVATE.search(text):
        _write_out(tree, "")
    return tree


def _write_out(node: ast.AST, owner: str) -> None:
    if isinstance(node, ast.ClassDef):
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            _write_out(part, owner)
        for part in node.body:
            _write_out(part, node.name.lstrip("_"))
        node.name = _private(node.name, owner)
        return
    if owner:
        _rename(node, owner)
    for part in ast.iter_child_nodes(node):
        _write_out(part, owner)


def _rename(node: ast.AST, owner: str) -> None:
    match node:
        case ast.keyword():
            return
        case ast.alias(asname=None, name=name) if _private(name, owner) != name:
            node.asname = _private(name, owner)
        case ast.alias(asname=str(name)):
            node.asname = _private(name, owner)
        case ast.alias():
            return
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            node.names = [_private(name, owner) for name in names]
        case _:
            for field in _NAMED:
                if isinstance(text := getattr(node, field, None), str):
                    setattr(node, field, _private(text, owner))


def _private(name: str, owner: str) -> str:
    """A name as Python has it in a class.

    >>> _private("__items", "Box"), _private("__init__", "Box"), _private("_items", "Box")
    ('_Box__items', '__init__', '_items')
    """
    if not owner or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    return f"_{owner}{name}"
