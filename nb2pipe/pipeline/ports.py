"""What each step takes, gives and is parameterized by: the flows between cells, seen between steps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import DefinitionKind, Flow, FlowKind
from nb2pipe.pipeline.model import Port, PortKind
from nb2pipe.pipeline.statements import Part, binds, reads, slice_of, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.analysis.model import CellFacts, Dataflow
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.outline import Draft, Outline
    from nb2pipe.pipeline.statements import SharedCell

CARRIED = frozenset({FlowKind.VALUE, FlowKind.CHANGE})
"""The kinds of flows that carry a variable or function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A flow between two steps."""

    source: str
    target: str
    flow: Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What flows between the steps of an outline.

    Attributes:
        flows: All flows between cells, with those of parameters whose defaults are evaluated once.
        links: All flows between different steps, forward in notebook order.
        inputs: For each step, its inputs by name.
        outputs: For each step, its outputs by name.
        parameters: For each step, the parameters whose given values it uses, itself or through defaults made of them.
    """

    flows: tuple[Flow, ...] = ()
    links: tuple[Link, ...] = ()
    inputs: Mapping[str, Mapping[str, Port]] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Port]] = field(default_factory=dict)
    parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)


def ports(outline: Outline, nested: Mapping[str, Pipeline]) -> Ports:
    """What flows between the steps of an outline.

    Args:
        outline: The steps to be.
        nested: The pipelines of `notebook:` tags, by the path that the tag gives.
    """
    uses = _parameter_uses(outline)
    flows = (*outline.dataflow.flows, *_setup_flows(outline, uses), *_nested_flows(outline, nested))
    links, unmade = _completed(outline, _links(outline, flows))
    inputs = _inputs(outline, links)
    used = _used(outline, uses, unmade, nested)
    return Ports(
        flows=tuple(flow for flow in flows if not _is_given(outline, flow)),
        links=links,
        inputs=inputs,
        outputs=_outputs(outline, links),
        parameters={name: _with_origins(outline, names - inputs[name].keys()) for name, names in used.items()},
    )


def imported_names(dataflow: Dataflow) -> frozenset[str]:
    """The names that only imports bind: they are never passed on."""
    imported = {
        name
        for definition in dataflow.definitions
        if definition.kind is DefinitionKind.IMPORT
        for name in definition.names
    }
    return frozenset(imported.difference(*(fact.definitions for fact in dataflow.facts)))


def visible_origin(outline: Outline, name: str, before: int) -> int | None:
    """The cell that last bound or changed a name before a position, among those that run once, or None."""
    for fact in reversed(outline.dataflow.facts):
        if fact.cell < before and fact.cell in outline.owner and name in fact.definitions | fact.mutations:
            if name in outline.repeatable and outline.repeatable[name].cell == fact.cell:
                continue
            return fact.cell
    return None


def _links(outline: Outline, flows: Iterable[Flow]) -> tuple[Link, ...]:
    imported = imported_names(outline.dataflow)
    order = outline.order
    found: dict[Link, None] = {}
    for flow in flows:
        source, target = outline.owner.get(flow.source), outline.owner.get(flow.target)
        if source is None or target is None or order[source] >= order[target] or _is_given(outline, flow):
            continue
        if flow.kind in CARRIED and flow.name in imported:
            flow = Flow(  # noqa: PLW2901  # a changed module is no value, but what comes after the change depends on it
                name=flow.name, source=flow.source, target=flow.target, kind=FlowKind.ORDER, certain=flow.certain
            )
        found[Link(source=source, target=target, flow=flow)] = None
    return tuple(found)


def _is_given(outline: Outline, flow: Flow) -> bool:
    """Whether a flow is that of a parameter's default, which each step evaluates itself."""
    fact = outline.repeatable.get(flow.name)
    return fact is not None and flow.kind is FlowKind.VALUE and flow.source == fact.cell


def _parameter_uses(outline: Outline) -> dict[str, frozenset[int]]:
    """The cells that read each parameter's given value; for a shared cell, only what of it runs once counts."""
    found = {name: set(cells) for name, cells in outline.dataflow.parameter_uses.items()}
    assigned = {fact.cell for fact in outline.dataflow.parameters}
    for position in assigned & outline.owner.keys():
        for cells in found.values():
            cells.discard(position)
        for name in _read_once(outline.shared.get(position)):
            found.setdefault(name, set()).add(position)
    known = {fact.name for fact in outline.dataflow.parameters}
    return {name: frozenset(cells) for name, cells in found.items() if name in known}


