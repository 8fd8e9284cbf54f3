"""Dataflows made by hand, so that tests of the pipeline need no analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.analysis.model import CellFacts, Dataflow, Definition, DefinitionKind, Flow, FlowKind, ParameterFact
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.notebook.magics import translate
from nb2pipe.notebook.model import Cell, CellKind, Kernel, Notebook, Settings, StepTag, Tag
from nb2pipe.pipeline.build import build

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.pipeline.model import Pipeline


def make_cell(position: int, source: str, *tags: object) -> Cell:
    typed: tuple[Tag, ...] = tuple(StepTag(tag) if isinstance(tag, str) else tag for tag in tags)  # type: ignore[misc] # Tag is a union
    read = translate(source)
    return Cell(
        id=f"c{position}",
        position=position,
        kind=CellKind.CODE,
        source=source,
        python=read.python,
        magics=read.magics,
        tags=typed,
    )


def make_notebook(*cells: tuple[object, ...], settings: Settings | None = None) -> Notebook:
    made = tuple(make_cell(number, str(cell[0]), *cell[1:]) for number, cell in enumerate(cells, start=1))
    return Notebook(
        path="some/n.ipynb", cells=made, kernel=Kernel(), settings=settings or Settings(), digest=Digest.of("t", 0)
    )


@pytest.fixture
def made() -> Callable[..., Pipeline]:
    """Makes a pipeline of cells, `(source, tag or step name, ...)`, and of what is said of them.

    `facts` are keyword arguments of CellFacts by cell, sets as texts of names; `flows` are `(name, source, target)` and
    then a kind, `?` for uncertain, or `function`; `definitions` are `(cell, (first line, last line), names, reads,
    kind, module)`; `parameters` are keyword arguments of ParameterFact; `uses` the cells that read each.
    """

    def make(*cells: tuple[object, ...], nested: Mapping[str, Pipeline] | None = None, **more: Any) -> Pipeline:
        notebook = make_notebook(*cells, settings=more.get("settings"))
        facts = more.get("facts", {})
        dataflow = Dataflow(
            notebook=notebook,
            facts=tuple(_facts(cell.position, facts.get(cell.position, {})) for cell in notebook.cells),
            definitions=tuple(_definition(*each) for each in more.get("definitions", ())),
            parameters=tuple(_parameter(**each) for each in more.get("parameters", ())),
            flows=tuple(_flow(*each) for each in more.get("flows", ())),
            parameter_uses={name: frozenset(found) for name, found in more.get("uses", {}).items()},
        )
        return build(dataflow, Report(), nested)

    return make


def _facts(position: int, given: Mapping[str, Any]) -> CellFacts:
    ready = {name: frozenset(value.split()) if isinstance(value, str) else value for name, value in given.items()}
    return CellFacts(cell=position, **ready)


def _definition(cell: int, lines: tuple[int, int], names: str, *more: str) -> Definition:
    reads, kind, module = (*more, *("", "import", None)[len(more) :])
    return Definition(
        names=tuple(names.split()),
        kind=DefinitionKind(kind),
        cell=cell,
        first_line=lines[0],
        last_line=lines[1],
        reads=frozenset(str(reads).split()),
        module=module,
    )


def _parameter(name: str, cell: int, line: int, value: object = 1, **more: Any) -> ParameterFact:
    reads = frozenset(str(more.pop("reads", "")).split())
    source = str(more.pop("source", repr(value)))
    literal = bool(more.pop("is_literal", True))
    return ParameterFact(
        name=name, cell=cell, line=line, value=value, source=source, is_literal=literal, reads=reads, **more
    )


def _flow(name: str, source: int, target: int, *words: str) -> Flow:
    kinds = [FlowKind(word) for word in words if word in set(FlowKind)]
    return Flow(
        name=name,
        source=source,
        target=target,
        kind=kinds[0] if kinds else FlowKind.VALUE,
        certain="?" not in words,
        function="function" in words,
    )
