"""A pipeline as text for a terminal: its parameters, its steps, and what flows to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.values import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.pipeline.model import Edge, Parameter, Pipeline, Step

_LONGEST = 60


def to_text(pipeline: Pipeline) -> str:
    """The pipeline as lines of text; what is not certain has a question mark.

    Args:
        pipeline: The pipeline.
    """
    return "\n".join(_lines(pipeline))


def _lines(pipeline: Pipeline) -> Iterator[str]:
    yield f"{clip(pipeline.name)}: {steps_text(pipeline)}"
    if pipeline.parameters:
        yield ""
        yield "parameters"
        yield from _table(_parameter(parameter) for parameter in pipeline.parameters)
    incoming: dict[str, list[Edge]] = {}
    for edge in pipeline.edges:
        incoming.setdefault(edge.target, []).append(edge)
    for step in pipeline.steps:
        yield ""
        yield from _step(step, incoming.get(step.name, []))


def _parameter(parameter: Parameter) -> tuple[str, ...]:
    note = parameter.type if parameter.is_literal else "computed once" if not parameter.repeatable else "computed"
    return (parameter.name, f"= {clip(default_text(parameter))}", f"({note})")


def default_text(parameter: Parameter) -> str:
    """A parameter's default as Python text."""
    default = masked({parameter.name: parameter.default})[parameter.name]
    return repr(default) if parameter.is_literal else str(parameter.default)


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()


def _step(step: Step, incoming: list[Edge]) -> Iterator[str]:
    note = " (made for code outside of steps)" if step.generated and step.name != "main" else ""
    yield f"{step.name}  {cells_text(step.cells)}{note}"
    if step.description:
        yield f"  {clip(step.description)}"
    for edge in incoming:
        yield f"  <- {edge.source}: {edge_text(edge)}"
    gives = ", ".join(port.name for port in step.outputs)
    if gives:
        yield f"  -> {gives}"
    if step.parameters:
        yield f"  parameters: {', '.join(step.parameters)}"
    yield from _wishes(step)


def _wishes(step: Step) -> Iterator[str]:
    if step.nested is not None:
        yield f"  notebook: {step.nested.notebook.path}, {steps_text(step.nested)}"
    if step.gate is not None:
        yield f"  gate: {step.gate.text}"


def edge_text(edge: Edge) -> str:
    """What flows along an edge, in words.

    Args:
        edge: The edge.
    """
    others = [kind.value for kind in edge.kinds if kind.value not in {"value", "change"}]
    carried = list(edge.names) or (["functions"] if len(others) < len(edge.kinds) else [])
    marks = ([] if edge.certain else ["not certain"]) + (["prev"] if edge.declared else [])
    return ", ".join(carried + [f"[{kind}]" for kind in others]) + (f" ({'; '.join(marks)})" if marks else "")


def steps_text(pipeline: Pipeline) -> str:
    """How many steps a pipeline has, in words."""
    return f"{len(pipeline.steps)} {'step' if len(pipeline.steps) == 1 else 'steps'}"


def cells_text(cells: tuple[int, ...]) -> str:
    """Cells in words, neighbors as a range.

    >>> cells_text((2, 3, 4, 7))
    'cells 2-4, 7'
    """
    spans: list[list[int]] = []
    for cell in cells:
        if spans and spans[-1][1] == cell - 1:
            spans[-1][1] = cell
        else:
            spans.append([cell, cell])
    text = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
    return f"{'cell' if len(cells) == 1 else 'cells'} {text}"


def clip(text: str, longest: int = _LONGEST) -> str:
    """A text on one line, cut where it is long.

    >>> clip("abcdef", 4)
    'abc…'
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
