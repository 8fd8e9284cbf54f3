"""The imports of the parent: made one by one, and each looked at for what it does beside importing."""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
import tempfile
import threading
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime import imports
from nb2pipe.runtime.generators import Generators
from nb2pipe.runtime.hidden import ALL
from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nb2pipe.executors.kernels.child import Prepared


class RefusedError(Exception):
    """An import is not to be made early.

    Attributes:
        number: Which.
        reason: What it does beside importing.
    """

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.reason = reason


def load(statements: Sequence[tuple[str, Sequence[str]]], folder: str, seed: int, prepared: Prepared) -> int:
    """Makes the imports, up to the first of a module of the author's own.

    Args:
        statements: In notebook order, each with the modules that it names.
        folder: The notebook's.
        seed: The initial random state.
        prepared: The shell, and the streams that print into nothing here.

    Returns:
        How many it made.

    Raises:
        RefusedError: One did more than to import, so that this process is of no use any more.
    """
    inspection = Inspection(folder, seed, prepared)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    made = 0
    for statement, modules in statements:
        if any(is_local(module) for module in modules):
            break
        try:
            with prepared.shell.builtin_trap:
                exec(compile(statement, "<imports>", "exec", dont_inherit=True), namespace)  # noqa: S102  # an import
        except BaseException as error:  # whatever it is, the author's own import raises it again
            raise RefusedError(made, f"it fails with {type(error).__name__}") from error
        reason = inspection.problem()
        if reason is not None:
            raise RefusedError(made, reason)
        made += 1
    inspection.end()
    return made


def is_local(module: str) -> bool:
    """Whether a module is none of Python's, and of no installed package: it is the author's."""
    top = module.partition(".")[0]
    if top in sys.modules:
        return not is_installed(getattr(sys.modules[top], "__file__", None))
    for finder in (BuiltinImporter, FrozenImporter):
        if finder.find_spec(top) is not None:
            return False
    spec = PathFinder.find_spec(top)
    if spec is None:
        return False  # the import fails, which is looked at
    files = [spec.origin] if spec.origin else [os.path.join(each, "") for each in spec.submodule_search_locations or ()]  # noqa: PTH118  # as above
    return not all(is_installed(file) for file in files)


def is_installed(file: str | None) -> bool:
    """Whether a file is Python's own, or of an installed package.

    >>> is_installed(os.__file__), is_installed("/home/me/notebooks/helpers.py"), is_installed(None)
    (True, False, True)
    """
    if file is None or not os.path.isabs(file):  # noqa: PTH117  # text, compared with text
        return True
    return any(folder in file for folder in _PACKAGES) or file.startswith(_PYTHONS)


_PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_PYTHONS = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")})


class Inspection:
    """Looks after each import for what it did beside importing."""

    def __init__(self, folder: str, seed: int, prepared: Prepared) -> None:
        self._folder = os.path.join(folder, "")  # noqa: PTH118  # text, compared with text
        self._prepared = prepared
        self._known = set(sys.modules)
        self._signals = _handlers()
        self._begun: dict[str, Any] = {}
        self._generators = Generators(seed, {})
        self._generators.begin()
        for kind in ALL:
            after_import(kind.module, lambda kind=kind: self._begin(kind))  # type: ignore[misc]  # mypy cannot infer the default
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115  # as long as this lives
        for stream in (1, 2):
            os.dup2(self._printed.fileno(), stream)

    def _begin(self, kind: Any) -> None:
        self._begun[kind.name] = kind.read()

    def problem(self) -> str | None:
        """What the last import did beside importing; None if nothing."""
        for look in (self._prints, self._threads, self._modules, self._state, self._devices):
            reason: str | None = look()
            if reason is not None:
                return reason
        return None

    def end(self) -> None:
        """What was watched is watched no more, and the kernels begin with the random state that the imports left."""
        self._generators.keep()
        sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != imports.__name__]

    def _prints(self) -> str | None:
        printed = os.fstat(self._printed.fileno()).st_size or any(stream.printed for stream in self._prepared.streams)
        return "it prints or warns" if printed else None

    def _threads(self) -> str | None:
        return "it starts a thread" if threading.active_count() > 1 else None

    def _modules(self) -> str | None:
        new, self._known = set(sys.modules) - self._known, set(sys.modules)
        files = (getattr(sys.modules[name], "__file__", None) for name in new)
        mine = any(isinstance(file, str) and file.startswith(self._folder) and not is_installed(file) for file in files)
        return "it imports a module beside the notebook" if mine else None

    def _state(self) -> str | None:
        if _handlers() != self._signals:
            return "it handles a signal"
        for kind in ALL:
            if kind.name in self._begun:
                now = kind.read()
                if not _only_grew(self._begun[kind.name], now):
                    return f"it sets {_WORDS.get(kind.name, kind.name)}"
                self._begun[kind.name] = now
        return None

    def _devices(self) -> str | None:
        cuda = sys.modules.get("torch.cuda")
        return "it initializes CUDA" if cuda is not None and cuda.is_initialized() else None


_WORDS = {"environ": "environment variables", "cwd": "the working directory", "warnings": "filters of warnings"}


def _only_grew(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether an import left all options as they were.

    What it adds, such as a variable of OpenMP's that was not there, all steps have then, as later cells would.
    """
    if "filters" in before:  # of warnings; a list, whose parts numpy moves
        return all(each in now["filters"] for each in before["filters"])
    return all(name in now and now[name] == value for name, value in before.items())


def _handlers() -> list[Callable[..., Any] | int | None]:
    return [signal.getsignal(number) for number in signal.valid_signals()]
