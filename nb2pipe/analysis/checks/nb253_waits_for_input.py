"""The code waits for somebody to type something.

In a pipeline there is nobody to answer: `input()` ends with an error, a debugger waits for ever.

    name = input("Which file? ")

What to do: make the answer a parameter, in a cell tagged `parameters`; take a password from an environment variable.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.production import dotted, node_place
from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.checks.production import Code

CODE = "NB253"
_WORTH_READING = re.compile(r"input|getpass|breakpoint|set_trace")

_CALLS = frozenset(
    {"input", "raw_input", "getpass", "getpass.getpass", "breakpoint", "pdb.set_trace", "ipdb.set_trace"}
)


def check(code: Code) -> Iterator[Diagnostic]:
    """The calls that wait for an answer."""
    found = tuple(code.mentioning(_WORTH_READING))
    own = {name for source in found for name in _bound(source.tree)}
    for source in found:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and dotted(node.func) in _CALLS - own:
                yield Diagnostic(
                    code=CODE,
                    severity=Severity.WARNING,
                    message=f"`{dotted(node.func)}()` waits for an answer, and in a pipeline nobody gives one",
                    location=node_place(code.notebook, source, node),
                    hint="make the answer a parameter, or take it from an environment variable",
                )


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names of functions and variables that the notebook defines itself, which then are not Python's."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case _:
                pass
