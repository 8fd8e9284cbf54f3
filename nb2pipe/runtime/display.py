"""`display()` and `get_ipython()` in modules, which print what is printed, and show nothing.

Outside of Jupyter, IPython's own `display` prints its objects, and `clear_output` prints control characters; neither is
what the notebook prints. So they are silent in a process that runs modules. Where modules are used inside of Jupyter,
all is as ever.
"""

from __future__ import annotations

import sys
from functools import wraps
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_HOME = "IPython.core.display_functions"
_TAKERS = (_HOME, "IPython.core.display", "IPython.display")
_WIDE = "display.max_columns"
_IN_JUPYTER = 20
_FUNCTIONS = ("display", "clear_output", "publish_display_data", "update_display")


class SilentHandle:
    """What `display(x, display_id=True)` gives.

    Args:
        display_id: The id.
    """

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def display(self, *_objects: object, **_options: object) -> None:
        """Shows nothing."""

    update = display


def display(*objects: object, **options: Any) -> Any:
    """What `display` does in a module: nothing, unless it is used inside of Jupyter."""
    shell = get_ipython()
    if shell is not None:
        from IPython.display import display as shown  # it is there, since a shell is

        return shown(*objects, **options)
    name = options.get("display_id")
    return SilentHandle(name if isinstance(name, str) else "silent") if name else None


def get_ipython() -> Any:
    """The shell of this process; None where there is none, as in every run of modules."""
    module = sys.modules.get("IPython.core.interactiveshell")
    shell = getattr(module, "InteractiveShell", None)
    return shell.instance() if shell is not None and shell.initialized() else None


def silence_display() -> None:
    """Makes IPython's functions that show things silent, now or when they are imported."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    for name in _TAKERS:
        if name in sys.modules:
            _silence(sys.modules[name])


class _Finder(MetaPathFinder):
    """Finds the one module of IPython, so that it is changed as soon as it is there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _HOME:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Silencing(spec.loader)
        return spec


class _Silencing(Loader):
    """Loads a module, and changes it.

    Args:
        loader: The module's own.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _silence(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _silence(module: ModuleType) -> None:
    for name in _FUNCTIONS:
        function = getattr(module, name, None)
        if callable(function) and not hasattr(function, "__wrapped__"):
            setattr(module, name, _silent(name, function))


def _silent(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def shown(*objects: Any, **options: Any) -> Any:
        if get_ipython() is not None:
            return function(*objects, **options)
        return display(**options) if name == "display" else None

    return shown


def show_tables_as_in_jupyter() -> None:
    """Lets pandas print as many columns as in a kernel; outside of one, it goes by the width of a terminal."""
    after_import("pandas", _widen)


def _widen() -> None:
    pandas = sys.modules["pandas"]
    known = getattr(getattr(getattr(pandas, "_config", None), "config", None), "_registered_options", {})
    if _WIDE in known and known[_WIDE].defval == 0:
        if pandas.get_option(_WIDE) == 0:
            pandas.set_option(_WIDE, _IN_JUPYTER)
        known[_WIDE] = known[_WIDE]._replace(defval=_IN_JUPYTER)
