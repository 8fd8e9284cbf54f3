"""A pipeline as a page of its own: the picture, parameters, steps with their code. Nothing is loaded, nothing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.pipeline.blocks import block_text
from nb2pipe.pipeline.escape import xml_text
from nb2pipe.pipeline.model import BlockRole
from nb2pipe.pipeline.render_svg import to_svg
from nb2pipe.pipeline.render_text import cells_text, default_text, edge_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.pipeline.model import Block, Edge, Parameter, Pipeline, Step

_STYLE = """
:root { color-scheme: light dark; --text: #16263a; --soft: #5d6b7c; --line: #d5dce5; --page: #fff; --code: #f5f8fc }
@media (prefers-color-scheme: dark) {
  :root { --text: #eef3f9; --soft: #a3b0bf; --line: #37424e; --page: #14181d; --code: #1b222b }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem auto;
  max-width: 70rem; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem } h3 { margin-bottom: .3rem }
.soft { color: var(--soft) }
.picture { overflow: auto; border: 1px solid var(--line); border-radius: 8px; max-height: 80vh; text-align: center }
.picture svg { max-width: none }
table { border-collapse: collapse } th, td { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line) }
pre { background: var(--code); padding: .7rem 1rem; overflow: auto; border-radius: 6px; margin: .4rem 0;
  font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .93em }
section:target h3 { text-decoration: underline }
summary { cursor: pointer } details { margin: .3rem 0 }
:focus-visible { outline: 3px solid #4a8fe0; outline-offset: 2px }
"""


def to_html(pipeline: Pipeline) -> str:
    """The pipeline as an HTML page that needs nothing else.

    Args:
        pipeline: The pipeline.
    """
    return "\n".join(_page(pipeline)) + "\n"


def _page(pipeline: Pipeline) -> Iterator[str]:
    name = xml_text(pipeline.name)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>"
    yield f'<p class="soft">{xml_text(pipeline.notebook.path)}</p>'
    if pipeline.settings.description:
        yield f"<p>{xml_text(pipeline.settings.description)}</p>"
    yield '<div class="picture" tabindex="0" role="region" aria-label="graph of the pipeline">'
    yield f"{to_svg(pipeline, links=True)}</div>"
    yield from _parameters(pipeline)
    yield from _notes(pipeline)
    yield "<h2>Steps</h2>"
    for number, step in enumerate(pipeline.steps, start=1):
        yield from _section(pipeline, step, number)
    yield "</main>\n</body>\n</html>"


def _parameters(pipeline: Pipeline) -> Iterator[str]:
    if not pipeline.parameters:
        return
    rows = [_parameter(pipeline, parameter) for parameter in pipeline.parameters]
    yield "<h2>Parameters</h2>"
    yield from _table(("name", "type", "default", "used by"), rows)


def _parameter(pipeline: Pipeline, parameter: Parameter) -> tuple[str, str, str, str]:
    kind = xml_text(parameter.type or "any")
    return (_mono(parameter.name), kind, _mono(default_text(parameter)), _users(pipeline, parameter))


def _users(pipeline: Pipeline, parameter: Parameter) -> str:
    return xml_text(", ".join(step.name for step in pipeline.steps if parameter.name in step.parameters))


def _mono(text: str) -> str:
    return f"<code>{xml_text(text)}</code>"


def _notes(pipeline: Pipeline) -> Iterator[str]:
    """What was found wrong with the notebook."""
    if not pipeline.report.diagnostics:
        return
    yield "<h2>Notes</h2>"
    rows = [
        (xml_text(item.severity.value), xml_text(item.code), str(item.location.position or ""), xml_text(item.message))
        for item in pipeline.report
    ]
    yield from _table(("", "code", "cell", "message"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table; its cells are HTML already."""
    yield "<table>\n<thead><tr>" + "".join(f'<th scope="col">{cell}</th>' for cell in head) + "</tr></thead>\n<tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody>\n</table>"


def _section(pipeline: Pipeline, step: Step, number: int) -> Iterator[str]:
    yield f'<section id="step-{number}">\n<h3>{xml_text(step.name)}</h3>'
    yield f'<p class="soft">{xml_text(cells_text(step.cells))}{_note(step)}</p>'
    if step.description:
        yield f"<p>{xml_text(step.description)}</p>"
    rows = [*_flowing(pipeline, step)]
    if rows:
        yield from _table(("", "", ""), rows)
    if step.nested is not None:
        yield f"<p>The notebook <code>{xml_text(step.nested.notebook.path)}</code>:</p>"
        yield '<div class="picture" tabindex="0" role="region" aria-label="graph of the nested pipeline">'
        yield f"{to_svg(step.nested)}</div>"
    for block in step.blocks:
        yield from _code(pipeline, block)
    yield "</section>"


def _note(step: Step) -> str:
    return ", made for code outside of steps" if step.generated and step.name != "main" else ""


def _flowing(pipeline: Pipeline, step: Step) -> Iterator[tuple[str, str, str]]:
    numbers = {other.name: number for number, other in enumerate(pipeline.steps, start=1)}
    for edge in pipeline.edges:
        if edge.target == step.name:
            yield ("from", _link(edge.source, numbers), _carried(edge))
    for edge in pipeline.edges:
        if edge.source == step.name:
            yield ("to", _link(edge.target, numbers), _carried(edge))
    if step.outputs:
        yield ("gives", "", ", ".join(_mono(port.name) for port in step.outputs))
    if step.parameters:
        yield ("parameters", "", ", ".join(map(_mono, step.parameters)))
    if step.gate is not None:
        yield ("gate", "", _mono(step.gate.text))


def _link(step: str, numbers: dict[str, int]) -> str:
    return f'<a href="#step-{numbers[step]}">{xml_text(step)}</a>'


def _carried(edge: Edge) -> str:
    return xml_text(edge_text(edge))


def _code(pipeline: Pipeline, block: Block) -> Iterator[str]:
    text = block_text(pipeline.notebook.cell(block.cell), block)
    own = block.role is BlockRole.CODE
    title = f"cell {block.cell}" if own else f"cell {block.cell}, {block.role.value}"
    yield f"<details{' open' if own else ''}><summary>{xml_text(title)}</summary>"
    yield f'<pre tabindex="0"><code>{xml_text(text)}</code></pre></details>'
