"""Cell borders: who runs a package hears where the text of each cell begins and ends, without a call in the text.

Modules are compiled here as Python does it, with calls put in at the comments that name cells. Line numbers stay.
"""

from __future__ import annotations

import ast
import gc
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol

from nb2pipe.runtime.given_sources import source_of
from nb2pipe.runtime.markers import markers
from nb2pipe.runtime.modules import UNBOUND, notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from nb2pipe.runtime.markers import Marker, Place

_MARK: Final = "\0nb2pipe "
"""Begins the constants that stand for our objects until the code is compiled; no text that Python reads holds it."""
_OPTIMIZED: Final = 0x1
_NESTED: Final = 0x10
_FUTURE: Final = 0xFFE0000
"""The flags that `from __future__` leaves in code."""
_SNAPSHOT_IS_KEPT: Final = sys.version_info < (3, 13)


class Listener(Protocol):
    """Hears of the cells that run."""

    def begin(self, place: Place) -> None:
        """A cell begins."""

    def end(self, place: Place, values: Callable[[], Mapping[str, object]]) -> None:
        """A cell ended; `values` gives the variables that are bound there."""

    def caught(self, place: Place, error: BaseException) -> None:
        """A cell that may raise did."""


_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """From now on the listener hears of all cells; those that began to listen first hear first."""
    _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """The listener hears of no cell any more."""
    if listener in _listeners:
        _listeners.remove(listener)


def begin(place: Place) -> None:
    """Tells that a cell begins."""
    for listener in tuple(_listeners):
        listener.begin(place)


def end(place: Place, values: Callable[[], Mapping[str, object]]) -> None:
    """Tells that a cell ended."""
    for listener in tuple(_listeners):
        listener.end(place, values)


def caught(place: Place, error: BaseException) -> None:
    """Tells that a cell that may raise did."""
    for listener in tuple(_listeners):
        listener.caught(place, error)


class _Border:
    """What a module's code calls between two cells; it is a constant of the code, so no name is taken."""

    def __init__(self, ended: Place | None, begun: Place | None) -> None:
        self._ended = ended
        self._begun = begun

    def cross(self) -> None:
        """Ends one cell and begins another."""
        if self._ended is not None:
            frame = sys._getframe(1)  # noqa: SLF001  # its variables, which are asked for only where metrics are taken
            end(self._ended, lambda: _variables(frame))
        if self._begun is not None:
            begin(self._begun)


class _Unbound:
    """What a step's function asks of each argument as it begins."""

    def cross(self, value: object) -> bool:
        """Whether nobody bound the variable; functions of the notebook do not see it either, then."""
        if value is not UNBOUND:
            return False
        names = notebook()
        for name in [name for name, one in names.items() if one is UNBOUND]:
            del names[name]
        return True


def _variables(frame: Any) -> Mapping[str, object]:
    found = frame.f_locals
    if not frame.f_code.co_flags & _OPTIMIZED:
        return dict(found)
    values = dict(found)
    if _SNAPSHOT_IS_KEPT:
        found.clear()  # else the frame would keep what the step deletes or binds anew
    return values


# Compiling


def compiled(text: str, file: str) -> tuple[CodeType, ...]:
    """The codes of a module's statements, with calls at its cell borders.

    Each statement is compiled for itself, as in a notebook: where Python sees the import of a module, it compiles calls
    of the module's functions otherwise, and code would not be the same code any more.

    Args:
        text: The module's.
        file: Its path, for tracebacks.

    Raises:
        SyntaxError: It is no Python.
    """
    tree = ast.parse(text, file)
    found = markers(text, tree)
    borders = _Borders()
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    steps = {node.name: node for node in functions if (inside := _inside(node, found)) and inside[0].indent}
    for node in steps.values():
        _mark_function(node, _inside(node, found), borders)
    if not steps:  # it is `definitions`
        found = tuple(replace(one, place=replace(one.place, definitions=True)) for one in found)
        tree.body = borders.between(tree.body, found, len(text.split("\n")) + 1)
    ast.fix_missing_locations(tree)
    codes = _each(tree, file)
    return tuple(_finished(code, borders.objects, frozenset(steps)) if borders.objects else code for code in codes)


