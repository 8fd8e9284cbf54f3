"""Which modules a Python text imports, inside functions too."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nb2pipe.runtime.markers import find, markers

if TYPE_CHECKING:
    from collections.abc import Iterator

_MISSING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A module that is imported, or may be: a name taken from a package may be a module too.

    Attributes:
        module: Dotted and absolute.
        line: Line of the text, from 1.
        optional: The code goes on without it.
        cell: Position of the notebook's cell that the text stands in; None where that is not known.
        cell_line: The line within that cell.
        notebook: The file name of a nested notebook; None for the notebook itself.
    """

    module: str
    line: int
    optional: bool = False
    cell: int | None = None
    cell_line: int | None = None
    notebook: str | None = None


def imported(text: str, package: str = "") -> tuple[Imported, ...]:
    r"""The modules that a text imports, in the order of its lines; those for type checkers alone are left out.

    Args:
        text: Python.
        package: The package that relative imports count from.

    >>> [each.module for each in imported("import os.path\nfrom google.cloud import storage")]
    ['os.path', 'google.cloud', 'google.cloud.storage']
    """
    if "import" not in text:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
    found = [replace(each, module=name) for each in _walk(tree) if (name := _absolute(each.module, package))]
    return tuple(_placed(text, tree, sorted(found, key=lambda each: each.line)))


def _walk(tree: ast.Module) -> Iterator[Imported]:
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, optional = waiting.pop()
        yield from _modules(node, optional=optional)
        waiting += [(child, optional or may_miss) for child, may_miss in reversed(list(_children(node)))]


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """What stands within a node, and whether an import there may fail."""
    if isinstance(node, ast.If) and _for_type_checkers(node.test):
        yield from ((child, False) for child in node.orelse)
        return
    guarded = node.body if isinstance(node, ast.Try) and any(map(_catches_missing, node.handlers)) else []
    for child in ast.iter_child_nodes(node):
        yield child, any(child is each for each in guarded)


def _for_type_checkers(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(each, ast.Name) and each.id in _MISSING for each in named)


def _modules(node: ast.AST, *, optional: bool) -> Iterator[Imported]:
    match node:
        case ast.Import(names=names, lineno=line):
            yield from (Imported(module=alias.name, line=line, optional=optional) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level, lineno=line):
            base = "." * level + (module or "")
            yield Imported(module=base, line=line, optional=optional)
            joint = "" if base.endswith(".") else "."
            for alias in names:
                if alias.name != "*":
                    yield Imported(module=f"{base}{joint}{alias.name}", line=line, optional=optional)
        case ast.Call(
            func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
            lineno=line,
        ):
            yield Imported(module=name, line=line, optional=optional)
        case _:
            pass


def _absolute(module: str, package: str) -> str:
    """A relative module as an absolute one; empty where it leaves the package, or is no module's name."""
    level = len(module) - len(module.lstrip("."))
    name = module[level:]
    if level:
        parts = package.split(".") if package else []
        if len(parts) < level:
            return ""
        name = ".".join([*parts[: len(parts) - level + 1], *([name] if name else [])])
    return name if all(part.isidentifier() for part in name.split(".")) else ""


def _placed(text: str, tree: ast.Module, found: list[Imported]) -> Iterator[Imported]:
    """The same, each with the cell that it stands in, as the comment above it says."""
    known = markers(text, tree) if "# %% " in text else ()
    for each in found:
        place = find(known, each.line)
        yield each if place is None else replace(each, cell=place.cell, cell_line=place.line, notebook=place.notebook)
