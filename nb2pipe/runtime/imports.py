"""Calls a function once a module has been imported for the first time, and leaves no trace in the module."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType


def after_import(name: str, act: Callable[[], None]) -> None:
    """Calls `act` at once if the module has been imported, else right after its first import.

    Args:
        name: The module's dotted name.
        act: It must not fail; what it raises is raised by the user's `import`.
    """
    if name in sys.modules:
        act()
        return
    for finder in sys.meta_path:
        if isinstance(finder, _Watcher):
            finder.actions.setdefault(name, []).append(act)
            return
    sys.meta_path.insert(0, _Watcher({name: [act]}))


class _Watcher:
    """A finder that finds nothing but what the others find, and watches that being loaded."""

    def __init__(self, actions: dict[str, list[Callable[[], None]]]) -> None:
        self.actions = actions

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec as the other finders give it, for a module that is watched."""
        if name not in self.actions:
            return None
        spec = _found_by_others(self, name, path, target)
        if spec is not None and spec.loader is not None:
            self._watch(name, spec.loader)
        return spec

    def _watch(self, name: str, loader: Any) -> None:
        """Acts once `loader` has executed the module; the wrapper takes itself away before that."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            execute(module)
            for act in self.actions.pop(name, []):
                act()
            if not self.actions and self in sys.meta_path:
                sys.meta_path.remove(self)

        loader.exec_module = exec_module


def _found_by_others(
    watcher: _Watcher, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in [*sys.meta_path]:
        find = getattr(finder, "find_spec", None) if finder is not watcher else None
        spec: ModuleSpec | None = find(name, path, target) if find else None
        if spec is not None:
            return spec
    return PathFinder.find_spec(name, path, target)
