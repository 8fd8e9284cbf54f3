"""Makes the call of a step: what it is given, and the key of all that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.execution.keys import call_key, call_parts, typed
from nb2pipe.execution.model import StepCall
from nb2pipe.execution.modules import LocalModules
from nb2pipe.execution.nested import nested_values
from nb2pipe.execution.versions import take
from nb2pipe.records.events import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.execution.model import Completed, Surroundings
    from nb2pipe.execution.versions import Taken
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.store.base import Store


class Calls:
    """The calls of a run.

    Args:
        work: All steps of the run.
        surroundings: Of the steps of the notebook itself.
        parameters: The values given to its parameters.
        store: Holds the variables that nested pipelines take as parameters.
    """

    def __init__(self, work: Work, surroundings: Surroundings, parameters: Mapping[str, object], store: Store) -> None:
        self._work = work
        self._surroundings = surroundings
        self._store = store
        self._given: dict[str, Mapping[str, object]] = {"": parameters}
        self._keys: dict[str, str] = {}
        self._modules: dict[Path, LocalModules] = {}

    def given(self, scope: str, made: Mapping[str, Completed]) -> Mapping[str, object] | Failure:
        """The values given to the parameters of a scope; those of a nested pipeline are found when it begins.

        Args:
            scope: The unit that the pipeline is nested in; empty for the notebook itself.
            made: What finished steps made.

        Returns:
            Values by name, or why there are none.
        """
        if scope in self._given:
            return self._given[scope]
        unit = self._work.by_name[scope]
        around = self.given(unit.scope, made)
        if isinstance(around, Failure):
            return around
        taken = take(unit, self._work.earlier(unit), made)
        values = nested_values(unit, taken, around, self._store)
        if not isinstance(values, Failure):
            self._given[scope] = values
        return values

    def forget(self, scope: str) -> None:
        """The values of a nested pipeline that begins once more are found anew."""
        if scope:
            self._given.pop(scope, None)

    def make(self, unit: Unit, taken: Taken, given: Mapping[str, object]) -> StepCall:
        """The call of a step.

        Args:
            unit: The step.
            taken: What it takes.
            given: The values given to the parameters of its scope.
        """
        step = unit.step
        wanted = {port.name for later in self._work.later(unit) for port in later.step.inputs}
        call = StepCall(
            step=step,
            notebook=unit.pipeline.notebook,
            surroundings=replace(self._surroundings, folder=unit.folder),
            inputs=taken.groups,
            parameters={name: given[name] for name in step.parameters if name in given},
            state={kind: digest for kind, (_, digest) in taken.state.items()},
            taken=frozenset(port.name for port in step.outputs if port.name in wanted),
        )
        if unit.inner:
            key, parts = str(Digest.of("nested-call", [self._keys[name] for name in unit.inner])), {}
        else:
            parts = self._parts(unit, call, given)
            key = call_key(parts)
        self._keys[unit.name] = key
        return replace(call, key=key, parts=parts)

    def _parts(self, unit: Unit, call: StepCall, given: Mapping[str, object]) -> dict[str, str]:
        defaults = {each.name: each.default for each in unit.pipeline.parameters}
        # What is given as the default says it, is no other value.
        other = {
            each.name
            for each in unit.pipeline.parameters
            if each.name in given and (each.type is None or typed(given[each.name]) != typed(each.default))
        }
        injected = {name: value for name, value in call.parameters.items() if name in other}
        modules = self._modules.setdefault(unit.folder, LocalModules(unit.folder))
        return call_parts(replace(call, parameters=injected), defaults | dict(given), modules.of(call))
