"""IPython syntax becomes plain Python of the same lines, so that `ast` reads a cell and line numbers hold.

The Python stands for what a magic does to the *names*; `Cell.magics` says what else it does. A magic that binds nothing
becomes `pass`, or the names that its command reads.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.notebook.interpolation import BoundNames, expressions
from nb2pipe.notebook.model import MagicKind
from nb2pipe.notebook.reader import SCRIPT_MAGICS, read_source, without_options
from nb2pipe.notebook.syntax import SyntaxProblem, parsed, parsed_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nb2pipe.notebook.model import Magic
    from nb2pipe.notebook.reader import Found

STATEMENT_MAGICS = frozenset({"time", "prun", "debug"})
"""Line magics that run the rest of the line in the notebook's names, and cell magics that run their body there."""

LOCAL_MAGICS = frozenset({"timeit", "memit", "mprun", "lprun"})
"""Magics that run a statement, or their body, in names of its own: they read the notebook's and bind nothing."""

FOREIGN_MAGICS = (
    frozenset({"!", "file", "system", "sx", "writefile"})
    | frozenset({"HTML", "SVG", "html", "javascript", "js", "latex", "markdown", "svg"})
    | SCRIPT_MAGICS
)
"""Cell magics of IPython whose body is no code of this notebook."""

_PYLAB = "import numpy, matplotlib; from matplotlib import pylab, mlab, pyplot; np = numpy; plt = pyplot"
_PYLAB_STARS = "from pylab import *; from numpy import *"


@dataclass(frozen=True, slots=True)
class Translation:
    """A cell's source, read.

    Attributes:
        python: Plain Python of the same lines; empty where the source is wrong.
        magics: The IPython syntax, in the order of its lines.
        problem: What is wrong with the source.
    """

    python: str
    magics: tuple[Magic, ...] = ()
    problem: SyntaxProblem | None = None


def translate(source: str, bound: BoundNames | None = None) -> Translation:
    r"""Plain Python of the same lines.

    Args:
        source: A code cell's text.
        bound: The names that the notebook binds; only those count as read by `!cp {name} .`.

    >>> translate("%matplotlib inline\nfiles = !ls").python
    "pass\nfiles = get_ipython().getoutput('ls')"
    """
    reading = read_source(source, _Names(bound or BoundNames()))
    return Translation(reading.text, reading.magics, reading.problem)


def interpolates(magics: Iterable[Magic]) -> bool:
    """Whether a command may hold names of the notebook, so that `translate` has to know which it binds."""
    return any("{" in magic.arguments or "$" in magic.arguments for magic in magics)


@dataclass(frozen=True, slots=True)
class _Names:
    """Says what IPython syntax does to names."""

    bound: BoundNames

    def line(self, found: Found) -> str:
        """What a piece does to names."""
        magic, here = found.magic, _Names(self.bound.at(found.before))
        match magic.kind:
            case MagicKind.HELP:
                return f"{found.before}pass"
            case MagicKind.SHELL:
                command = magic.arguments
                return found.before + here._result("getoutput", (command,), command, assigned=not found.bare)
            case _:
                return found.before + here._line_magic(magic, bare=found.bare)

    def cell(self, magic: Magic, read: Callable[[str, int], str]) -> tuple[str, str]:
        """The first line and the body, as Python."""
        if magic.name in STATEMENT_MAGICS or magic.name == "capture":
            return self._binding_line(magic), read(magic.body, magic.line + 1)
        if magic.name in LOCAL_MAGICS:
            return _local_body(magic, read)
        return self._binding_line(magic), "\n" * magic.body.count("\n")

    def _result(self, method: str, texts: tuple[str, ...], command: str, *, assigned: bool) -> str:
        """What a magic leaves: a value that nothing is known of where it is assigned, else the names that it reads."""
        read = [f"str(({text}))" for text in expressions(command, self.bound)]
        if assigned:
            return f"get_ipython().{method}({', '.join([*(repr(text) for text in texts), *read])})"
        return ", ".join(read) or "pass"

    def _line_magic(self, magic: Magic, *, bare: bool) -> str:
        name, arguments = magic.name, magic.arguments
        if name in STATEMENT_MAGICS:
            return _statement(name, arguments, bare=bare)
        if name in LOCAL_MAGICS:
            return _local_statement(name, arguments, bare=bare)
        if not bare:
            return self._result("run_line_magic", (name, arguments), arguments, assigned=True)
        return _binding(name, arguments, magic.target) or self._result("", (), arguments, assigned=False)

    def _binding_line(self, magic: Magic) -> str:
        value = self._result(
            "run_cell_magic", (magic.name, magic.arguments), magic.arguments, assigned=bool(magic.target)
        )
        return " = ".join([*magic.target, value])


def _local_body(magic: Magic, read: Callable[[str, int], str]) -> tuple[str, str]:
    """A class body: it runs at once, reads the notebook's names, and what it binds is gone with the class."""
    body = read(magic.body, magic.line + 1)
    setup = without_options(magic.name, magic.arguments)
    lines = body.split("\n")
    first = next(
        (number for number, text in enumerate(lines) if text.strip() and not text.lstrip().startswith("#")), None
    )
    if first is None:
        return "", body
    if setup and parsed(f"{setup}; {lines[first]}"):
        lines[first] = f"{setup}; {lines[first]}"
    inner = "\n".join(f"    {text}" if text.strip() else "" for text in lines)
    return "class _timed_:", f"{inner}\ndel _timed_"


def _binding(name: str, arguments: str, bound: tuple[str, ...]) -> str:
    """What a line magic binds or deletes, as Python; empty for nothing."""
    if name == "pylab":
        return _PYLAB if "--no-import-all" in arguments else f"{_PYLAB}; {_PYLAB_STARS}"
    if name == "xdel":
        words = [word for word in arguments.split() if word.isidentifier()]
        return f"del {', '.join(words)}" if words else ""
    if bound:
        return " = ".join([*bound, f"get_ipython().run_line_magic({name!r}, {arguments!r})"])
    return ""


def _statement(name: str, arguments: str, *, bare: bool) -> str:
    """`%time x = f()` runs the statement here; `r = %time f()` is the expression's value."""
    code = without_options(name, arguments)
    if not code:
        return "pass" if bare else "None"
    return code


def _local_statement(name: str, arguments: str, *, bare: bool) -> str:
    """`%timeit x = f()` reads and calls, but binds nothing."""
    code = without_options(name, arguments)
    read = ", ".join(f"({text})" for text in _values(code))
    if bare:
        return read or "pass"
    return f"get_ipython().run_line_magic({name!r}, {arguments!r}{', ' if read else ''}{read})"


def _values(code: str) -> list[str]:
    """The expressions of a statement, without what it binds."""
    if parsed_expression(code):
        return [code]
    tree = parsed(code)
    values: list[str] = []
    for statement in tree.body if tree else ():
        match statement:
            case ast.Expr(value=value) | ast.Assign(value=value) | ast.AugAssign(value=value):
                values.append(ast.unparse(value))
            case _:
                values += _names_read(statement)
    return values


def _names_read(statement: ast.stmt) -> list[str]:
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return sorted({node.id for node in names if isinstance(node.ctx, ast.Load)} - stored)
