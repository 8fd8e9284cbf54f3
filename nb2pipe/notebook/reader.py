"""Reads the IPython syntax of a cell, once for all who need it: each says in words of their own what stands for it."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nb2pipe.notebook.lexer import Piece, pieces
from nb2pipe.notebook.model import Magic, MagicKind
from nb2pipe.notebook.syntax import SyntaxProblem, parsed, syntax_problem

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT_MAGICS = frozenset({"bash", "sh", "script", "perl", "ruby", "python", "python2", "python3", "pypy"})
"""Cell magics whose body another program runs."""

_VALUED_OPTIONS = {"timeit": "nrpv", "prun": "DlsT", "memit": "rti", "mprun": "fTM", "lprun": "fmDTsu"}

_IPYTHON_PROMPT = re.compile(r"(\[(?:nav|ins)\])? ?In \[\d+\]: |\s*\.{3,}: ?")
_CLASSIC_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.)(?: |$)")
_CELL_HELP = re.compile(r"%%\w+\?")
_OPTION = re.compile(r"-(?:-[\w-]*|(\w)(\S*))(?:\s+|$)")
_SCRIPT_OUTPUT = re.compile(r"--(?:out|err|proc)[=\s]\s*([^\W\d]\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A piece of IPython syntax where it stands.

    Attributes:
        magic: What it is.
        text: It as written, with joined lines made one.
        before: What stands before it in its line: indentation, or `names = `.
    """

    magic: Magic
    text: str
    before: str

    @property
    def bare(self) -> bool:
        """Whether it is a statement, rather than the value of one."""
        return not self.before.strip()


class Wording(Protocol):
    """What stands for IPython syntax."""

    def line(self, found: Found) -> str:
        """What stands for a piece and what is before it in its line; one line."""

    def cell(self, magic: Magic, read: Callable[[str, int], str]) -> tuple[str, str]:
        """What stands for a cell magic: its first line, and its body, which has as many lines as before.

        Args:
            magic: The cell magic.
            read: Reads a text that begins at a line of the cell in turn; the body may begin with another cell magic.
        """


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell's source, read.

    Attributes:
        text: What stands for it, in the same lines; empty where the source is wrong.
        magics: The IPython syntax, in the order of its lines.
        problem: What is wrong with the source.
    """

    text: str
    magics: tuple[Magic, ...] = ()
    problem: SyntaxProblem | None = None


def read_source(source: str, wording: Wording) -> Reading:
    """Reads a cell's source; plain Python stays as it is.

    Args:
        source: A code cell's text.
        wording: Says what stands for IPython syntax.
    """
    problem = syntax_problem(source)
    if problem is None and not _IPYTHON_PROMPT.match(source):
        return Reading(source)
    reader = _Reader(wording)
    try:
        text = reader.cell(source)
    except RecursionError:
        return Reading("", (), SyntaxProblem("the cell magics are nested too deeply", 1))
    wrong = syntax_problem(text)
    if wrong is not None:
        return Reading("", tuple(reader.magics), _at_source(wrong, source, text))
    return Reading(text, tuple(reader.magics))


def without_options(name: str, arguments: str) -> str:
    """The code that a line magic such as `%timeit -n 10 f()` runs."""
    rest = arguments.strip()
    while found := _OPTION.match(rest):
        letter, attached = found.group(1), found.group(2)
        rest = rest[found.end() :]
        if letter and letter in _VALUED_OPTIONS.get(name, "") and not attached:
            rest = rest.partition(" ")[2].lstrip()
    return rest


def _at_source(problem: SyntaxProblem, source: str, text: str) -> SyntaxProblem:
    """The problem as it stands in the source: a line that was translated has other columns."""
    written, read = source.split("\n"), text.split("\n")
    line = min(problem.line, len(written))
    if written[line - 1] == read[problem.line - 1]:
        return problem
    return SyntaxProblem(problem.message, line)


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
    """Reads one cell and notes its magics."""

    wording: Wording
    magics: list[Magic] = field(default_factory=list)

    def cell(self, text: str, line: int = 1) -> str:
        """A cell's text, or the body of a cell magic, which may begin with another one."""
        text = _without_indent(text)
        stripped = text.lstrip("\n")
        if stripped.startswith("%%") and not _CELL_HELP.match(stripped):
            return self._cell_magic(text, line)
        parts, position = [], 0
        for piece in pieces(text):
            first = piece.start + piece.column
            at = line + text.count("\n", 0, first)
            parts += [text[position : piece.start], self._piece(text[piece.start : first], piece, at)]
            parts.append("\n" * text.count("\n", first, piece.end))
            position = piece.end
        return "".join([*parts, text[position:]])

    def _piece(self, before: str, piece: Piece, line: int) -> str:
        if piece.help is not None:
            return self._help(before, piece, piece.help, line, detailed=piece.detailed)
        match piece.text[0]:
            case "!":
                return self._shell(before, piece, line)
            case "%":
                return self._line_magic(before, piece, line)
            case "?":
                name = piece.text[1:].strip()
                return self._help(before, piece, name.lstrip("?").strip(), line, detailed=name.startswith("?"))
            case _:
                return before + _quick(piece.text)

    def _word(self, magic: Magic, before: str, piece: Piece) -> str:
        self.magics.append(magic)
        return self.wording.line(Found(magic=magic, text=piece.text, before=before))

    def _help(self, before: str, piece: Piece, name: str, line: int, *, detailed: bool) -> str:
        kind = "pinfo2" if detailed else "pinfo"
        return self._word(Magic(kind=MagicKind.HELP, name=kind, arguments=name, line=line), before, piece)

    def _shell(self, before: str, piece: Piece, line: int) -> str:
        command = piece.text[1:] if before.strip() else piece.text.lstrip("!")
        magic = Magic(kind=MagicKind.SHELL, name="system", arguments=command, line=line, target=_target(before))
        return self._word(magic, before, piece)

    def _line_magic(self, before: str, piece: Piece, line: int) -> str:
        name, _, arguments = piece.text[1:].partition(" ")
        bound = _target(before) or _bound_by(name, arguments)
        magic = Magic(kind=MagicKind.LINE, name=name, arguments=arguments.strip(), line=line, target=bound)
        return self._word(magic, before, piece)

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
        self.magics.append(magic)
        first, body = self.wording.cell(magic, self.cell)
        return "\n" * skipped + first + ("\n" + body if has_body else "")


def _quick(text: str) -> str:
    """`,f a b`, `;f a b` and `/f a b`: calls without parentheses."""
    name, _, arguments = text[1:].strip().partition(" ")
    match text[0]:
        case ",":
            given = ", ".join(repr(word) for word in arguments.split())
        case ";":
            given = repr(arguments)
        case _:
            given = ", ".join(arguments.split())
    return f"{name}({given})"


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


def _cell_targets(name: str, arguments: str) -> tuple[str, ...]:
    if name == "capture":
        words = [word for word in arguments.split() if not word.startswith("-")]
        return tuple(word for word in words[-1:] if word.isidentifier())
    if name in SCRIPT_MAGICS:
        return tuple(dict.fromkeys(_SCRIPT_OUTPUT.findall(arguments)))
    return ()
