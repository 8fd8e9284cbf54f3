"""What there is to do, flat: the steps of a pipeline, with those of nested pipelines in the place of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.pipeline.model import Edge, Port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.pipeline.model import Pipeline, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A step as a run sees it.

    Attributes:
        step: Its name is the unit's: `STEP`, or `OUTER/INNER` in a nested pipeline.
        pipeline: The pipeline that it belongs to.
        folder: Working directory.
        scope: The unit that its pipeline is nested in; empty for the notebook itself. Values given to parameters and
            the working directory hold within a scope; variables and other hidden state pass as if the cells of a
            nested notebook stood in the place of the cell that names it.
        inner: For a nested pipeline, its units, which stand before it. It runs no code itself, and ends when they have
            ended.
    """

    step: Step
    pipeline: Pipeline
    folder: Path
    scope: str = ""
    inner: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The step's name in events and records."""
        return self.step.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All units of a run, in notebook order, and the order between them."""

    units: tuple[Unit, ...]
    edges: tuple[Edge, ...]
    by_name: Mapping[str, Unit] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The units' names, in notebook order."""
        return tuple(unit.name for unit in self.units)

    def earlier(self, unit: Unit) -> tuple[Unit, ...]:
        """The units that stand before one in the notebook; a nested pipeline's own are not before it."""
        before = self.units[: self.places[unit.name]]
        return tuple(each for each in before if each.name not in unit.inner) if unit.inner else before

    def later(self, unit: Unit) -> tuple[Unit, ...]:
        """The units that stand after one in the notebook."""
        return self.units[self.places[unit.name] + 1 :]


def make_work(pipeline: Pipeline, folder: Path) -> Work:
    """The work of a run of a pipeline.

    Args:
        pipeline: The pipeline of the notebook itself.
        folder: Working directory of its steps; those of a nested notebook run in that one's folder.
    """
    units, edges = _flatten(pipeline, folder, "")
    return Work(
        units=tuple(units),
        edges=tuple(edges),
        by_name={unit.name: unit for unit in units},
        places={unit.name: place for place, unit in enumerate(units)},
    )


def _flatten(pipeline: Pipeline, folder: Path, scope: str) -> tuple[list[Unit], list[Edge]]:
    """The units and edges of a pipeline.

    Args:
        pipeline: The pipeline, or one nested in it.
        folder: Working directory.
        scope: Name of the unit that it is nested in.
    """
    prefix = f"{scope}/" if scope else ""
    units: list[Unit] = []
    edges = [replace(edge, source=prefix + edge.source, target=prefix + edge.target) for edge in pipeline.edges]
    for step in pipeline.steps:
        unit = Unit(step=_named(step, prefix), pipeline=pipeline, folder=folder, scope=scope)
        if step.nested is None:
            units.append(unit)
            continue
        inside = Path(step.nested.notebook.path).absolute().parent.resolve()
        found, within = _flatten(step.nested, inside, unit.name)
        inner = [_within(each, step) for each in found]
        names = tuple(each.name for each in inner)
        incoming = [edge for edge in edges if edge.target == unit.name]
        edges += within
        edges += [replace(edge, target=name, names=()) for edge in incoming for name in names]
        edges += [Edge(source=name, target=unit.name, kinds=(FlowKind.ORDER,)) for name in names]
        units += [*inner, replace(unit, inner=names)]
    return units, edges


def _within(unit: Unit, outer: Step) -> Unit:
    """How often to try and how long to wait, where the step around says so and the step itself does not."""
    step, said = unit.step, unit.step if unit.step.retry else outer
    timeout = step.timeout or outer.timeout
    return replace(unit, step=replace(step, retry=said.retry, retry_delay=said.retry_delay, timeout=timeout))


def _named(step: Step, prefix: str) -> Step:
    if not prefix:
        return step
    inputs = tuple(replace(port, origin=prefix + port.origin) if port.origin else port for port in step.inputs)
    return replace(step, name=prefix + step.name, inputs=_ports(inputs))


def _ports(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    return tuple(sorted(ports, key=lambda port: port.name))
