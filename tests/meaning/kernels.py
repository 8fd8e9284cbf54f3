"""A process as a fresh kernel would be, again and again in this one: the quick oracle runs steps in it.

What a notebook may have set outside of its variables is set back at the beginning of each. What differs from real
kernels: libraries are imported already, code is compiled by Python and not by IPython, and nothing is displayed.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import builtins
import contextlib
import importlib
import inspect
import io
import logging
import os
import re
import sys
import threading
import warnings
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from nb2pipe.runtime import calling, cells, hidden, modules, patches, session
from nb2pipe.runtime.figures import close_figures
from nb2pipe.runtime.generators import Generators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

T = TypeVar("T")
FUTURES = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}
DEFAULT_FILTERS = [
    ("default", None, DeprecationWarning, "__main__", 0),
    ("ignore", None, DeprecationWarning, None, 0),
    ("ignore", None, PendingDeprecationWarning, None, 0),
    ("ignore", None, ImportWarning, None, 0),
    ("ignore", None, ResourceWarning, None, 0),
]
JUPYTER = {"display": lambda *_shown, **_options: None, "get_ipython": lambda: None}
"""What modules have of it."""
WARNED = re.compile(r"^\S.*:\d+: (\w*Warning: .*)$", re.MULTILINE)
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def _of_process() -> dict[str, Any]:
    """Hidden state of this process as tests have it, or as it is of a library right after its import."""
    return {kind.name: kind.read() for kind in hidden.ALL if kind.module in sys.modules and kind.name not in _original}


_original: dict[str, Any] = {}
_original |= {**_of_process(), "warnings": {"filters": DEFAULT_FILTERS}}


_places: dict[str, Any] = {}
"""What stands, before any notebook runs, at the places in libraries that the present one sets."""


def import_libraries(text: str, places: Iterable[str]) -> None:
    """Imports what a notebook names or sets something in, so that its state is known before the notebook changes it."""
    large = [
        name for name in ("numpy", "pandas", "sklearn", "torch", "matplotlib.pyplot") if name.partition(".")[0] in text
    ]
    for name in {*large, *(place.partition(".")[0] for place in places)}:
        with contextlib.suppress(ImportError):  # where a case says so
            importlib.import_module(name)
    _original.update(_of_process())
    _places.clear()
    _places.update({place: _copied(_at_place(place)) for place in places})


def _at_place(place: str) -> Any:
    owner, name = patches.Patch(place, None, None)._owner()  # type: ignore[arg-type]  # nothing is stored
    return patches._at(owner, name)


def _copied(found: Any) -> Any:
    return found.copy() if type(found) in (dict, list) else found


def _set_back_places() -> None:
    for place, then in _places.items():
        owner, name = patches.Patch(place, None, None)._owner()  # type: ignore[arg-type]  # nothing is stored
        if then is not patches._ABSENT:
            patches._put(owner, name, _copied(then))
        elif patches._at(owner, name) is not patches._ABSENT:
            delattr(owner, name)


def in_thread(work: Callable[[], T]) -> T:
    """Does work in a thread of its own, since some hidden state is a thread's; each step has one too."""
    ends: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            ends.append((work(), None))
        except BaseException as error:  # noqa: BLE001  # it is raised below
            ends.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    ((result, error),) = ends
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # there is one if there is no error


@contextlib.contextmanager
def fresh_kernel(folder: Path, seed: int) -> Iterator[ModuleType]:
    """A new `__main__`, hidden state as in a new process, a working directory; all is as it was afterward."""
    before, main = dict(sys.modules), ModuleType("__main__")
    handlers, arguments, finders = list(logging.getLogger().handlers), list(sys.argv), list(sys.meta_path)
    shows = warnings.showwarning
    first = {kind.name: kind.read() for kind in hidden.ALL if kind.name in _original}
    sys.modules["__main__"] = main
    vars(builtins).update(JUPYTER)
    try:
        _set_back(_original)
        os.chdir(folder)
        sys.argv = [""]
        warnings.showwarning = _show_warning
        sys.path.insert(0, str(folder))
        Generators(seed, {}).begin()
        yield main
    finally:
        _set_back_places()
        close_figures()
        _set_back(first)
        logging.getLogger().handlers[:] = handlers
        sys.argv, sys.meta_path[:], warnings.showwarning = arguments, finders, shows
        for name in JUPYTER:
            vars(builtins).pop(name, None)
        _forget(before, folder)


