"""The author's code that a loop stands in: its variables, and its text as far as Python can show it."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.leftovers import Calls

if TYPE_CHECKING:
    from types import FrameType

_OWN = str(Path(__file__).parents[1])
_TOP = "<module>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a loop is run.

    Attributes:
        variables: Those that it sees; at top level the dictionary itself, in a function a copy.
        top: It is top-level code, whose variables can be set.
        file: The code's file name, as Python has it.
        line: Where the loop is.
        module: The dictionary of its module.
    """

    variables: dict[str, Any]
    top: bool
    file: str
    line: int
    module: dict[str, Any]

    @classmethod
    def of_caller(cls) -> Scope:
        """The author's code that runs now, past what libraries lay between."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # there is no other way
        while frame is not None and frame.f_back is not None and _is_between(frame):
            frame = frame.f_back
        assert frame is not None
        top = frame.f_code.co_name == _TOP
        variables = frame.f_globals if top else {**frame.f_globals, **frame.f_locals}
        return cls(
            variables=variables,
            top=top,
            file=frame.f_code.co_filename,
            line=frame.f_lineno,
            module=frame.f_globals,
        )

    @property
    def text(self) -> str:
        """The text of the file or cell; empty where Python does not know it."""
        return "".join(linecache.getlines(self.file, self.module))

    def loop(self) -> tuple[ast.Module, ast.For] | None:
        """The whole text and the innermost `for` loop whose head runs now; None where the text does not show it."""
        try:
            tree = ast.parse(self.text)
        except (SyntaxError, ValueError):
            return None
        loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and _is_head(node, self.line)]
        return (tree, max(loops, key=lambda node: node.lineno)) if loops else None

    def function(self, name: str) -> ast.FunctionDef | None:
        """The text of a function that a name means; None where it is none, or one of a library."""
        found = self.variables.get(name)
        code = getattr(found, "__code__", None)
        if code is None or _is_library(code.co_filename):
            return None
        try:
            tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(found)))  # type: ignore[arg-type]  # it has code
        except (OSError, TypeError, SyntaxError, ValueError):
            return None
        first = tree.body[0] if tree.body else None
        return first if isinstance(first, ast.FunctionDef) else None

    def calls(self) -> Calls:
        """The functions that the loop may call."""
        return Calls(self.function)


def _is_head(node: ast.For, line: int) -> bool:
    return node.lineno <= line <= max(node.iter.end_lineno or 0, node.target.end_lineno or 0)


def _is_between(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return file.startswith(_OWN) or _is_library(file)


def _is_library(file: str) -> bool:
    """Whether a file is one of a library that is installed, or Python's own."""
    return "site-packages" in file or "dist-packages" in file or file.startswith(_STANDARD)


_STANDARD = (str(Path(ast.__file__).parent), "<frozen")
