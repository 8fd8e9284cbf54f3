"""What goes by reference: functions, classes and single objects that a library has under a name."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Final

from nb2pipe.serializers.shapes import ATOMS, Named

_SINGLE: Final = (
    ("random", "_inst"),
    ("numpy.random.mtrand", "_rand"),
    ("torch", "default_generator"),
    ("os", "environ"),
    ("os", "environb"),
    ("sys", "stdout"),
    ("sys", "stderr"),
    ("sys", "stdin"),
    ("sys", "__stdout__"),
    ("sys", "__stderr__"),
    ("sys", "path"),
    ("sys", "modules"),
    ("sys", "argv"),
    ("numpy", "nan"),
    ("math", "nan"),
    ("warnings", "filters"),
)
"""Objects with a state of their own of which each process has one."""

_packages: dict[str, str] = {}
"""The packages whose modules hold the notebook's code, and their folders."""


def stand_for_notebook(package: str, folder: str) -> None:
    """From now on what the modules of a package define is the notebook's, as if its `__main__` had defined it.

    Args:
        package: The package's name.
        folder: Where it lies, absolute.
    """
    if _packages.get(package) != folder:
        _packages[package] = folder
        _places.clear()
        module_text.cache_clear()


def in_packages(module: object) -> bool:
    """Whether a module's name is that of a module that holds the notebook's code."""
    if not _packages or not isinstance(module, str):
        return False
    return any(module == package or module.startswith(f"{package}.") for package in _packages)


@functools.lru_cache(maxsize=256)
def module_text(file: str) -> str:
    """The text of a file of a package that holds the notebook's code; empty for all other files."""
    if not any(file.startswith(folder + os.sep) for folder in _packages.values()):
        return ""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


class Names:
    """Looks objects up in the modules that are loaded; imports nothing.

    Args:
        namespace: The notebook's `__main__` dictionary, whose names are no library's.
    """

    def __init__(self, namespace: dict[str, object]) -> None:
        self._namespace = namespace
        self._notebook = {"__main__", namespace.get("__name__", "__main__")}
        self._single: dict[int, Named] = {}
        for place in _SINGLE:
            found = _lookup(*place)
            if found is not None:
                self._single.setdefault(id(found), Named(*place))

    def of_notebook(self, module: object) -> bool:
        """Whether a module's name stands for the notebook."""
        return module in self._notebook or in_packages(module)

    def _is_namespace(self, module: str) -> bool:
        return vars(sys.modules[module]) is self._namespace

    def single(self, value: object) -> Named | None:
        """The place of an object that each process has once."""
        return self._single.get(id(value))

    def find(self, value: object, qualname: str | None = None) -> Named | None:
        """The place where a library has this very object; None if there is none, or it is the notebook's."""
        name = qualname or getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if not isinstance(name, str) or "<" in name:
            return None
        module = getattr(value, "__module__", None)
        if isinstance(module, str):
            if self.of_notebook(module):
                return None
            if _lookup(module, name) is value:
                return Named(module, name)
        return self.sentinel(value)

    def sentinel(self, value: object) -> Named | None:
        """The place where a module has this very object as a global."""
        found = _places.of(value)
        if found is None or self.of_notebook(found.module) or self._is_namespace(found.module):
            return None
        return found if _lookup(found.module, found.qualname) is value else None

    def is_installed(self, package: str) -> bool:
        """Whether a top-level module is no file of the user's."""
        return package in _installed(len(sys.modules))

    def constant(self, value: object) -> Named | None:
        """The place where an installed library has this very object, of a class of its own, as a global."""
        root = type(value).__module__.partition(".")[0]
        if not self.is_installed(root):
            return None
        found = self.sentinel(value)
        return found if found is not None and found.module.partition(".")[0] == root else None


def survey() -> None:
    """Looks through all modules now, so that processes forked from this one need not."""
    _places.of(None)
    _installed(len(sys.modules))


class _Places:
    """What modules hold, by `id`. Once there are other modules, those are looked through that are new or have grown.

    Of several places of an object that of the shortest module's name counts, whatever was imported first.
    """

    def __init__(self) -> None:
        self._found: dict[int, Named] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._modules = 0

    def of(self, value: object) -> Named | None:
        """The place of an object, as far as a module had it when it was looked through."""
        if self._modules != len(sys.modules):
            self._modules = len(sys.modules)
            self._look()
        return self._found.get(id(value))

    def clear(self) -> None:
        """Forgets all."""
        self._found.clear()
        self._seen.clear()
        self._modules = 0

    def _look(self) -> None:
        changed: list[tuple[int, str, dict[str, object]]] = []
        modules: list[tuple[str, object]] = list(sys.modules.items())
        for name, module in modules:
            if not isinstance(module, ModuleType):  # some put other objects there
                continue
            content = vars(module)
            state = (id(module), len(content))
            if self._seen.get(name) != state:
                self._seen[name] = state
                changed.append((len(name), name, content))
        for _, name, content in sorted(changed, key=lambda each: each[:2]):
            if content.get("__name__") != "__main__" and not in_packages(name):  # a kernel has it under two names
                self._take(name, content)

    def _take(self, module: str, content: dict[str, object]) -> None:
        for key, value in list(content.items()):
            if type(value) in ATOMS or issubclass(type(value), ModuleType):  # `isinstance` would run code of the value
                continue
            known = self._found.get(id(value))
            if known is None or _rank(module) < _rank(known.module) or not _holds(known, value):
                self._found[id(value)] = Named(module, key)


def _holds(place: Named, value: object) -> bool:
    """Whether a place still has an object; asks no module for what it has not made yet."""
    module: object = sys.modules.get(place.module)
    return isinstance(module, ModuleType) and vars(module).get(place.qualname) is value


def _rank(module: str) -> tuple[int, str]:
    return len(module), module


_places = _Places()


@functools.lru_cache(maxsize=1)
def _installed(_modules: int) -> frozenset[str]:
    """The top-level modules that are no files of the user's."""
    folders = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    roots = {name for name in sys.modules if "." not in name and name not in ("__main__", "builtins")}
    files = {name: getattr(sys.modules[name], "__file__", None) for name in roots}
    return frozenset(name for name, file in files.items() if file is None or file.startswith(folders))


def _lookup(module: str, qualname: str) -> object | None:
    found: object = sys.modules.get(module)
    for part in qualname.split("."):
        if found is None:
            return None
        found = _attribute(found, part)
    return found


def _attribute(owner: object, name: str) -> object | None:
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001 # a lazy attribute of a library may fail in any way
        return None
