"""A `prev:` tag names a later step, or its own.

The order of the notebook is its meaning: a step cannot come after one that stands below it, nor after itself. With the
steps before it that would be a cycle.

What to do: remove the tag, or move the cells so that their order is the one you mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.edges import after_tags
from nb2pipe.pipeline.places import cell_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Outline

CODE = "NB304"


def check(outline: Outline) -> Iterator[Diagnostic]:
    """The `prev:` tags that go against the order of the notebook."""
    order = outline.order
    for draft in outline.drafts:
        for position, tag in after_tags(outline, draft):
            if tag.name not in order or order[tag.name] < order[draft.name]:
                continue
            other = outline.drafts[order[tag.name]]
            itself = other is draft
            why = "a step cannot come after itself" if itself else f"the step `{tag.name}` comes later in the notebook"
            related = () if itself else ((f"`{tag.name}` begins here", cell_place(outline.notebook, other.cells[0])),)
            yield Diagnostic(
                code=CODE,
                severity=Severity.ERROR,
                message=f"the tag `prev:{tag.name}` of the step `{draft.name}` closes a cycle: {why}",
                location=cell_place(outline.notebook, position, step=draft.name),
                hint="remove the tag" if itself else f"remove the tag, or move the cells of `{tag.name}` up",
                related=related,
            )
