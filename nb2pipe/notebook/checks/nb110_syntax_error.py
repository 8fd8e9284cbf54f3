"""A cell is not valid Python.

Python cannot compile the cell, so what it defines and uses is not known, and it would fail as soon as its
step reaches it. IPython's syntax is fine (`%time f()`, `!ls`, `obj?`), and so is `await` outside a function.
What Jupyter calls automagic is not: write `%cd data`, not `cd data`.

In a cell tagged `raises-exception` it is a warning: there the error may be wanted, and the step goes on after it.

What to do: mend the line, or tag the cell `skip` if it is not part of the pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from nb2pipe.notebook.syntax import SyntaxProblem

CODE = "NB110"

_AUTOMAGICS = frozenset(
    {"cat", "cd", "conda", "cp", "env", "ls", "matplotlib", "mkdir", "mv", "pip", "prun", "pwd", "reset", "rm", "rmdir"}
    | {"run", "time", "timeit", "uv", "who", "whos"}
)
"""Magics that IPython also takes without a percent sign."""


def syntax_error(problem: SyntaxProblem, location: Location, *, may_raise: bool) -> Diagnostic:
    """The diagnostic of a cell that Python cannot compile."""
    severity = Severity.WARNING if may_raise else Severity.ERROR
    message = f"the cell is no valid Python: {shown(problem.message)}"
    return Diagnostic(code=CODE, severity=severity, message=message, location=location, hint=_hint(location))


def _hint(location: Location) -> str:
    words = (location.source_line or "").split()
    if words and words[0] in _AUTOMAGICS:
        return f"write `%{words[0]}`: magics without a percent sign are not understood here"
    return "mend the line, or tag the cell `skip` if it is not part of the pipeline"
