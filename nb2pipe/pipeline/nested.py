"""Nested notebooks: names meet as if the other notebook's cells stood in the place of the cell that names it.

What the nested notebook uses and does not define is the outer one's; what it defines is seen by the steps after it;
and a parameter of it takes the outer parameter or variable of its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.diagnostics import Report
from nb2pipe.notebook.model import CellKind, FunctionsTag, NestedTag, StepTag
from nb2pipe.notebook.sections import Role, sections
from nb2pipe.pipeline.model import Edge, Port
from nb2pipe.pipeline.statements import binds, reads, statements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.notebook.sections import Section
    from nb2pipe.pipeline.model import Pipeline, Step

_UNDEFINED = "NB203"


def inlined(notebook: Notebook) -> Notebook:
    """The notebook with the code of nested notebooks in the place of the cells that name them, for analysis alone.

    Args:
        notebook: The notebook; it is as it was where it has no nested ones.
    """
    if not notebook.nested:
        return notebook
    roles = {section.cell: section for section in sections(notebook)}
    bound: set[str] = set()
    cells: list[Cell] = []
    for cell in notebook.cells:
        section = roles.get(cell.position)
        cells.append(_inlined_cell(notebook, cell, section, frozenset(bound)) if section is not None else cell)
        if section is not None and section.role is not Role.SKIPPED:
            bound |= {name for statement in statements(cells[-1].python) for name in binds(statement.node)}
    return replace(notebook, cells=tuple(cells), nested={})


def nested_cells(notebook: Notebook) -> frozenset[int]:
    """The positions of the cells that name other notebooks."""
    return frozenset(section.cell for section in sections(notebook) if section.role is Role.NESTED)


def without_places(report: Report, positions: Collection[int]) -> Report:
    """A report without what lies in some cells: code that stands there for analysis alone has its own report."""
    return Report.of(item for item in report if item.location.position not in positions)


def _inlined_cell(notebook: Notebook, cell: Cell, section: Section, bound: frozenset[str]) -> Cell:
    """A cell that says of itself what it is, with the code of the notebook that it names."""
    if section.role is Role.NESTED:
        path = next((tag.path for tag in cell.tags_of(NestedTag)), None) or ""
        inner = notebook.nested.get(path)
        code = "\n".join(_code(inner, bound)) if inner is not None else ""
        tag = StepTag(section.step or "")
        return replace(cell, kind=CellKind.CODE, source=code, python=code, tags=(tag,), magics=())
    if section.role is Role.STEP and section.step is not None and not cell.has(StepTag):
        return replace(cell, tags=(*cell.tags, StepTag(section.step)))
    if section.role is Role.DEFINITIONS:
        return replace(cell, tags=(*cell.tags, FunctionsTag()))
    return cell


def _code(notebook: Notebook, bound: frozenset[str]) -> Iterator[str]:
    """The code of a nested notebook, without defaults of parameters that the outer one gives."""
    whole = inlined(notebook)
    for section in sections(whole):
        cell = whole.cell(section.cell)
        if section.role in {Role.PARAMETERS, Role.INJECTED}:
            lines = cell.python.split("\n")
            for statement in statements(cell.python):
                if binds(statement.node) & bound:
                    lines[statement.first_line - 1 : statement.last_line] = [""] * len(statement.lines)
            yield "\n".join(lines)
        elif section.role is not Role.SKIPPED:
            yield cell.python


@dataclass(slots=True)
class _Embedding:
    """Ports and edges that a nested pipeline gets from what is around it."""

    pipeline: Pipeline
    takes: Collection[str]
    inputs: dict[str, dict[str, Port]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Port]] = field(default_factory=dict)
    edges: dict[tuple[str, str], Edge] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)

    def add_step(self, step: Step) -> None:
        """Gives a step what it takes from around, or from an earlier step that changed it."""
        used, made = _touched(self.pipeline, step)
        self.inputs[step.name] = {port.name: port for port in step.inputs}
        self.outputs[step.name] = {port.name: port for port in step.outputs}
        for name in sorted(used & frozenset(self.takes) - frozenset(step.parameters)):
            if name not in self.inputs[step.name]:
                self._take(step.name, name)
        self.makers |= dict.fromkeys(made, step.name)

    def _take(self, step: str, name: str) -> None:
        origin = self.makers.get(name)
        self.inputs[step][name] = Port(name=name, origin=origin)
        if origin is not None:
            self.give(origin, name)
            old = self.edges.get((origin, step), Edge(source=origin, target=step))
            kinds = {*old.kinds, FlowKind.CHANGE}
            names = {*old.names, name}
            self.edges[origin, step] = replace(old, names=tuple(sorted(names)), kinds=tuple(sorted(kinds)))

    def give(self, step: str, name: str) -> None:
        """Makes a name an output of a step."""
        self.outputs[step].setdefault(name, Port(name=name))


def embedded(pipeline: Pipeline, takes: Collection[str], gives: Collection[Port]) -> Pipeline:
    """A nested pipeline whose steps take and give what flows into it and out of it.

    Args:
        pipeline: The pipeline of the nested notebook, as it is alone.
        takes: The names of the outer variables that it uses.
        gives: What the outer steps take of it.

    Returns:
        The pipeline; an input whose `origin` is None comes from around it.
    """
    around = frozenset(takes) - {parameter.name for parameter in pipeline.parameters}
    embedding = _Embedding(pipeline, around, edges={(edge.source, edge.target): edge for edge in pipeline.edges})
    for step in pipeline.steps:
        embedding.add_step(step)
    for port in gives:
        if port.name in embedding.makers:
            embedding.outputs[embedding.makers[port.name]].setdefault(port.name, port)
    order = {step.name: number for number, step in enumerate(pipeline.steps)}
    edges = sorted(embedding.edges.values(), key=lambda edge: (order[edge.source], order[edge.target]))
    return replace(
        pipeline,
        steps=tuple(_with_ports(step, embedding) for step in pipeline.steps),
        edges=tuple(edges),
        report=Report.of(item for item in pipeline.report if not _is_given(item, around)),
    )


def _with_ports(step: Step, embedding: _Embedding) -> Step:
    inputs = tuple(port for _, port in sorted(embedding.inputs[step.name].items()))
    outputs = tuple(port for _, port in sorted(embedding.outputs[step.name].items()))
    if step.nested is None:
        return replace(step, inputs=inputs, outputs=outputs)
    inner = embedded(step.nested, {port.name for port in inputs}, outputs)
    return replace(step, inputs=inputs, outputs=outputs, nested=inner)


def _touched(pipeline: Pipeline, step: Step) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a step reads, a few too many, and those that it binds or changes."""
    dataflow = pipeline.dataflow
    own = [fact for fact in dataflow.facts if fact.cell in step.cells] if dataflow is not None else []
    definitions = dataflow.definitions if dataflow is not None else ()
    read = [fact.uses | fact.mutations for fact in own]
    read += [definitions[index].reads for fact in own for index in fact.needs]
    read += [
        reads(statement.node) for cell in step.cells for statement in statements(pipeline.notebook.cell(cell).python)
    ]
    made = (fact.definitions | fact.mutations for fact in own)
    return frozenset[str]().union(*read), frozenset[str]().union(*made)


def _is_given(item: Diagnostic, names: Collection[str]) -> bool:
    """Whether a diagnostic says that a name is undefined which the outer notebook gives."""
    return item.code == _UNDEFINED and any(item.message.startswith(f"`{name}`") for name in names)
