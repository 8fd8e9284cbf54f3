"""A gate asks for a metric that no cell seems to produce.

`gate:accuracy >= 0.9` looks at the metrics of the run: what a cell tagged `pipeline-metrics` of the gate's step, or of
a step before it, prints or assigns. None of these cells has the name; then the run ends with an error at the gate.

What to do: correct the name, or tag the cell that prints the metric with `pipeline-metrics`.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.model import GateAll, GateAny, GateTag, GateTest, MetricsTag
from nb2pipe.pipeline.places import cell_place
from nb2pipe.pipeline.statements import parse
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.notebook.model import GateCondition
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.outline import Draft, Outline

CODE = "NB308"


def metrics_of(condition: GateCondition) -> frozenset[str]:
    """The metrics that a gate's condition names."""
    match condition:
        case GateTest(left=left, right=right):
            return frozenset(side for side in (left, right) if isinstance(side, str))
        case GateAll(terms=terms) | GateAny(terms=terms):
            return frozenset[str]().union(*map(metrics_of, terms))


def check(outline: Outline, nested: Mapping[str, Pipeline]) -> Iterator[Diagnostic]:
    """The gates whose metrics are nowhere to be seen up to their step."""
    known: set[str] = set()
    words: set[str] = set()
    gates = {cell.position for cell in outline.notebook.cells if cell.has(GateTag)}
    if not gates:
        return
    for draft in outline.drafts:
        if draft.nested in nested:
            return
        produced = _metric_words(outline, draft)
        known |= produced
        words |= _all_words(outline, draft)
        for position in gates.intersection(draft.cells):
            yield from _missing(outline, draft, position, (known, words))


def _missing(outline: Outline, draft: Draft, position: int, seen: tuple[set[str], set[str]]) -> Iterator[Diagnostic]:
    produced, words = seen
    for tag in outline.notebook.cell(position).tags_of(GateTag):
        for metric in sorted(metrics_of(tag.condition)):
            if produced and metric in words:
                continue
            close = suggestion(metric, sorted(produced))
            others = ", ".join(f"`{name}`" for name in sorted(produced - vars(builtins).keys())[:5])
            known = f"; the metrics cells up to here mention {others}" if others else ""
            hint = (
                f"did you mean `{close}`?" if close else f"tag the cell that prints it with `pipeline-metrics`{known}"
            )
            yield Diagnostic(
                code=CODE,
                severity=Severity.WARNING,
                message=f"the gate asks for `{metric}`, which no `pipeline-metrics` cell up to here seems to produce",
                location=cell_place(outline.notebook, position, step=draft.name),
                hint=hint,
            )


def _metric_words(outline: Outline, draft: Draft) -> set[str]:
    """The names and texts in the metrics cells of a step: any of them may be a metric."""
    cells = (outline.notebook.cell(position) for position in draft.cells)
    return {word for cell in cells if cell.has(MetricsTag) for word in _words(cell.python)}


def _all_words(outline: Outline, draft: Draft) -> set[str]:
    """The names and texts of a step: a dictionary of metrics may be filled anywhere."""
    return {word for position in draft.cells for word in _words(outline.notebook.cell(position).python)}


def _words(source: str) -> Iterator[str]:
    for node in ast.walk(parse(source) or ast.Module(body=[], type_ignores=[])):
        match node:
            case ast.Name(id=word) | ast.keyword(arg=str(word)) | ast.Constant(value=str(word)):
                yield word
            case _:
                pass
