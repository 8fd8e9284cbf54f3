"""Imports of the notebooks, one a name: which are the same, and how they stand on top of a module."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import Import

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from nb2pipe.codegen.plan.source import Piece
    from nb2pipe.codegen.plan.syntax import Parts


def is_plain(node: ast.stmt) -> bool:
    """Whether a statement is an import that can stand on top of any module, each of its names for itself."""
    match node:
        case ast.Import():
            return True
        case ast.ImportFrom(level=level, names=names):
            return level == 0 and all(alias.name != "*" for alias in names) and not is_future(node)
        case _:
            return False


def is_future(node: ast.stmt) -> bool:
    """Whether it is a `from __future__ import`."""
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def imports_of(node: ast.stmt) -> Iterator[Import]:
    """The imports of a plain statement, one a name."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                bound = alias.asname or alias.name.partition(".")[0]
                yield Import(module=alias.name, name=None, bound=bound)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for alias in names:
                yield Import(module=module, name=alias.name, bound=alias.asname or alias.name)
        case _:
            return


def binders(piece: Piece, stars: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Hashable]]:
    """The names that a statement binds, each with what says whether another statement binds it to the same.

    Args:
        piece: The statement.
        stars: The names of star imports, by module.
    """
    if is_plain(piece.node):
        for one in imports_of(piece.node):
            top = one.module.partition(".")[0]
            same = ("module", top) if one.name is None and one.bound == top else ("import", one.module, one.name)
            yield one.bound, same
        return
    if isinstance(piece.node, ast.Try | ast.If | ast.ImportFrom):
        same = ("text", ast.dump(piece.node))
    else:
        same = ("place", str(piece.place))
    for name in {*piece.flow.bound, *star_names(piece.parts, stars)}:
        yield name, same


def star_names(parts: Parts, stars: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The names that star imports in a statement bind, as far as they are known."""
    return frozenset(name for module in _starred(parts) for name in stars.get(module, ()))


def unknown_star(parts: Parts, stars: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a statement holds a star import whose names are not known."""
    return any(module not in stars for module in _starred(parts))


def _starred(parts: Parts) -> list[str]:
    return [_dotted(part) for part in parts.of(ast.ImportFrom) if part.names[0].name == "*"]


def modules_of(parts: Parts) -> frozenset[str]:
    """The modules that a statement imports, or may import: a name taken from a package may be one."""
    found = {alias.name for part in parts.of(ast.Import) for alias in part.names}
    for part in parts.of(ast.ImportFrom):
        base = _dotted(part)
        found |= {base, *(f"{base}.{alias.name}".lstrip(".") for alias in part.names)}
    return frozenset(found)


def _dotted(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")
