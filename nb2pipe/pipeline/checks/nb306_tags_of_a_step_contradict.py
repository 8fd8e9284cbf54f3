"""Two tags of one step contradict each other.

Tags such as `image:`, `timeout:`, `retry:`, `cache:` and `limit:` hold for a whole step, whichever of its cells has
them. Here two cells of a step say different things.

    cell 3  step:train  timeout:1h
    cell 4  step:train  timeout:2h

What to do: remove one of the two tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.places import cell_place
from nb2pipe.pipeline.wishes import wishes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Draft, Outline
    from nb2pipe.pipeline.wishes import Clash

CODE = "NB306"


def check(outline: Outline) -> Iterator[Diagnostic]:
    """The contradictions between the cells of each step; those in one cell the reader has told."""
    for draft in outline.drafts:
        for clash in wishes(outline.notebook, draft.cells).clashes:
            if clash.first.cell != clash.second.cell:
                yield _diagnostic(outline, draft, clash)


def _diagnostic(outline: Outline, draft: Draft, clash: Clash) -> Diagnostic:
    first, second = clash.first.cell or draft.cells[0], clash.second.cell or draft.cells[0]
    thing = ":".join(part for part in clash.key if part)
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR,
        message=f"the step `{draft.name}` has two different tags for `{thing}`",
        location=cell_place(outline.notebook, second, step=draft.name),
        hint=f"remove the one in cell {first} or the one in cell {second}",
        related=(("the other tag", cell_place(outline.notebook, first, step=draft.name)),),
    )
