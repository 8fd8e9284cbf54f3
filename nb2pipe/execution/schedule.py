"""The order of a run as a value: what is ready, what comes first, what falls with what. Pure: no clock, no kernel."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.notebook.gates import metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from nb2pipe.pipeline.model import Edge, Step
    from nb2pipe.pipeline.work import Unit, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What the order of a run depends on.

    Attributes:
        order: The steps in notebook order, which is a topological order.
        before: What has to have ended, in whatever way, before a step begins.
        needs: What has to have succeeded before a step begins: where it fails, the step is skipped.
        gates: Through which of `needs` a gate that does not hold skips the step.
        priority: The larger, the earlier; equal ones go in notebook order.
        places: How many places a step takes.
        devices: How many GPUs a step takes.
        gpus: How many there are.
    """

    order: tuple[str, ...]
    before: Mapping[str, frozenset[str]]
    needs: Mapping[str, frozenset[str]]
    gates: Mapping[str, frozenset[str]]
    priority: Mapping[str, float]
    places: Mapping[str, int]
    devices: Mapping[str, int] = field(default_factory=dict)
    gpus: int = 0


def schedule_of(work: Work, seconds: Mapping[str, float] | None = None, *, gpus: int = 0) -> Schedule:
    """The schedule of the work.

    A gate waits for the steps above it that log metrics, so that what it sees does not depend on who is faster.

    Args:
        work: The units, and the order between them.
        seconds: How long steps took last time.
        gpus: How many GPUs there are.
    """
    waits = {unit.name: _metric_steps(work, unit) for unit in work.units if unit.step.gate}
    places = {unit.name: 0 if unit.inner else places_of(unit.step) for unit in work.units}
    devices = {unit.name: 0 if unit.inner else gpus_of(unit.step) for unit in work.units}
    schedule = make_schedule(work.names, work.edges, waits=waits, seconds=seconds, places=places)
    return replace(schedule, devices=devices, gpus=gpus)


def _metric_steps(work: Work, unit: Unit) -> frozenset[str]:
    gate = unit.step.gate
    if gate is None or not metrics_of(gate.condition):
        return frozenset()
    above = (each for each in work.earlier(unit) if each.scope == unit.scope)
    return frozenset(each.name for each in above if each.step.metrics or each.inner)


def make_schedule(
    order: Sequence[str],
    edges: Iterable[Edge],
    *,
    waits: Mapping[str, frozenset[str]] | None = None,
    seconds: Mapping[str, float] | None = None,
    places: Mapping[str, int] | None = None,
) -> Schedule:
    """The schedule of steps.

    Args:
        order: Names in notebook order.
        edges: Between them.
        waits: What else has to have ended before a step begins, without being needed.
        seconds: How long steps took last time; what is unknown counts as the median of what is known.
        places: How many places a step takes, if not one.
    """
    known = tuple(edges)
    needs = {name: frozenset(edge.source for edge in known if edge.target == name) for name in order}
    gates = {name: frozenset(edge.source for edge in known if edge.target == name and _is_data(edge)) for name in order}
    before = {name: needs[name] | (waits or {}).get(name, frozenset()) for name in order}
    return Schedule(
        order=tuple(order),
        before=before,
        needs=needs,
        gates=gates,
        priority=_longest_paths(order, before, seconds or {}),
        places={name: (places or {}).get(name, 1) for name in order},
    )


def ready(schedule: Schedule, *, pending: Collection[str], running: Collection[str], jobs: int) -> tuple[str, ...]:
    """The steps to begin now, the most urgent first; one at a time they go in notebook order.

    Args:
        schedule: The order.
        pending: Those that have neither begun nor ended.
        running: Those that run.
        jobs: How many places there are.
    """
    open_ = set(pending) | set(running)
    can = [name for name in schedule.order if name in pending and not schedule.before[name] & open_]
    if jobs > 1:  # one at a time takes as long in any order, so the notebook's own is kept
        can.sort(key=lambda name: -schedule.priority[name])
    free = jobs - sum(min(schedule.places[name], jobs) for name in running)
    idle = schedule.gpus - sum(_takes_gpus(schedule, name) for name in running)
    chosen = []
    for name in can:
        takes, devices = min(schedule.places[name], jobs), _takes_gpus(schedule, name)
        if takes <= free and devices <= idle:
            chosen.append(name)
            free -= takes
            idle -= devices
    return tuple(chosen)


def _takes_gpus(schedule: Schedule, name: str) -> int:
    return min(schedule.devices.get(name, 0), schedule.gpus)


def waiting(schedule: Schedule, waits: Mapping[str, Collection[str]]) -> Schedule:
    """The same with more to wait for, learned while the run goes on.

    Args:
        schedule: The order as it is known.
        waits: For a step, what else has to have ended before it begins; it stands above it.
    """
    before = {name: schedule.before[name] | frozenset(waits.get(name, ())) for name in schedule.order}
    return replace(schedule, before=before)


def depending(schedule: Schedule, names: Iterable[str], *, gate: bool = False) -> tuple[str, ...]:
    """The steps that fall with some steps, in notebook order: where they fail, or where their gate does not hold."""
    through = schedule.gates if gate else schedule.needs
    fallen = set(names)
    found = []
    for name in schedule.order:
        if name not in fallen and through[name] & fallen:
            fallen.add(name)
            found.append(name)
    return tuple(found)


def gpus_of(step: Step) -> int:
    """How many GPUs the `limit:nvidia.com/gpu` of a step reserves."""
    quantity = dict(step.resources.limits).get("nvidia.com/gpu", "0")
    return int(quantity) if quantity.isdecimal() else 0


def places_of(step: Step) -> int:
    """How many places the `limit:cpu` of a step reserves; one if it says nothing that counts.

    >>> from nb2pipe.pipeline.model import Resources, Step
    >>> [places_of(Step(name="a", cells=(), resources=Resources(limits=(("cpu", n),)))) for n in ("2", "500m", "x")]
    [2, 1, 1]
    """
    quantity = dict(step.resources.limits).get("cpu", "1")
    text, scale = (quantity[:-1], 1000) if quantity.endswith("m") else (quantity, 1)
    try:
        value = float(text) / scale
    except ValueError:
        return 1
    return max(1, math.ceil(value)) if math.isfinite(value) else 1


def _is_data(edge: Edge) -> bool:
    """A random generator alone ties steps in time, not in meaning: a gate does not act through it."""
    return edge.declared or not set(edge.kinds) or bool(set(edge.kinds) - {FlowKind.RANDOM})


def _longest_paths(
    order: Sequence[str], before: Mapping[str, frozenset[str]], seconds: Mapping[str, float]
) -> dict[str, float]:
    """The longest time from the beginning of a step to the end of all that waits for it; all alike if none is known."""
    known = [seconds[name] for name in order if name in seconds]
    if not known:
        return dict.fromkeys(order, 0.0)
    usual = statistics.median(known)
    longest = _longest_after(order, before, lambda name: seconds.get(name, usual))
    return {name: longest[name] for name in order}


def _longest_after(
    order: Sequence[str], before: Mapping[str, frozenset[str]], takes: Callable[[str], float]
) -> dict[str, float]:
    after = dict.fromkeys(order, 0.0)
    longest: dict[str, float] = {}
    for name in reversed(order):
        longest[name] = after[name] + takes(name)
        for source in before[name]:
            after[source] = max(after[source], longest[name])
    return longest