def _each(tree: ast.Module, file: str) -> Iterator[CodeType]:
    flags = 0
    for number, statement in enumerate(tree.body):
        text = number > 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not text:  # alone, it would be a docstring
            yield (code := compile(ast.Module([statement], []), file, "exec", flags, dont_inherit=True))
            flags |= code.co_flags & _FUTURE


def _inside(node: ast.AST, found: Sequence[Marker]) -> list[Marker]:
    first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]  # a function has lines
    return [marker for marker in found if first < marker.line <= last]


def _mark_function(node: ast.FunctionDef | ast.AsyncFunctionDef, found: Sequence[Marker], borders: _Borders) -> None:
    """Puts borders into the body of a step's function, and takes arguments away that nobody bound."""
    last = node.body[-1]
    stop = last.lineno if isinstance(last, ast.Return) else (node.end_lineno or node.lineno) + 1
    first = next((n for n, one in enumerate(node.body) if _first_line(one) > found[0].line), len(node.body))
    required = node.args.args[: len(node.args.args) - len(node.args.defaults)]
    unbinding = [borders.unbinding(one.arg, found[0].line) for one in (*node.args.posonlyargs, *required)]
    node.body[first:] = [*unbinding, *borders.between(node.body[first:], found, stop)]


class _Borders:
    """Makes the statements to put in, and remembers the objects that they call."""

    def __init__(self) -> None:
        self.objects: list[object] = []
        self._unbound: ast.Constant | None = None

    def between(self, body: list[ast.stmt], found: Sequence[Marker], stop: int) -> list[ast.stmt]:
        """The statements with a border at each marker; before the line `stop` the last cell ends."""
        whole: list[ast.stmt] = []
        waiting = list(reversed(found))
        current: Place | None = None
        for statement in body:
            line = _first_line(statement)
            if line >= stop and current is not None:
                whole.append(self._border(current, None, line))
                current = None
            while waiting and waiting[-1].line < line and not _is_future(statement):
                marker = waiting.pop()
                if current is None or marker.place.of_cell != current.of_cell:
                    whole.append(self._border(current, marker.place, marker.line))
                current = marker.place
            whole.append(statement)
        for marker in reversed(waiting):
            if current is None or marker.place.of_cell != current.of_cell:
                whole.append(self._border(current, marker.place, marker.line))
            current = marker.place
        return [*whole, self._border(current, None, stop - 1)] if current is not None else whole

    def unbinding(self, name: str, line: int) -> ast.stmt:
        """The statement that deletes an argument that nobody bound."""
        if self._unbound is None:
            self._unbound = self._constant(_Unbound())
        call = _call(ast.Constant(self._unbound.value), [ast.Name(name, ast.Load())])
        return _placed(ast.If(call, [ast.Delete([ast.Name(name, ast.Del())])], []), line)

    def _border(self, ended: Place | None, begun: Place | None, line: int) -> ast.stmt:
        return _placed(ast.Expr(_call(self._constant(_Border(ended, begun)), [])), line)

    def _constant(self, made: object) -> ast.Constant:
        self.objects.append(made)
        return ast.Constant(f"{_MARK}{len(self.objects) - 1}")


def _call(owner: ast.expr, arguments: list[ast.expr]) -> ast.expr:
    """A call of a method: the compiler warns of a call of a text itself."""
    return ast.Call(ast.Attribute(owner, "cross", ast.Load()), arguments, [])


def _placed(statement: ast.stmt, line: int) -> ast.stmt:
    for node in ast.walk(statement):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return statement


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


# What Python compiled


def _finished(code: CodeType, objects: Sequence[object], steps: frozenset[str]) -> CodeType:
    """A module's code with our objects in their places, and steps' functions as the notebook's top level."""
    consts = [
        _as_top_level(part, objects) if isinstance(part, CodeType) and part.co_qualname in steps else part
        for part in code.co_consts
    ]
    return code.replace(co_consts=tuple(_put_in(consts, objects)))


