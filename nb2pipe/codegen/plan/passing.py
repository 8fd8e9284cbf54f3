"""Who gives what to whom when all steps run in one process, and which gates a step stands behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.codegen.model import Argument, SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.codegen.plan.source import StepSource
    from nb2pipe.pipeline.model import Edge, Parameter
    from nb2pipe.pipeline.work import Unit, Work


def origins(steps: Sequence[StepSource], work: Work) -> dict[str, dict[str, str]]:
    """For each step, the step that gives each of its inputs, by the names that they have in the run."""
    given: dict[str, list[int]] = {}
    found: dict[str, dict[str, str]] = {}
    numbers = {step.name: step.number for step in steps}
    for step in steps:
        found[step.name] = {}
        for port in step.unit.step.inputs:
            makers = given.get(port.name, [])
            named = numbers.get(_inside(port.origin, port.name, work)) if port.origin is not None else None
            maker = named if named in makers else (makers[-1] if makers else None)
            if maker is not None:
                found[step.name][port.name] = steps[maker].name
        for port in step.unit.step.outputs:
            given.setdefault(port.name, []).append(step.number)
    return found


def _inside(origin: str | None, name: str, work: Work) -> str:
    """The step that an origin means: of a nested notebook, the last one that gives the name."""
    unit = work.by_name.get(origin or "")
    while unit is not None and unit.inner:
        inner = (work.by_name[each] for each in reversed(unit.inner))
        unit = next((each for each in inner if any(port.name == name for port in each.step.outputs)), None)
    return unit.name if unit is not None else ""


def taken(found: Mapping[str, Mapping[str, str]]) -> dict[str, frozenset[str]]:
    """For each step, the outputs that later steps take."""
    names: dict[str, set[str]] = {}
    for inputs in found.values():
        for name, maker in inputs.items():
            names.setdefault(maker, set()).add(name)
    return {step: frozenset(each) for step, each in names.items()}


def arguments(
    step: StepSource, inputs: Iterable[str], makers: Mapping[str, str], work: Work, parameters: Sequence[Parameter]
) -> tuple[Argument, ...]:
    """The arguments of a step's function when all steps run in one process.

    Args:
        step: The step.
        inputs: The inputs that its function has.
        makers: The step that gives each input.
        work: All steps.
        parameters: Those of the whole pipeline.
    """
    found = [
        Argument(name=name, kind=SourceKind.OUTPUT, step=makers[name], source=name)
        if name in makers
        else _from_parameter(name, parameters)
        for name in inputs
    ]
    found += [_parameter(name, step.unit, work, parameters) for name in step.unit.step.parameters]
    return tuple(found)


def _from_parameter(name: str, parameters: Sequence[Parameter]) -> Argument:
    if any(parameter.name == name for parameter in parameters):
        return Argument(name=name, kind=SourceKind.PARAMETER, source=name)
    return Argument(name=name, kind=SourceKind.DEFAULT)


def _parameter(name: str, unit: Unit, work: Work, parameters: Sequence[Parameter]) -> Argument:
    """A parameter: of a nested notebook, the variable or parameter of its name around it, else its own default."""
    around = work.by_name.get(unit.scope)
    if around is None:
        return _from_parameter(name, parameters)
    variable = next((port for port in around.step.inputs if port.name == name), None)
    if variable is not None:
        maker = _inside(variable.origin, name, work) or _last_giver(name, around, work)
        if maker:
            return Argument(name=name, kind=SourceKind.OUTPUT, step=maker, source=name)
    outer = next((each for each in around.pipeline.parameters if each.name == name), None)
    if outer is None or name not in around.step.parameters:
        return Argument(name=name, kind=SourceKind.DEFAULT)
    return _parameter(name, around, work, parameters)


def _last_giver(name: str, before: Unit, work: Work) -> str:
    """The last step before one that gives a name."""
    for unit in reversed(work.earlier(before)):
        if not unit.inner and any(port.name == name for port in unit.step.outputs):
            return unit.name
    return ""


def gates(work: Work) -> dict[str, tuple[str, ...]]:
    """For each step, the steps before it whose gates have to hold.

    A gate skips what depends on its step by data, or comes after it by a tag, and what depends on that in turn.
    """
    through: dict[str, list[str]] = {}
    for edge in work.edges:
        if _is_data(edge):
            through.setdefault(edge.target, []).append(edge.source)
    behind: dict[str, frozenset[str]] = {}
    for unit in work.units:
        sources = through.get(unit.name, ())
        own = {source for source in sources if work.by_name[source].step.gate is not None}
        behind[unit.name] = frozenset(own).union(*(behind.get(source, frozenset()) for source in sources))
    return {name: tuple(_in_order(found, work)) for name, found in behind.items()}


def _in_order(names: Iterable[str], work: Work) -> Iterator[str]:
    return iter(sorted(names, key=lambda name: work.places[name]))


def _is_data(edge: Edge) -> bool:
    """A random generator alone ties steps in time, not in meaning: a gate does not act through it."""
    return edge.declared or not set(edge.kinds) or bool(set(edge.kinds) - {FlowKind.RANDOM})