def _read_once(shared: SharedCell | None) -> frozenset[str]:
    """The names that the code of a parameters cell that runs once takes from earlier cells."""
    if shared is None:
        return frozenset()
    wanted = frozenset(name for statement in shared.of(Part.ONCE) for name in reads(statement.node))
    bound = frozenset(name for statement in shared.statements for name in binds(statement.node))
    _, outside = slice_of(shared.of(Part.PARAMETER), wanted)
    return outside - bound


def _setup_flows(outline: Outline, uses: Mapping[str, frozenset[int]]) -> tuple[Flow, ...]:
    """The flows of parameters whose defaults are evaluated once."""
    return tuple(
        Flow(name=fact.name, source=fact.cell, target=cell, kind=FlowKind.VALUE)
        for fact in outline.dataflow.parameters
        if fact.name not in outline.repeatable
        for cell in sorted(uses.get(fact.name, ()))
        if cell > fact.cell
    )


def _nested_flows(outline: Outline, nested: Mapping[str, Pipeline]) -> tuple[Flow, ...]:
    """What a nested notebook takes: the outer variables that have the names of its parameters."""
    return tuple(
        Flow(name=parameter.name, source=origin, target=draft.cells[0], kind=FlowKind.VALUE)
        for draft in outline.drafts
        if draft.nested is not None and draft.nested in nested
        for parameter in nested[draft.nested].parameters
        if (origin := visible_origin(outline, parameter.name, draft.cells[0])) is not None
    )


def _nested_parameters(draft: Draft, nested: Mapping[str, Pipeline], outline: Outline) -> frozenset[str]:
    if draft.nested is None or draft.nested not in nested:
        return frozenset()
    own = {fact.name for fact in outline.dataflow.parameters if fact.cell < draft.cells[0]}
    return frozenset(parameter.name for parameter in nested[draft.nested].parameters if parameter.name in own)


def _completed(outline: Outline, links: tuple[Link, ...]) -> tuple[tuple[Link, ...], tuple[Flow, ...]]:
    """The links, with those of variables that a step gives changed without having taken them.

    A step that changes a list through another name of it gives the list too, so that it has to have it.

    Returns:
        The links; and the flows of what no step made, so that it can be a parameter alone.
    """
    found = dict.fromkeys(links)
    parameters: list[Flow] = []
    gives: dict[str, dict[str, Flow]] = defaultdict(dict)
    has = {draft.name: set(_bound(outline, draft)) for draft in outline.drafts}
    for link in links:
        if link.flow.kind in CARRIED:
            gives[link.source].setdefault(link.flow.name, link.flow)
            has[link.target].add(link.flow.name)
    for draft in reversed(outline.drafts):
        for name, flow in sorted(gives[draft.name].items()):
            if name in has[draft.name]:
                continue
            origin = visible_origin(outline, name, draft.cells[0])
            if origin is None:
                parameters.append(flow)
                continue
            taken = Flow(name=name, source=origin, target=flow.source, kind=FlowKind.VALUE, function=flow.function)
            found[Link(source=outline.owner[origin], target=draft.name, flow=taken)] = None
            gives[outline.owner[origin]].setdefault(name, taken)
    return tuple(found), tuple(parameters)


def _inputs(outline: Outline, links: Iterable[Link]) -> dict[str, dict[str, Port]]:
    latest: dict[tuple[str, str], Link] = {}
    for link in links:
        key = (link.target, link.flow.name)
        if link.flow.kind in CARRIED and (key not in latest or latest[key].flow.source < link.flow.source):
            latest[key] = link
    found: dict[str, dict[str, Port]] = {draft.name: {} for draft in outline.drafts}
    for (target, name), link in sorted(latest.items()):
        kind = PortKind.FUNCTION if link.flow.function else PortKind.VARIABLE
        found[target][name] = Port(name=name, kind=kind, origin=link.source)
    return found


