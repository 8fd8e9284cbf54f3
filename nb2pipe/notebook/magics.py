"""IPython syntax becomes plain Python of the same lines, so that `ast` reads a cell and line numbers hold.

The Python stands for what a magic does to the *names*; `Cell.magics` says what else it does. A magic that binds nothing
becomes `pass`, or the names that its command reads.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.notebook.interpolation import BoundNames, expressions
from nb2pipe.notebook.lexer import Piece, pieces
from nb2pipe.notebook.model import Magic, MagicKind
from nb2pipe.notebook.syntax import SyntaxProblem, parsed, parsed_expression, syntax_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

STATEMENT_MAGICS = frozenset({"time", "prun", "debug"})
"""Line magics that run the rest of the line in the notebook's names, and cell magics that run their body there."""

LOCAL_MAGICS = frozenset({"timeit", "memit", "mprun", "lprun"})
"""Magics that run a statement, or their body, in names of its own: they read the notebook's and bind nothing."""

FOREIGN_MAGICS = frozenset(
    {"!", "file", "system", "sx", "writefile"}
    | {"HTML", "SVG", "html", "javascript", "js", "latex", "markdown", "svg"}
    | {"bash", "perl", "pypy", "python", "python2", "python3", "ruby", "script", "sh"}
)
"""Cell magics of IPython whose body is no code of this notebook."""

_SCRIPT_MAGICS = frozenset({"bash", "sh", "script", "perl", "ruby", "python", "python2", "python3", "pypy"})

_VALUED_OPTIONS = {"timeit": "nrpv", "prun": "DlsT", "memit": "rti", "mprun": "fTM", "lprun": "fmDTsu"}

_PYLAB = "import numpy, matplotlib; from matplotlib import pylab, mlab, pyplot; np = numpy; plt = pyplot"
_PYLAB_STARS = "from pylab import *; from numpy import *"

_IPYTHON_PROMPT = re.compile(r"(\[(?:nav|ins)\])? ?In \[\d+\]: |\s*\.{3,}: ?")
_CLASSIC_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.)(?: |$)")
_CELL_HELP = re.compile(r"%%\w+\?")
_OPTION = re.compile(r"-(?:-[\w-]*|(\w)(\S*))(?:\s+|$)")
_SCRIPT_OUTPUT = re.compile(r"--(?:out|err|proc)[=\s]\s*([^\W\d]\w*)")


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
    problem = syntax_problem(source)
    if problem is None and not _IPYTHON_PROMPT.match(source):
        return Translation(source)
    reader = _Reader(bound or BoundNames())
    try:
        python = reader.cell(source)
    except RecursionError:
        return Translation("", (), SyntaxProblem("the cell magics are nested too deeply", 1))
    wrong = syntax_problem(python)
    if wrong is not None:
        return Translation("", tuple(reader.magics), _at_source(wrong, source, python))
    return Translation(python, tuple(reader.magics))


def _at_source(problem: SyntaxProblem, source: str, python: str) -> SyntaxProblem:
    """The problem as it stands in the source: a line that was translated has other columns."""
    written, read = source.split("\n"), python.split("\n")
    line = min(problem.line, len(written))
    if written[line - 1] == read[problem.line - 1]:
        return problem
    return SyntaxProblem(problem.message, line)


def interpolates(magics: Iterable[Magic]) -> bool:
    """Whether a command may hold names of the notebook, so that `translate` has to know which it binds."""
    return any("{" in magic.arguments or "$" in magic.arguments for magic in magics)


def _without_indent(source: str) -> str:
    """The source as IPython takes it: without common indentation and prompts, leading blank lines emptied."""
    lines = textwrap.dedent(source).split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    lines[:first] = [""] * first
    for prompt in (_CLASSIC_PROMPT, _IPYTHON_PROMPT):
        if prompt.match(lines[first]) and not lines[first].lstrip().startswith("."):
            lines = [prompt.sub("", line, count=1) for line in lines]
    return "\n".join(lines)