def _as_top_level(code: CodeType, objects: Sequence[object]) -> CodeType:
    """A step's function, such that what it defines has the names that it has in the notebook."""
    prefix = f"{code.co_name}.<locals>."
    consts = [
        _renamed(part, prefix, part.co_flags & ~_NESTED) if isinstance(part, CodeType) else part
        for part in code.co_consts
    ]
    return code.replace(co_consts=tuple(_put_in(consts, objects)))


def _renamed(code: CodeType, prefix: str, flags: int) -> CodeType:
    qualname = code.co_qualname.removeprefix(prefix)
    consts = (
        _renamed(part, prefix, part.co_flags)
        if isinstance(part, CodeType)
        else qualname
        if part == code.co_qualname and not flags & _OPTIMIZED  # the body of a class names it
        else part
        for part in code.co_consts
    )
    return code.replace(co_qualname=qualname, co_flags=flags, co_consts=tuple(consts))


def _put_in(consts: Sequence[object], objects: Sequence[object]) -> Iterator[object]:
    for part in consts:
        ours = isinstance(part, str) and part.startswith(_MARK)
        yield objects[int(str(part)[len(_MARK) :])] if ours else part


# Importing


class Loader(SourceFileLoader):
    """Loads a module of a package with its cell borders; nothing is kept in `__pycache__`.

    Attributes:
        is_main: It is `definitions`, which becomes `__main__`.
        module: The module to fill, if it is there already.
    """

    is_main = False
    module: ModuleType | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:  # noqa: ARG002  # Python's signature
        """The module to fill; None for a new one."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module; `definitions` is `__main__` from its first line on, a step's is called so once it stands."""
        if self.is_main:
            sys.modules["__main__"] = module
        for code in compiled(source_of(self.path), self.path):
            exec(code, vars(module))  # noqa: S102  # that is what importing is
        if Path(self.path).name != "__init__.py":
            vars(module)["__name__"] = "__main__"  # Python shows warnings of deprecation only to code of that name


class _Finder:
    """Finds the modules of one package that hold the notebook's code."""

    def __init__(self, package: str, main: ModuleType | None) -> None:
        self.package = package
        self.main = main

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec with our loader; None for all other modules."""
        is_main = name == f"{self.package}.definitions"
        if not is_main and not name.startswith(f"{self.package}.steps."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or not isinstance(spec.loader, SourceFileLoader):
            return spec
        loader = Loader(name, spec.origin)
        loader.is_main = is_main
        loader.module = self.main if is_main else None
        places = spec.submodule_search_locations
        return spec_from_file_location(name, spec.origin, loader=loader, submodule_search_locations=places)


def install(package: str, main: ModuleType | None = None) -> None:
    """From now on the modules of a package are imported with their cell borders; `definitions` becomes `__main__`.

    Where `definitions` was imported before, it becomes `__main__` now, and has no borders.

    Args:
        package: The package's name.
        main: The module that `definitions` is to fill; None for a new one.
    """
    if not any(isinstance(one, _Finder) and one.package == package for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder(package, main))
    there = sys.modules.get(f"{package}.definitions")
    if there is not None and sys.modules["__main__"] is not there:
        sys.modules["__main__"] = there
        _adopt(str(sys.modules[package].__file__))


def _adopt(init: str) -> None:
    """Gives the functions of `definitions`, which Python compiled as a whole, the code that they have in a notebook.

    Args:
        init: The package's `__init__.py`.
    """
    file = str(Path(init).absolute().with_name("definitions.py"))
    known: dict[tuple[str, int], list[CodeType]] = {}
    for code in _within(compiled(Path(file).read_text(encoding="utf-8"), file)):
        known.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__.co_filename == file:
            found = known.get((function.__code__.co_qualname, function.__code__.co_firstlineno), [])
            if len(found) == 1 and found[0].co_freevars == function.__code__.co_freevars:
                function.__code__ = found[0]


def _within(codes: Sequence[object]) -> Iterator[CodeType]:
    for code in codes:
        if isinstance(code, CodeType):
            yield code
            yield from _within(code.co_consts)
