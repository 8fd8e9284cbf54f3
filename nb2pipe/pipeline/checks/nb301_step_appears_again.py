"""A step appears again, and what lies between cannot be crossed.

A step may be tagged in several places of the notebook (a, b, a). All its cells then run in one go, where the first of
them stands, so that the later ones move up. That is only right if nothing that lies between gives a later cell
anything, or needs something as it was before a later cell changed it.

    cell 1  step:a    x = 1
    cell 2  step:b    y = x + 1
    cell 3  step:a    print(y)       error: it needs `y`, which step `b` makes

What to do: give the later cell a step name of its own, or move it up in the notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.places import cell_place
from nb2pipe.pipeline.ports import CARRIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.analysis.model import Flow
    from nb2pipe.pipeline.outline import Draft, Outline
    from nb2pipe.pipeline.ports import Ports

CODE = "NB301"


def check(outline: Outline, ports: Ports) -> Iterator[Diagnostic]:
    """The cells that cannot move up to the first cell of their step, each once."""
    told: set[int] = set()
    for later, between, reason in (
        *_needing(outline, ports),
        *_spoiling(outline, ports),
        *_making(outline, ports),
    ):
        if later not in told:
            told.add(later)
            yield _diagnostic(outline, later, between, reason)


def _needing(outline: Outline, ports: Ports) -> Iterator[tuple[int, int, str]]:
    """Later cells that take something from a cell between."""
    order, owner = outline.order, outline.owner
    for flow in ports.flows:
        source, target = owner.get(flow.source), owner.get(flow.target)
        if source is None or target is None:
            continue
        if order[source] > order[target]:
            yield flow.target, flow.source, _needs(flow)


def _needs(flow: Flow) -> str:
    match flow.kind:
        case FlowKind.VALUE | FlowKind.CHANGE:
            return f"gives it `{flow.name}`"
        case FlowKind.FILE:
            return f"comes before it because of the file `{flow.name}`"
        case FlowKind.RANDOM:
            return f"draws before it from the random generator of {flow.name}"
        case FlowKind.ORDER:
            return f"has to come before it because of `{flow.name}`"


def _spoiling(outline: Outline, ports: Ports) -> Iterator[tuple[int, int, str]]:
    """Later cells that bind or change what a cell between takes."""
    touched, split = _touched(outline), _split(outline)
    for flow in ports.flows if split else ():
        if flow.kind in CARRIED and flow.target in outline.owner:
            for later in _moved_over(split, flow.target, outline):
                if flow.name in touched.get(later, ()):
                    yield later, flow.target, f"needs `{flow.name}` as it is before"


def _making(outline: Outline, ports: Ports) -> Iterator[tuple[int, int, str]]:
    """Later cells that bind or change what a cell between does too, and that is taken after both."""
    touched, split = _touched(outline), _split(outline)
    taken = {flow.name: flow.target for flow in sorted(ports.flows, key=lambda one: one.target)}
    for cell in sorted(touched.keys() & outline.owner.keys()) if split else ():
        for later in _moved_over(split, cell, outline):
            for name in sorted(touched[cell] & touched.get(later, frozenset())):
                if taken.get(name, 0) > later:
                    yield later, cell, f"makes `{name}` before it"


def _touched(outline: Outline) -> dict[int, frozenset[str]]:
    return {fact.cell: fact.definitions | fact.mutations | fact.deletions for fact in outline.dataflow.facts}


def _split(outline: Outline) -> list[Draft]:
    return [draft for draft in outline.drafts if _is_split(draft.cells)]


def _moved_over(split: Iterable[Draft], cell: int, outline: Outline) -> Iterator[int]:
    """The cells that move up over a cell of another step."""
    for draft in split:
        if draft.name != outline.owner[cell] and draft.cells[0] < cell:
            yield from (later for later in draft.cells if later > cell)


def _is_split(cells: tuple[int, ...]) -> bool:
    return cells[-1] - cells[0] >= len(cells)


def _diagnostic(outline: Outline, later: int, between: int, reason: str) -> Diagnostic:
    step, other = outline.owner[later], outline.owner[between]
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR,
        message=f"the step `{step}` appears again here, but cell {between} (step `{other}`) lies between and {reason}",
        location=cell_place(outline.notebook, later, step=step),
        hint=f"give cell {later} a step name of its own, or move it up to the other cells of `{step}`",
        related=((f"this cell {reason}", cell_place(outline.notebook, between, step=other)),),
    )