@dataclass(slots=True)
class _Reader:
    """Translates one cell and notes its magics."""

    bound: BoundNames
    magics: list[Magic] = field(default_factory=list)

    def cell(self, text: str, line: int = 1) -> str:
        """A cell's text, or the body of a cell magic, which may begin with another one."""
        text = _without_indent(text)
        stripped = text.lstrip("\n")
        if stripped.startswith("%%") and not _CELL_HELP.match(stripped):
            return self._cell_magic(text, line)
        parts, position = [], 0
        for piece in pieces(text):
            at = line + text.count("\n", 0, piece.start + piece.column)
            parts += [text[position : piece.start + piece.column], self._piece(text, piece, at)]
            parts.append("\n" * text.count("\n", piece.start + piece.column, piece.end))
            position = piece.end
        return "".join([*parts, text[position:]])

    def _piece(self, text: str, piece: Piece, line: int) -> str:
        before = text[piece.start : piece.start + piece.column]
        target = _target(before)
        if piece.help is not None:
            return self._help(piece.help, line, detailed=piece.detailed)
        if piece.text.startswith("!"):
            return self._shell(piece.text, line, target, bare=not before.strip())
        if piece.text.startswith("%"):
            return self._line_magic(piece.text[1:], line, target, bare=not before.strip())
        return self._quick(piece.text, line)

    def _note(self, magic: Magic) -> None:
        self.magics.append(magic)

    def _help(self, name: str, line: int, *, detailed: bool) -> str:
        self._note(Magic(kind=MagicKind.HELP, name="pinfo2" if detailed else "pinfo", arguments=name, line=line))
        return "pass"

    def _shell(self, text: str, line: int, target: tuple[str, ...], *, bare: bool) -> str:
        command = text.lstrip("!") if bare else text[1:]
        self._note(Magic(kind=MagicKind.SHELL, name="system", arguments=command, line=line, target=target))
        return self._result("getoutput", (command,), command, assigned=not bare)

    def _result(self, method: str, texts: tuple[str, ...], command: str, *, assigned: bool) -> str:
        """What a magic leaves: a value that nothing is known of where it is assigned, else the names that it reads."""
        read = [f"str(({text}))" for text in expressions(command, self.bound)]
        if assigned:
            return f"get_ipython().{method}({', '.join([*(repr(text) for text in texts), *read])})"
        return ", ".join(read) or "pass"

    def _line_magic(self, text: str, line: int, target: tuple[str, ...], *, bare: bool) -> str:
        name, _, arguments = text.partition(" ")
        bound = target or _bound_by(name, arguments)
        self._note(
            Magic(kind=MagicKind.LINE, name=name, arguments=arguments.strip(), line=line, target=bound),
        )
        if name in STATEMENT_MAGICS:
            return _statement(name, arguments, bare=bare)
        if name in LOCAL_MAGICS:
            return _local_statement(name, arguments, bare=bare)
        if not bare:
            return self._result("run_line_magic", (name, arguments.strip()), arguments, assigned=True)
        return _binding(name, arguments, bound) or self._result("", (), arguments, assigned=False)

    def _quick(self, text: str, line: int) -> str:
        """`,f a b`, `;f a b`, `/f a b` and `?`: calls without parentheses, and help."""
        escape, content = text[0], text[1:].strip()
        if escape == "?":
            return self._help(content.lstrip("?").strip(), line, detailed=content.startswith("?"))
        name, _, arguments = content.partition(" ")
        match escape:
            case ",":
                given = ", ".join(repr(word) for word in arguments.split())
            case ";":
                given = repr(arguments)
            case _:
                given = ", ".join(arguments.split())
        return f"{name}({given})"

    def _cell_magic(self, text: str, line: int) -> str:
        head, _, rest = text.lstrip("\n").partition("\n")
        skipped = len(text) - len(text.lstrip("\n"))
        has_body = "\n" in text.lstrip("\n")
        name, _, arguments = head[2:].rstrip().partition(" ")
        magic = Magic(
            kind=MagicKind.CELL,
            name=name,
            arguments=arguments.strip(),
            line=line + skipped,
            body=rest,
            target=_cell_targets(name, arguments),
        )
        self._note(magic)
        first, body = self._cell_parts(magic)
        return "\n" * skipped + first + ("\n" + body if has_body else "")

    def _cell_parts(self, magic: Magic) -> tuple[str, str]:
        """The first line and the body, as Python."""
        if magic.name in STATEMENT_MAGICS or magic.name == "capture":
            return self._binding_line(magic), self.cell(magic.body, magic.line + 1)
        if magic.name in LOCAL_MAGICS:
            return self._local_body(magic)
        return self._binding_line(magic), "\n" * magic.body.count("\n")

    def _binding_line(self, magic: Magic) -> str:
        value = self._result(
            "run_cell_magic", (magic.name, magic.arguments), magic.arguments, assigned=bool(magic.target)
        )
        return " = ".join([*magic.target, value])

    def _local_body(self, magic: Magic) -> tuple[str, str]:
        """A class body: it runs at once, reads the notebook's names, and what it binds is gone with the class."""
        body = self.cell(magic.body, magic.line + 1)
        setup = _without_options(magic.name, magic.arguments)
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


