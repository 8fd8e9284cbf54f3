"""The author's code that a loop stands in: its variables, and its text as far as Python can show it."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.calls import Calls
from nb2pipe.tracking.training.restored import is_authors

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from nb2pipe.tracking.training.calls import Method

_OWN = str(Path(__file__).parents[1])
_WRITES_THROUGH = (3, 13)
"""The version of Python since which setting a variable of a frame sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a loop is run.

    Attributes:
        variables: Those that it sees; at top level the dictionary itself, in a function a copy.
        top: It is top-level code.
        code: What runs.
        line: Where the loop is.
        module: The dictionary of its module.
    """

    variables: dict[str, Any]
    top: bool
    code: CodeType
    line: int
    module: dict[str, Any]

    @classmethod
    def of_caller(cls) -> Scope:
        """The author's code that runs now, past what libraries lay between."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # there is no other way
        while frame is not None and frame.f_back is not None and _is_between(frame):
            frame = frame.f_back
        assert frame is not None
        top = frame.f_locals is frame.f_globals
        return cls(
            variables=frame.f_globals if top else {**frame.f_globals, **frame.f_locals},
            top=top,
            code=frame.f_code,
            line=frame.f_lineno,
            module=frame.f_globals,
        )

    @property
    def file(self) -> str:
        """The code's file name, as Python has it."""
        return self.code.co_filename

    @property
    def text(self) -> str:
        """The text of the file or cell; empty where Python does not know it."""
        return "".join(linecache.getlines(self.file, self.module))

    def now(self) -> dict[str, Any]:
        """The variables as they are now, of code that is still under way."""
        frame = None if self.top else self._frame()
        return self.variables if frame is None else {**frame.f_globals, **frame.f_locals}

    def bind(self, values: dict[str, Any]) -> None:
        """Binds variables; in a function its own, if they are among those, else those of its module."""
        frame = None if self.top else self._frame()
        own = {*self.code.co_varnames, *self.code.co_cellvars, *self.code.co_freevars} if frame is not None else set()
        self.module.update({name: value for name, value in values.items() if name not in own})
        local = {name: value for name, value in values.items() if name in own}
        if frame is not None and local:
            frame.f_locals.update(local)
            self.variables.update(local)
            if sys.version_info < _WRITES_THROUGH:
                import ctypes  # noqa: PLC0415  # only who goes on within a function needs it

                ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))

    def _frame(self) -> FrameType | None:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # it is not kept, or the loop would never be left
        while frame is not None and frame.f_code is not self.code:
            frame = frame.f_back
        return frame

    def line_now(self) -> int:
        """The line that the code is at, as long as it is under way."""
        frame = self._frame()
        return frame.f_lineno if frame is not None else self.line

    def is_called_by(self, other: Scope) -> bool:
        """Whether the code was called by that of another scope, with none of the author's between; or is the same."""
        if self.code is other.code:
            return True
        frame = self._frame()
        frame = frame.f_back if frame is not None else None
        while frame is not None and _is_between(frame):
            frame = frame.f_back
        return frame is not None and frame.f_code is other.code

    def loop(self) -> tuple[ast.Module, ast.For] | None:
        """The whole text and the innermost `for` loop whose head runs now; None where the text does not show it."""
        try:
            tree = ast.parse(self.text)
        except (SyntaxError, ValueError):
            return None
        loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and _is_head(node, self.line)]
        return (tree, max(loops, key=lambda node: node.lineno)) if loops else None

    def body(self, tree: ast.Module) -> list[ast.stmt]:
        """The statements of the innermost function of a text that the line is in; all where it is in none."""
        found: ast.Module | ast.FunctionDef = tree
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.lineno <= self.line <= (node.end_lineno or 0):
                found = node
        return found.body

    def calls(self) -> Calls:
        """The functions that the loop may call."""
        return Calls(self._function, self._method)

    def _function(self, name: str) -> ast.FunctionDef | None:
        """The text of a function that a name means; None where it is none, or one of a library."""
        return _definition(self.variables.get(name))

    def _method(self, node: ast.expr) -> Method | None:
        """What runs where a method of an object is called, or the object itself."""
        owner = self._value(node.value if isinstance(node, ast.Attribute) else node)
        if owner is None or isinstance(owner, type | FunctionType) or not is_authors(owner):
            return None
        names = (node.attr,) if isinstance(node, ast.Attribute) else ("__call__", "forward")
        return _method_of(type(owner), names)

    def _value(self, node: ast.expr) -> Any:
        """What a name, or a chain of attributes of one, is now; None where looking at it might run code."""
        if isinstance(node, ast.Name):
            return self.variables.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._value(node.value)
            return vars(owner).get(node.attr) if hasattr(owner, "__dict__") else None
        return None


def _method_of(kind: type, names: tuple[str, ...]) -> Method | None:
    """The first of some methods that is the author's, and what it may call."""
    for name in names:
        found = next((vars(one)[name] for one in kind.__mro__ if name in vars(one)), None)
        function = getattr(found, "__func__", found)
        definition = _definition(function)
        if definition is not None:
            return definition, _within(kind, definition, getattr(function, "__globals__", {}))
    return None


def _within(kind: type, definition: ast.FunctionDef, module: dict[str, Any]) -> Calls:
    """What a method may call: functions of its module, and other methods of its object."""
    first = next((one.arg for one in (*definition.args.posonlyargs, *definition.args.args)), "")

    def method(node: ast.expr) -> Method | None:
        is_own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == first
        return _method_of(kind, (node.attr,)) if is_own and isinstance(node, ast.Attribute) else None

    return Calls(lambda name: _definition(module.get(name)), method)


def _definition(function: object) -> ast.FunctionDef | None:
    """The text of a function of the author's."""
    code = getattr(function, "__code__", None)
    if code is None or _is_library(code.co_filename):
        return None
    try:
        tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))  # type: ignore[arg-type]  # it has code
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    first = tree.body[0] if tree.body else None
    return first if isinstance(first, ast.FunctionDef) else None


def _is_head(node: ast.For, line: int) -> bool:
    return node.lineno <= line <= max(node.iter.end_lineno or 0, node.target.end_lineno or 0)


def _is_between(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return file.startswith(_OWN) or _is_library(file)


def _is_library(file: str) -> bool:
    """Whether a file is one of a library that is installed, or Python's own."""
    return "site-packages" in file or "dist-packages" in file or file.startswith(_STANDARD)


_STANDARD = (str(Path(ast.__file__).parent), "<frozen")
