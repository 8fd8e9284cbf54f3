"""What goes by reference: functions, classes and single objects that a library has under a name."""

from __future__ import annotations

import sys
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


class Names:
    """Looks objects up in the modules that are loaded; imports nothing.

    Args:
        namespace: The notebook's `__main__` dictionary, whose names are no library's.
    """

    def __init__(self, namespace: dict[str, object]) -> None:
        self._notebook = {"__main__", namespace.get("__name__", "__main__")}
        self._single = {id(found): Named(*place) for place in _SINGLE if (found := _lookup(*place)) is not None}
        self._globals: dict[int, Named] | None = None

    def of_notebook(self, module: object) -> bool:
        """Whether a module's name stands for the notebook."""
        return module in self._notebook

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
        if self._globals is None:
            self._globals = self._scan()
        found = self._globals.get(id(value))
        return found if found is not None and _lookup(found.module, found.qualname) is value else None

    def _scan(self) -> dict[int, Named]:
        places: dict[int, Named] = {}
        for name in sorted(sys.modules, key=lambda one: (len(one), one)):
            module = sys.modules[name]
            if self.of_notebook(name) or type(module) is not ModuleType:
                continue
            for key, value in list(vars(module).items()):
                if type(value) not in ATOMS and not isinstance(value, ModuleType):
                    places.setdefault(id(value), Named(name, key))
        return places


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
