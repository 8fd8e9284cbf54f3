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


def after_imports(chosen: Callable[[ModuleSpec], bool], act: Callable[[str], None]) -> None:
    """Calls `act` with the name of each module that is imported from now on, right after its import.

    Args:
        chosen: Whether a module is of interest, by where it was found.
        act: As in `after_import`.
    """
    sys.meta_path.insert(0, _Chooser(chosen, act))


class _Chooser:
    """A finder that finds nothing but what the others find, and watches some of it being loaded."""

    def __init__(self, chosen: Callable[[ModuleSpec], bool], act: Callable[[str], None]) -> None:
        self._chosen = chosen
        self._act = act

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec as the other finders give it, for a module that is watched."""
        spec = _found_by_others(self, name, path, target)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module") or not self._chosen(spec):
            return spec
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            execute(module)
            self._act(name)

        loader.exec_module = exec_module
        return spec


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
    watcher: object, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    finders = list(sys.meta_path)
    behind = finders[finders.index(watcher) + 1 :] if watcher in finders else finders  # the others were asked already
    for finder in behind:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, target) if find else None
        if spec is not None:
            return spec
    return PathFinder.find_spec(name, path, target)
