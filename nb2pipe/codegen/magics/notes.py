"""What is noted while a cell's magics become text of a module: helpers, requirements, and what modules cannot hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.words import quoted
from nb2pipe.notebook.interpolation import parts

if TYPE_CHECKING:
    from nb2pipe.notebook.interpolation import BoundNames, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A magic that a module does not hold as it is.

    Attributes:
        line: The line of the cell.
        message: What there is to say.
        hint: What the author can do; None where nothing has to be done.
        refused: It keeps the notebook from becoming modules.
    """

    line: int
    message: str
    hint: str | None = None
    refused: bool = False


@dataclass(slots=True, kw_only=True)
class Notes:
    """Collects what is noted of one cell.

    Attributes:
        bound: The names that the notebook binds.
        taken: Names that a helper may not have in the module.
        helpers: What is imported, by the name of the helper.
        requirements: What `pip install` lines ask for.
        notes: What modules cannot hold, or do without.
        indent: What stands before the magic that is read.
    """

    bound: BoundNames
    taken: frozenset[str] = frozenset()
    helpers: dict[str, str] = field(default_factory=dict)
    requirements: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    indent: str = ""

    def helper(self, name: str) -> str:
        """The name that a helper has in the module."""
        shown = name
        while shown in self.taken:
            shown += "_"
        self.helpers[name] = name if shown == name else f"{name} as {shown}"
        return shown

    def call(self, helper: str, *arguments: str) -> str:
        """The call of a helper."""
        return f"{self.helper(helper)}({', '.join(arguments)})"

    def drop(self, line: int, message: str, hint: str | None = None) -> str:
        """Notes that something is left out; what stands for it."""
        self.notes.append(Note(line=line, message=message, hint=hint))
        return "pass"

    def refuse(self, line: int, message: str, hint: str) -> str:
        """Notes that something cannot stand in a module; what stands for it."""
        self.notes.append(Note(line=line, message=message, hint=hint, refused=True))
        return "pass"

    def command(self, text: str) -> str:
        """A command as a Python expression, with what IPython puts into it."""
        return command_text(parts(text, self.bound.at(self.indent)))

    def in_order(self) -> list[Note]:
        """The notes that say something, by their lines."""
        return sorted((note for note in self.notes if note.message), key=lambda note: note.line)

    def is_fixed(self, text: str) -> bool:
        """Whether IPython puts nothing into a command."""
        return all(part.expression is None for part in parts(text, self.bound.at(self.indent)))


def command_text(found: tuple[Part, ...]) -> str:
    """The Python expression of a command: a string, a format string, or a call of `format` where that has to be.

    >>> from nb2pipe.notebook.interpolation import BoundNames, parts
    >>> print(command_text(parts("cp {src} $dst/a", BoundNames(frozenset({"src", "dst"})))))
    f"cp {src} {dst}/a"
    """
    expressions = [part.expression for part in found if part.expression is not None]
    if not expressions:
        return quoted("".join(part.text for part in found))
    mark = _mark(expressions)
    if mark is None:
        template = "".join(_braced(part.text) + _field(part, "") for part in found)
        return f"{quoted(template)}.format({', '.join(expressions)})"
    return f"f{mark}{''.join(_braced(_inside(part.text, mark)) + _field(part) for part in found)}{mark}"


def _mark(expressions: list[str]) -> str | None:
    """The quotes of a format string that can hold the expressions on every Python; None where there are none."""
    text = "".join(expressions)
    if set("\\#\n") & set(text) or any(each[0] == "{" or "lambda" in each for each in expressions):
        return None
    return next((mark for mark in ('"', "'") if mark not in text), None)


def _field(part: Part, shown: str | None = None) -> str:
    if part.expression is None:
        return ""
    conversion = "" if part.conversion is None else f"!{part.conversion}"
    return f"{{{part.expression if shown is None else shown}{conversion}}}"


def _inside(text: str, mark: str) -> str:
    """A text as it stands between some quotes."""
    literal = quoted(text)
    if literal[0] == mark:
        return literal[1:-1]
    return literal[1:-1].replace(f"\\{literal[0]}", literal[0]).replace(mark, f"\\{mark}")


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
