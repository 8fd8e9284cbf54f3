"""What IPython puts into the commands of magics: `{expression}` and `$name`, which are uses of the notebook's names."""

from __future__ import annotations

import ast
import builtins
import re
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.notebook.syntax import parsed, parsed_expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A single-quoted part of the command is the shell's own, as in IPython.
_DOLLAR = re.compile(r"\$(\$?[\w.]+)(?=(?:[^']*'[^']*')*[^']*$)")
_LONGEST = 20_000
"""The pattern above takes quadratic time; no honest command is longer."""
_NEVER = (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr)


@dataclass(frozen=True, slots=True)
class BoundNames:
    """The names that a notebook binds somewhere.

    Attributes:
        names: The names that its text shows.
        star: Whether it has a star import, whose names are not known here.
    """

    names: frozenset[str] = frozenset()
    star: bool = False

    def has(self, name: str, *, dollar: bool) -> bool:
        """Whether a name in a command is one of the notebook's; `$HOME` is the shell's unless the notebook binds it."""
        return name in self.names or hasattr(builtins, name) or (self.star and not dollar)


@dataclass(slots=True)
class _Collector:
    names: set[str] = field(default_factory=set)
    star: bool = False

    def add(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                self.names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                self.star = self.star or any(alias.name == "*" for alias in aliases)
                self.names.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case _:
                pass


def bound_names(texts: Iterable[str]) -> BoundNames:
    """The names that Python texts bind; a text that is no Python binds none."""
    collector = _Collector()
    for text in texts:
        tree = parsed(text)
        for node in ast.walk(tree) if tree else ():
            collector.add(node)
    return BoundNames(frozenset(collector.names), collector.star)


def expressions(command: str, bound: BoundNames) -> tuple[str, ...]:
    """The Python expressions that IPython evaluates to build a command.

    IPython leaves the command as it is if one of them cannot be evaluated (`awk '{print $1}'`, `$HOME`), so then there
    are none.

    >>> expressions("cp {src} $dst", BoundNames(frozenset({"src", "dst"})))
    ('src', 'dst')
    """
    if len(command) > _LONGEST or ("{" not in command and "$" not in command):
        return ()
    try:
        fields = [*_fields(command)]
    except ValueError:
        return ()
    if all(_evaluates(text, bound, dollar=dollar) for text, dollar in fields):
        return tuple(dict.fromkeys(text.strip() for text, _ in fields))
    return ()


def _fields(command: str) -> Iterator[tuple[str, bool]]:
    """Each expression, and whether it is written with a dollar."""
    for literal, name, specification, _ in string.Formatter().parse(command):
        for found in _DOLLAR.finditer(literal):
            if not found.group(1).startswith("$"):
                yield found.group(1), True
        if name is not None:
            yield name, False
        if specification:
            yield from _fields(specification)


def _evaluates(text: str, bound: BoundNames, *, dollar: bool) -> bool:
    tree = parsed_expression(text.strip())
    if tree is None:
        return False
    nodes = [*ast.walk(tree)]
    if any(isinstance(node, _NEVER) for node in nodes):
        return False
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    reads = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)} - own
    return all(bound.has(name, dollar=dollar) for name in reads)
