"""Which statements are definitions that steps repeat: imports anywhere, functions and classes of definition cells."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import Definition, DefinitionKind
from nb2pipe.analysis.names import module_block
from nb2pipe.notebook.sections import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLES_WITH_FUNCTIONS = frozenset({Role.DEFINITIONS, Role.PARAMETERS, Role.INJECTED})
_SIMPLE = (ast.Constant, ast.Name, ast.Attribute, ast.expr_context)


@dataclass(slots=True)
class Defined:
    """A definition, and what was seen when it was followed.

    Attributes:
        eager: The names that it reads when it is executed, rather than when it is called.
        imports: The modules that it imports.
        future: It is a `from __future__`, which holds for all later cells.
    """

    definition: Definition
    eager: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    future: bool = False


def definition_kind(statement: ast.stmt, role: Role) -> DefinitionKind | None:
    """What a top-level statement defines; None where it is code that runs once."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)) or _only_imports(statement):
        return DefinitionKind.IMPORT
    if role not in _ROLES_WITH_FUNCTIONS:
        return None
    if isinstance(statement, ast.ClassDef):
        return DefinitionKind.CLASS
    return DefinitionKind.FUNCTION if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _only_imports(statement: ast.stmt) -> bool:
    """Whether a `try` or `if` does nothing but import, with constants for what cannot be imported."""
    if not isinstance(statement, (ast.Try, ast.If)):
        return False
    parts = [part for part in ast.walk(statement) if isinstance(part, ast.stmt)]
    imports = any(isinstance(part, (ast.Import, ast.ImportFrom)) for part in parts)
    return imports and all(_is_harmless(part) for part in parts)


def _is_harmless(part: ast.stmt) -> bool:
    match part:
        case ast.Import() | ast.ImportFrom() | ast.Try() | ast.Pass():
            return True
        case ast.If():
            return not any(isinstance(inner, ast.Call) for inner in ast.walk(part.test))
        case ast.Assign():
            names = all(isinstance(target, ast.Name) for target in part.targets)
            return names and all(isinstance(inner, _SIMPLE) for inner in ast.walk(part.value))
        case ast.Expr():
            return isinstance(part.value, ast.Constant)
        case _:
            return False


def definition(
    statement: ast.stmt, kind: DefinitionKind, cell: int, star_exports: Mapping[str, tuple[str, ...]]
) -> Definition:
    """The definition that a statement is."""
    block = module_block([statement])
    decorators = statement.decorator_list if hasattr(statement, "decorator_list") else []
    return Definition(
        names=tuple(sorted(_names(statement, star_exports))),
        kind=kind,
        cell=cell,
        first_line=min([statement.lineno, *(decorator.lineno for decorator in decorators)]),
        last_line=statement.end_lineno or statement.lineno,
        reads=block.free(),
        module=_module(statement),
    )


def _names(statement: ast.stmt, star_exports: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = module_block([statement]).bound - {"*"}
    for part in ast.walk(statement):
        if isinstance(part, ast.ImportFrom) and any(alias.name == "*" for alias in part.names):
            found |= set(star_exports.get(module_of(part), ()))
    return found


def _module(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Import(names=[alias]):
            return alias.name
        case ast.Import(names=[alias, *_]):
            return alias.name
        case ast.ImportFrom():
            return module_of(statement)
        case _:
            return None


def module_of(statement: ast.ImportFrom) -> str:
    """The module that names are imported from, with the dots of a relative import."""
    return "." * statement.level + (statement.module or "")


def is_future(statement: ast.stmt) -> bool:
    """Whether it is a `from __future__ import`."""
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