def _show_warning(message: Any, category: type[Warning], filename: str, lineno: int, *_rest: object) -> None:
    """As Python does it; pytest would keep warnings to itself."""
    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, ""))


def _set_back(states: dict[str, Any]) -> None:
    """Hidden state as it was; only what differs is set."""
    for kind in hidden.ALL:
        if kind.name not in states:
            continue
        then, now = states[kind.name], kind.read()
        different = {name: value for name, value in then.items() if name not in now or now[name] != value}
        if different or now.keys() - then.keys():
            kind.write(different, sorted(now.keys() - then.keys()))


def _is_of_package(name: str) -> bool:
    return name.partition(".")[0].endswith("_pipeline")


def _forget(before: dict[str, ModuleType], folder: Path) -> None:
    """Modules that stand for the notebook or lie beside it, and what our runtime keeps for a process."""
    for name in sys.modules.keys() - before.keys():
        file = getattr(sys.modules[name], "__file__", None) or ""
        if _is_of_package(name) or file.startswith(str(folder.parent)):
            del sys.modules[name]
    sys.modules["__main__"] = before["__main__"]
    modules._notebooks.clear()
    cells._done.clear()
    session._sessions.clear()
    for loop in calling._loops:
        loop.close()
    calling._loops.clear()


@dataclass
class Shown:
    """What cells print and warn of, and the errors of those that may raise.

    Attributes:
        folders: Are not shown: each way to run has folders of its own.
        complaints: All that went to the standard error.
        warned: Warnings that were shown; Python shows each once a place, and places in modules are others.
    """

    folders: tuple[str, ...] = ()
    cells: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    complaints: str = ""
    warned: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def of_cell(self, position: int | None) -> Iterator[None]:
        """Takes what is printed to a cell; None where it is not the author's own."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                yield
            finally:
                if position is not None:
                    self.add(position, out.getvalue(), err.getvalue())

    def add(self, position: int, out: str, err: str) -> None:
        self.complaints += err
        text = out + "".join(f"{warned}\n" for warned in WARNED.findall(err) if warned not in self.warned)
        self.warned |= set(WARNED.findall(err))
        for folder in self.folders:
            text = text.replace(folder, "FOLDER")
        self.cells[position] = self.cells.get(position, "") + ADDRESS.sub("0x", text)

    def fail(self, position: int, error: BaseException) -> str:
        """Notes the error of a cell."""
        self.errors[position] = text = shown_error(error)
        return text


def shown_error(error: BaseException) -> str:
    """An error as it is compared: an unbound variable is one, whether of a function or of a notebook."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  # the author's `__str__`
        message = "?"
    unbound = re.search(r"'(\w+)'", message) if type(error) in (NameError, UnboundLocalError) else None
    return f"NameError: {unbound[1]}" if unbound else f"{type(error).__name__}: {ADDRESS.sub('0x', message)}"


def run_code(text: str, namespace: dict[str, Any], name: str) -> None:
    """Runs a cell statement by statement, as IPython does; it may await."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for feature, flag in FUTURES.items():
        if isinstance(namespace.get(feature), __future__._Feature):
            flags |= flag
    tree = compile(text, name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    for statement in tree.body:
        code = compile(ast.Module([statement], []), name, "exec", flags, dont_inherit=True)
        flags |= code.co_flags & sum(FUTURES.values())
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, namespace))
        else:
            exec(code, namespace)
