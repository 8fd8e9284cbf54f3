"""Which imports of a notebook may be made once for all its steps: only those that no other statement precedes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import CellKind, MagicKind, SkipTag
from nb2pipe.pipeline.blocks import block_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.notebook.model import Cell, Magic, Notebook
    from nb2pipe.pipeline.model import Step

_OURS = "nb2pipe"
"""Our own package: it watches imports, and is not to be there before it is asked for."""
_IDLE_MAGICS = {"matplotlib": "inline", "load_ext": "autoreload", "autoreload": "", "config": "InlineBackend."}
"""Magics that act on the shell alone, with how their arguments begin: no import after them is another for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyImport:
    """An import that may be made before the steps begin.

    Attributes:
        source: The statement.
        cell: Where it stands.
        line: In the cell, from 1.
        modules: The modules that it names.
    """

    source: str
    cell: int
    line: int
    modules: tuple[str, ...]


def early_imports(notebook: Notebook) -> tuple[EarlyImport, ...]:
    """The imports of a notebook that nothing else precedes which could decide on what they do.

    What merely binds a literal, or defines a function without running anything, decides on no import. Everything else
    might: `os.environ["OMP_NUM_THREADS"] = "1"` before `import torch` does.

    Args:
        notebook: The author's; it is only read.
    """
    found: list[EarlyImport] = []
    for cell in notebook.cells:
        if cell.kind is not CellKind.CODE or cell.has(SkipTag):
            continue
        for statement in _statements(cell):
            made = _import(statement, cell.position)
            if made is not None:
                found.append(made)
            elif not _is_idle(statement):
                return tuple(found)
    return tuple(found)


def needed_lines(steps: Iterable[Step], notebook: Notebook) -> dict[int, frozenset[int]]:
    """The lines that some of the steps run, by cell.

    Args:
        steps: Of the notebook.
        notebook: Their notebook.
    """
    found: dict[int, frozenset[int]] = {}
    for step in steps:
        for block in step.blocks:
            rows = block_text(notebook.cell(block.cell), block).split("\n")
            own = frozenset(number for number, row in enumerate(rows, start=1) if row.strip())
            found[block.cell] = found.get(block.cell, frozenset()) | own
    return found


_ANYTHING = ast.Raise()
"""Stands for what is no Python: nothing is known of it."""


def _statements(cell: Cell) -> Iterator[ast.stmt]:
    """The statements of a cell in order, without magics that act on the shell alone."""
    try:
        body = ast.parse(cell.python).body
    except (SyntaxError, ValueError):
        body = [_ANYTHING]
    if any(magic.kind is MagicKind.CELL for magic in cell.magics) or (cell.source.strip() and not cell.python.strip()):
        body = [_ANYTHING]
    for statement in body:
        magics = [magic for magic in cell.magics if _holds(statement, magic)]
        if not all(map(_is_idle_magic, magics)):
            yield _ANYTHING
        elif not magics:
            yield statement


def _holds(statement: ast.stmt, magic: Magic) -> bool:
    return statement is not _ANYTHING and statement.lineno <= magic.line <= (statement.end_lineno or 0)


def _is_idle_magic(magic: Magic) -> bool:
    begin = _IDLE_MAGICS.get(magic.name)
    return magic.kind is MagicKind.LINE and begin is not None and magic.arguments.startswith(begin)


def _import(statement: ast.stmt, cell: int) -> EarlyImport | None:
    match statement:
        case ast.Import(names=names):
            modules = tuple(alias.name for alias in names)
        case ast.ImportFrom(module=str(name), level=0):
            modules = (name,)
        case _:
            return None
    if any(_top(module) in {_OURS, "__future__"} for module in modules):
        return None
    return EarlyImport(source=ast.unparse(statement), cell=cell, line=statement.lineno, modules=modules)


def _top(module: str) -> str:
    return module.partition(".")[0]


def _is_idle(statement: ast.stmt) -> bool:
    """Whether a statement decides on no import that follows it."""
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
        case ast.Assign(targets=targets, value=value):
            return all(isinstance(target, ast.Name) for target in targets) and _is_literal(value)
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value is None or _is_literal(value)
        case ast.FunctionDef(decorator_list=[], args=arguments, returns=returns):
            defaults = [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
            return all(map(_is_literal, defaults)) and not any(_calls(part) for part in (arguments, returns))
        case ast.Import() | ast.ImportFrom():
            return _is_ours(statement)
        case _:
            return False


def _is_ours(statement: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [statement.module or ""]
    return all(_top(name) in {_OURS, "__future__"} for name in names)


def _calls(part: ast.AST | None) -> bool:
    return part is not None and any(isinstance(node, ast.Call) for node in ast.walk(part))


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
