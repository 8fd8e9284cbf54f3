"""What the parameters of a nested pipeline are given: parameters and variables of the same name around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.errors import Nb2pipeError
from nb2pipe.execution.checks.nb515_nested_parameter import nested_parameter
from nb2pipe.pipeline.parameters import check_values
from nb2pipe.serializers import groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.execution.versions import Taken
    from nb2pipe.pipeline.model import Parameter
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.records.events import Failure
    from nb2pipe.serializers.groups import Group
    from nb2pipe.store.base import Store

_PLAIN = (bool, int, float, str, type(None))


class _UnfitError(Exception):
    """A value that cannot be given; the text says why."""


def nested_values(
    unit: Unit, taken: Taken, given: Mapping[str, object], store: Store
) -> Mapping[str, object] | Failure:
    """The values that the parameters of a nested pipeline are given.

    Args:
        unit: The step that is a pipeline.
        taken: The variables that it takes.
        given: The values given to the parameters around it.
        store: Holds the variables.

    Returns:
        Values by name, or why there is none.
    """
    nested = unit.step.nested
    if nested is None:
        return {}
    values: dict[str, object] = {}
    for parameter in nested.parameters:
        try:
            values |= _value_of(parameter, unit, taken, given, store)
        except _UnfitError as error:
            return nested_parameter(unit.name, _cell(unit), parameter.name, str(error))
    try:
        return check_values(nested, values)
    except Nb2pipeError as error:
        return nested_parameter(unit.name, _cell(unit), ", ".join(values), error.message)


def _value_of(
    parameter: Parameter, unit: Unit, taken: Taken, given: Mapping[str, object], store: Store
) -> dict[str, object]:
    name = parameter.name
    if name in taken.variables:
        return {name: _variable(name, taken.variables[name][1], store)}
    if name in given:
        return {name: given[name]}
    outer = next((each for each in unit.pipeline.parameters if each.name == name), None)
    if outer is None:
        return {}
    if not outer.is_literal:
        raise _UnfitError(f"its value here is `{outer.default}`, which only a step can compute; give it with -p")
    return {name: outer.default}


def _variable(name: str, group: Group, store: Store) -> object:
    try:
        value = groups.load(group, store=store, namespace={"__name__": "__main__"})[name]
    except Exception as error:
        raise _UnfitError(f"it cannot be read: {error}") from error
    _check_plain(value, ())
    return value


def _check_plain(value: object, within: tuple[int, ...]) -> None:
    if id(value) in within:
        raise _UnfitError("it holds itself")
    if isinstance(value, list):
        items: list[object] = value
    elif isinstance(value, dict):
        items = [*value.keys(), *value.values()]
    elif type(value) in _PLAIN:
        return
    else:
        raise _UnfitError(f"it holds a `{type(value).__name__}`, and has to be plain data")
    for item in items:
        _check_plain(item, (*within, id(value)))


def _cell(unit: Unit) -> int | None:
    return unit.step.cells[0] if unit.step.cells else None
