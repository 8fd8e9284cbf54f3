"""Modules beside the notebook: their text is followed like the notebook's own, when a cell first uses them."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from nb2pipe.analysis.scopes import Scope, ScopeKind
from nb2pipe.analysis.trace import Trace
from nb2pipe.notebook.private import with_private_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.analysis.machine import Machine


class LocalModules:
    """The modules beside the notebook.

    Args:
        sources: Their texts, by module name.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._scopes: dict[str, Scope | None] = {}

    def scope(self, machine: Machine, module: str) -> Scope | None:
        """The names of a module; None where its text is not known."""
        name = module.lstrip(".")
        if name not in self._sources:
            return None
        if name not in self._scopes:
            self._scopes[name] = Scope(kind=ScopeKind.MODULE)
            self._scopes[name] = self._follow(machine, self._sources[name], self._scopes[name])
            if (found := self._scopes[name]) is not None:
                machine.beside[found] = name
                for variable, slot in found.slots.items():
                    machine.own(f"{name}.{variable}", slot.value)
        return self._scopes[name]

    def _follow(self, machine: Machine, source: str, scope: Scope | None) -> Scope | None:
        assert scope is not None
        trace, definition = machine.trace, machine.definition
        machine.trace, machine.definition = Trace(cell=trace.cell), None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = with_private_names(ast.parse(source), source)
            machine.execute(tree.body, scope)
        except (SyntaxError, ValueError, RecursionError):
            return None
        finally:
            machine.trace, machine.definition = trace, definition
        return scope