def _outputs(outline: Outline, links: Iterable[Link]) -> dict[str, dict[str, Port]]:
    taken: dict[str, dict[str, PortKind]] = {draft.name: {} for draft in outline.drafts}
    for link in links:
        if link.flow.kind in CARRIED:
            kind = PortKind.FUNCTION if link.flow.function else PortKind.VARIABLE
            taken[link.source][link.flow.name] = kind
    for draft in outline.drafts:
        if not taken[draft.name]:
            taken[draft.name] = _all_outputs(outline, draft)
    return {
        step: {name: Port(name=name, kind=kind) for name, kind in sorted(names.items())}
        for step, names in taken.items()
    }


def _all_outputs(outline: Outline, draft: Draft) -> dict[str, PortKind]:
    """All that a step binds or changes, at its end."""
    imported = imported_names(outline.dataflow)
    found: dict[str, PortKind] = {}
    for fact in outline.facts[draft.name]:
        for name in (fact.definitions | fact.mutations) - _left_out(outline, fact):
            found[name] = PortKind.FUNCTION if name in fact.functions else PortKind.VARIABLE
        for name in fact.deletions:
            if not _binds_after_deletion(outline, fact.cell, name):
                found.pop(name, None)
    return {name: kind for name, kind in found.items() if name not in imported}


def _left_out(outline: Outline, fact: CellFacts) -> frozenset[str]:
    """The repeatable parameters of a parameters cell, which are no variables of the step that runs the rest of it."""
    return frozenset(name for name, parameter in outline.repeatable.items() if parameter.cell == fact.cell)


def _binds_after_deletion(outline: Outline, position: int, name: str) -> bool:
    """Whether the last statement of a cell that binds or deletes a name binds it."""
    bound = False
    for statement in statements(outline.notebook.cell(position).python):
        kinds = [type(node.ctx).__name__ for node in statement.names if node.id == name]
        if "Del" in kinds:
            bound = False
        elif "Store" in kinds:
            bound = True
    return bound


def _bound(outline: Outline, draft: Draft) -> frozenset[str]:
    return frozenset[str]().union(*(fact.definitions for fact in outline.facts[draft.name]))


def _used(
    outline: Outline, uses: Mapping[str, frozenset[int]], unmade: Iterable[Flow], nested: Mapping[str, Pipeline]
) -> dict[str, frozenset[str]]:
    """For each step, the parameters whose given values it uses, not looking at its inputs."""
    found: dict[str, set[str]] = {draft.name: set() for draft in outline.drafts}
    known = {fact.name for fact in outline.dataflow.parameters}
    read = [(name, cell) for name, cells in uses.items() if name in outline.repeatable for cell in cells]
    made = [(fact.name, fact.cell) for fact in outline.dataflow.parameters if fact.name not in outline.repeatable]
    changed = [(flow.name, flow.source) for flow in unmade if flow.name in known]
    for name, cell in (*read, *made, *changed):
        if cell in outline.owner:
            found[outline.owner[cell]].add(name)
    for draft in outline.drafts:
        found[draft.name] |= _used_by_definitions(outline, draft) | _nested_parameters(draft, nested, outline)
    return {name: frozenset(names) for name, names in found.items()}


def _used_by_definitions(outline: Outline, draft: Draft) -> frozenset[str]:
    """The parameters that the functions repeated in a step read, and that the step does not bind itself."""
    needed = {index for fact in outline.facts[draft.name] for index in fact.needs}
    wanted = frozenset[str]().union(*(outline.dataflow.definitions[index].reads for index in needed))
    return (wanted & outline.repeatable.keys()) - _bound(outline, draft)


def _with_origins(outline: Outline, names: frozenset[str]) -> frozenset[str]:
    """Parameters, with those of other cells that their defaults are made of."""
    found = set(names)
    todo = [name for name in names if name in outline.repeatable]
    while todo:
        fact = outline.repeatable[todo.pop()]
        shared = outline.shared.get(fact.cell)
        outside = slice_of(shared.of(Part.PARAMETER), {fact.name})[1] if shared else frozenset()
        new = {name for name in outside & outline.repeatable.keys() if name not in found}
        found |= new
        todo += sorted(new)
    return frozenset(found)
