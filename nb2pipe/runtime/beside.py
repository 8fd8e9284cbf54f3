"""Modules that lie beside the notebook: the variables that they hold, which one step changes and another reads."""

from __future__ import annotations

import os
import sys
from functools import cache
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nb2pipe.serializers.names import in_packages

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from nb2pipe.runtime.keeping import Keeper

KIND = "modules"
"""Its name in a call's state."""

_CELL = "cell "
_PATH = frozenset(sys.path)
"""Where Python looked for modules when nb2pipe was imported."""


def is_beside(spec: ModuleSpec, folder: str) -> bool:
    """Whether a module is the author's own: a file below the notebook's folder, or where a cell lets Python look.

    Args:
        spec: Where the module was found.
        folder: The notebook's.
    """
    origin = spec.origin
    if not spec.has_location or origin is None or not origin.endswith(".py"):
        return False
    if spec.name.partition(".")[0] == "nb2pipe" or in_packages(spec.name):
        return False
    path = os.path.realpath(origin)
    return path.startswith(_own_folders(folder)) and not path.startswith(_installed())


def _own_folders(folder: str) -> tuple[str, ...]:
    added = (place for place in sys.path if place.startswith(os.sep) and place not in _PATH)
    return tuple(os.path.realpath(place) + os.sep for place in (folder, os.getcwd(), *added))  # noqa: PTH109  # texts are compared


@cache
def _installed() -> tuple[str, ...]:
    """The folders of the standard library and of what is installed."""
    import sysconfig  # noqa: PLC0415  # not needed where no module lies beside the notebook

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple(os.path.realpath(place) + os.sep for name in names if (place := sysconfig.get_path(name)))


class Modules:
    """The state of all modules beside the notebook. They are one kind of state, since they may share objects.

    Args:
        keeper: Brings values into the store and back.
        given: The digest of what earlier steps left.
    """

    def __init__(self, keeper: Keeper, given: str | None) -> None:
        self._keeper = keeper
        self._given = given
        self._loaded: dict[str, Any] | None = None
        self._original: dict[str, dict[str, str]] = {}
        self._begun: dict[str, dict[str, str]] = {}

    def imported(self, name: str) -> None:
        """Sets what earlier steps left in a module, right after its first import."""
        if name in self._begun:  # it is loaded anew, which is a change as any other
            return
        self._original[name] = self._begun[name] = self._digests(name)
        try:
            self._restore(name)
        except Exception:  # noqa: BLE001  # it may need a class of the notebook that is not there yet: `settle` is later
            return
        self._begun[name] = self._digests(name)

    def settle(self) -> None:
        """Sets it again, since other imports may have changed it, and takes that as what the step begins with."""
        for name in self._begun:
            self._restore(name)
            self._begun[name] = self._digests(name)

    def state(self) -> dict[str, Any] | None:
        """What earlier steps and this one have changed, by module and name; None where this one changed nothing."""
        now = {name: self._digests(name) for name in self._begun if name in sys.modules}
        if all(now[name] == self._begun[name] for name in now):
            return None
        kept = {name: one for name, one in self._values().items() if name.partition(":")[0] not in now}
        for name, found in now.items():
            values, original = variables(sys.modules[name]), self._original[name]
            kept |= {f"{name}:{key}": values[key] for key, one in found.items() if original.get(key) != one}
        gone = {f"{name}:{key}" for name, found in now.items() for key in self._original[name].keys() - found.keys()}
        return {"set": kept, "unset": sorted(gone)}

    def _values(self) -> dict[str, Any]:
        return self._state()["set"]  # type: ignore[no-any-return]  # `state` made it

    def _state(self) -> dict[str, Any]:
        if self._given is None:
            return {"set": {}, "unset": []}
        if self._loaded is None:
            self._loaded = self._keeper.get_value(self._given)
        return self._loaded

    def _restore(self, name: str) -> None:
        """Sets the variables of a module that are not as earlier steps left them."""
        module, now, state = sys.modules[name], self._digests(name), self._state()
        for key in state["unset"]:
            if key.startswith(f"{name}:"):
                _take_away(module, key.partition(":")[2])
        for key, value in state["set"].items():
            place = key.partition(":")[2]
            if key.startswith(f"{name}:") and now.get(place) != self._digest(value):
                _put(module, place, value)

    def _digests(self, name: str) -> dict[str, str]:
        return {key: self._digest(value) for key, value in variables(sys.modules[name]).items()}

    def _digest(self, value: object) -> str:
        """Tells a value from another; one that has no lasting state is only itself."""
        try:
            found = self._keeper.digest(value)
        except Exception:  # noqa: BLE001  # the author's own methods are called for it
            found = None
        return found or f"object {id(value)}"


def variables(module: ModuleType) -> dict[str, Any]:
    """What a module holds, by name: what its classes hold as `CLASS.NAME`, what functions remember likewise."""
    found: dict[str, Any] = {}
    for name, value in list(vars(module).items()):
        if name.startswith("__") or isinstance(value, ModuleType):
            continue
        found[name] = value
        if getattr(value, "__module__", None) == module.__name__:
            found |= {f"{name}.{key}": inner for key, inner in _inner(value).items()}
    return found


def _inner(value: object) -> dict[str, Any]:
    """The state of a function or class, which goes by reference itself."""
    if isinstance(value, type):
        return {
            key: one for key, one in vars(value).items() if not key.startswith("__") and not hasattr(one, "__get__")
        }
    if not isinstance(value, FunctionType):
        return {}
    defaults = {"__defaults__": value.__defaults__, "__kwdefaults__": value.__kwdefaults__}
    cells = {f"{_CELL}{place}": cell for place, cell in enumerate(value.__closure__ or ())}
    held = {place: cell.cell_contents for place, cell in cells.items() if _is_filled(cell)}
    own = {key: one for key, one in vars(value).items() if key != "__wrapped__"}
    return own | {key: one for key, one in (defaults | held).items() if one is not None and not callable(one)}


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # reading it tells
    except ValueError:
        return False
    return True


def _put(module: ModuleType, name: str, value: object) -> None:
    owner, last = _owner(module, name)
    if owner is not None and last.startswith(_CELL):
        owner.__closure__[int(last.removeprefix(_CELL))].cell_contents = value
    elif owner is not None:
        setattr(owner, last, value)


def _take_away(module: ModuleType, name: str) -> None:
    owner, last = _owner(module, name)
    if owner is not None and last in vars(owner):
        delattr(owner, last)


def _owner(module: ModuleType, name: str) -> tuple[Any, str]:
    first, _, rest = name.partition(".")
    return (getattr(module, first, None), rest) if rest else (module, first)
