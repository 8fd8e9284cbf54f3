"""A pipeline as a Mermaid flowchart, for READMEs and issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.pipeline.ports import CARRIED
from nb2pipe.pipeline.render_text import cells_text, clip, edge_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.model import Edge, Pipeline, Step


def to_mermaid(pipeline: Pipeline) -> str:
    """The pipeline in Mermaid's language.

    Args:
        pipeline: The pipeline.
    """
    return "\n".join(_lines(pipeline)) + "\n"


def _lines(pipeline: Pipeline) -> Iterator[str]:
    yield "flowchart TD"
    numbers = {step.name: number for number, step in enumerate(pipeline.steps, start=1)}
    for step in pipeline.steps:
        yield f"    s{numbers[step.name]}{_shape(step)}"
    for edge in pipeline.edges:
        yield f'    s{numbers[edge.source]} {_arrow(edge)}|"{escaped(edge_text(edge))}"| s{numbers[edge.target]}'


def _shape(step: Step) -> str:
    text = f"{escaped(step.name)}<br/>{escaped(cells_text(step.cells))}"
    if step.parameters:
        text += f"<br/>{escaped(', '.join(step.parameters))}"
    if step.nested is not None:
        return f'[["{text}"]]'
    return f'{{{{"{text}"}}}}' if step.gate is not None else f'["{text}"]'


def _arrow(edge: Edge) -> str:
    return "-->" if edge.certain and CARRIED & set(edge.kinds) else "-.->"


def escaped(text: str) -> str:
    """A text in Mermaid's quotes: all that is neither a letter, a digit nor harmless is written as its number.

    >>> escaped('a"b')
    'a#34;b'
    """
    return "".join(
        character if character.isalnum() or character in " _-,.()+?" else f"#{ord(character)};"
        for character in clip(text, 80)
    )
