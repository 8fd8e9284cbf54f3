"""What hurts when a notebook runs where its author is not: the checks of codes NB250 to NB299, and what they share."""

from __future__ import annotations

import ast
import importlib
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from nb2pipe.diagnostics import Location
from nb2pipe.notebook.private import with_private_names
from nb2pipe.notebook.sections import Role, sections

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.notebook.sections import Section

_CHECKS = (
    "nb250_absolute_path",
    "nb251_fixed_device",
    "nb252_credential_in_code",
    "nb253_waits_for_input",
    "nb254_installs_packages",
    "nb255_local_address",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A code cell with its syntax.

    Attributes:
        cell: The cell.
        tree: Its syntax.
        step: The step that it belongs to, if any.
        role: What it is in the pipeline.
    """

    cell: Cell
    tree: ast.Module
    step: str | None
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The code cells of a notebook, those that tags leave out of the pipeline too, each with its part in it."""

    notebook: Notebook
    sections: tuple[Section, ...]

    def mentioning(self, words: re.Pattern[str], *, skipped: bool = False) -> Iterator[Source]:
        """The cells whose text holds a word, read.

        Args:
            words: What makes a cell worth reading.
            skipped: Those that tags leave out of the pipeline too.
        """
        for section in self.sections:
            cell = self.notebook.cell(section.cell)
            if (section.role is Role.SKIPPED and not skipped) or not words.search(cell.source):
                continue
            tree = parsed(cell.python)
            if tree is not None:
                yield Source(cell=cell, tree=tree, step=section.step, role=section.role)


class _Check(Protocol):
    def check(self, code: Code) -> Iterator[Diagnostic]: ...


def production(notebook: Notebook) -> Iterator[Diagnostic]:
    """All that hurts in production.

    Args:
        notebook: The notebook.
    """
    code = Code(notebook=notebook, sections=sections(notebook))
    for name in _CHECKS:
        module: _Check = importlib.import_module(f"nb2pipe.analysis.checks.{name}")
        yield from module.check(code)


@lru_cache(maxsize=256)
def parsed(python: str) -> ast.Module | None:
    """The syntax of a source text, or None where it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return with_private_names(ast.parse(python), python)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def node_place(notebook: Notebook, source: Source, node: ast.expr | ast.stmt | ast.keyword) -> Location:
    """The place of a piece of syntax.

    Args:
        notebook: The notebook.
        source: The cell that it is of.
        node: The piece.
    """
    line = line_of(source.cell, node.lineno)
    encoded = line.encode()
    one_line = node.end_lineno == node.lineno and node.end_col_offset is not None
    return Location(
        notebook=notebook.path,
        cell=source.cell.id,
        position=source.cell.position,
        line=node.lineno,
        column=len(encoded[: node.col_offset].decode(errors="replace")) + 1,
        end_column=len(encoded[: node.end_col_offset].decode(errors="replace")) + 1 if one_line else None,
        source_line=line,
        step=source.step,
    )


def line_place(notebook: Notebook, source: Source, line: int, text: str | None = None) -> Location:
    """The place of a whole line.

    Args:
        notebook: The notebook.
        source: The cell that it is of.
        line: From 1.
        text: What to show for it; the line itself where it is None.
    """
    return Location(
        notebook=notebook.path,
        cell=source.cell.id,
        position=source.cell.position,
        line=line,
        source_line=line_of(source.cell, line) if text is None else text,
        step=source.step,
    )


def line_of(cell: Cell, number: int) -> str:
    """A line of a cell, as the author wrote it; empty where there is none."""
    lines = cell.source.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def texts(tree: ast.Module) -> Iterator[tuple[ast.Constant, ast.AST]]:
    """The texts in a piece of code that are not documentation, each with what it stands in."""
    documentation = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for statement in node.body[:1]
        if isinstance(statement, ast.Expr)
    }
    for parent in ast.walk(tree):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                yield node, parent


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of attributes; empty where it is something else.

    >>> dotted(ast.parse("torch.cuda.set_device", mode="eval").body)
    'torch.cuda.set_device'
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def last_name(node: ast.expr) -> str:
    """The name that a target or key ends in; empty where it has none.

    >>> last_name(ast.parse("settings['paths'].data", mode="eval").body)
    'data'
    """
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
        case ast.Subscript(slice=index):
            return last_name(index)
        case _:
            return ""
