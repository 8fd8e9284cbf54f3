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
_MARKS = frozenset("{}$")
_CONVERSIONS = frozenset({None, "r", "s", "a"})
_NEVER = (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr)


@dataclass(frozen=True, slots=True)
class BoundNames:
    """The names that a notebook binds somewhere.

    Attributes:
        names: The names that its text shows.
        star: Whether it has a star import, whose names are not known here.
        inner: The arguments of its functions, and the names of caught errors: bound inside of blocks only.
    """

    names: frozenset[str] = frozenset()
    star: bool = False
    inner: frozenset[str] = frozenset()

    def at(self, indent: str) -> BoundNames:
        """The names that may be bound in a line with some indentation."""
        return BoundNames(self.names | self.inner, self.star) if indent[:1].isspace() else self

    def has(self, name: str, *, dollar: bool) -> bool:
        """Whether a name in a command is one of the notebook's; `$HOME` is the shell's unless the notebook binds it."""
        return name in self.names or hasattr(builtins, name) or (self.star and not dollar)


@dataclass(slots=True)
class _Collector:
    names: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    star: bool = False

    def add(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                self.names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.names.add(name)
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                self.inner.add(name)
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
    return BoundNames(frozenset(collector.names), collector.star, frozenset(collector.inner))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a command: text, and the expression that comes after it.

    Attributes:
        text: As the command gets it.
        expression: Python whose value comes next; None at the end.
        conversion: `r`, `s` or `a`, as in a format string.
    """

    text: str
    expression: str | None = None
    conversion: str | None = None


def expressions(command: str, bound: BoundNames) -> tuple[str, ...]:
    """The Python expressions that IPython evaluates to build a command.

    >>> expressions("cp {src} $dst", BoundNames(frozenset({"src", "dst"})))
    ('src', 'dst')
    """
    found = (part.expression for part in parts(command, bound))
    return tuple(dict.fromkeys(expression for expression in found if expression is not None))


def parts(command: str, bound: BoundNames) -> tuple[Part, ...]:
    """What IPython makes a command of.

    IPython leaves the command as it is if one of the expressions cannot be evaluated (`awk '{print $1}'`, `$HOME`).

    >>> parts("cp {src} $HOME", BoundNames(frozenset({"src"})))
    (Part(text='cp {src} $HOME', expression=None, conversion=None),)
    """
    unchanged = (Part(command),)
    if len(command) > _LONGEST or not _MARKS & set(command):
        return unchanged
    try:
        found = tuple(_parts(command))
    except ValueError:
        return unchanged
    if all(_evaluates(part, bound, dollar=dollar) for part, dollar in found):
        return tuple(part for part, _ in found)
    return unchanged


def _parts(command: str) -> Iterator[tuple[Part, bool]]:
    """Each part, and whether its expression is written with a dollar."""
    for literal, name, specification, conversion in string.Formatter().parse(command):
        text, end = "", 0
        for found in _DOLLAR.finditer(literal):
            text += literal[end : found.start()]
            end = found.end()
            if found.group(1).startswith("$"):
                text += found.group(1)
            else:
                yield Part(text, found.group(1)), True
                text = ""
        # IPython knows no format specifications, so that `{x[1:2]}` and the like hold.
        whole = f"{name}:{specification}" if specification else name
        yield Part(text + literal[end:], None if whole is None else whole.strip(), conversion), False


def _evaluates(part: Part, bound: BoundNames, *, dollar: bool) -> bool:
    if part.expression is None:
        return True
    tree = parsed_expression(part.expression)
    if tree is None or part.conversion not in _CONVERSIONS:
        return False
    nodes = [*ast.walk(tree)]
    if any(isinstance(node, _NEVER) for node in nodes):
        return False
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    reads = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)} - own
    return all(bound.has(name, dollar=dollar) for name in reads)