def _target(before: str) -> tuple[str, ...]:
    """The names that stand before `= !ls` or `= %magic`."""
    if "=" not in before:
        return ()
    tree = parsed(f"{before.strip()} None")
    if tree is None:
        return ()
    stores = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return tuple(node.id for node in stores)


def _bound_by(name: str, arguments: str) -> tuple[str, ...]:
    words = arguments.split()
    if name == "store" and "-r" in words:
        return tuple(word for word in words if word.isidentifier())
    return ()


def _binding(name: str, arguments: str, bound: tuple[str, ...]) -> str:
    """What a line magic binds or deletes, as Python; empty for nothing."""
    if name == "pylab":
        return _PYLAB if "--no-import-all" in arguments else f"{_PYLAB}; {_PYLAB_STARS}"
    if name == "xdel":
        words = [word for word in arguments.split() if word.isidentifier()]
        return f"del {', '.join(words)}" if words else ""
    if bound:
        return " = ".join([*bound, f"get_ipython().run_line_magic({name!r}, {arguments.strip()!r})"])
    return ""


def _cell_targets(name: str, arguments: str) -> tuple[str, ...]:
    if name == "capture":
        words = [word for word in arguments.split() if not word.startswith("-")]
        return tuple(word for word in words[-1:] if word.isidentifier())
    if name in _SCRIPT_MAGICS:
        return tuple(dict.fromkeys(_SCRIPT_OUTPUT.findall(arguments)))
    return ()


def _without_options(name: str, arguments: str) -> str:
    rest = arguments.strip()
    while found := _OPTION.match(rest):
        letter, attached = found.group(1), found.group(2)
        rest = rest[found.end() :]
        if letter and letter in _VALUED_OPTIONS.get(name, "") and not attached:
            rest = rest.partition(" ")[2].lstrip()
    return rest


def _statement(name: str, arguments: str, *, bare: bool) -> str:
    """`%time x = f()` runs the statement here; `r = %time f()` is the expression's value."""
    code = _without_options(name, arguments)
    if not code:
        return "pass" if bare else "None"
    return code


def _local_statement(name: str, arguments: str, *, bare: bool) -> str:
    """`%timeit x = f()` reads and calls, but binds nothing."""
    code = _without_options(name, arguments)
    read = ", ".join(f"({text})" for text in _values(code))
    if bare:
        return read or "pass"
    return f"get_ipython().run_line_magic({name!r}, {arguments.strip()!r}{', ' if read else ''}{read})"


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
