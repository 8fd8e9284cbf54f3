"""A tag that says something of a step stands on a cell that belongs to none.

Tags such as `retry:`, `limit:`, `image:`, `gate:` and `prev:` hold for the step of their cell. This cell holds
definitions or parameters, which every step shares, so that the tag has no effect.

What to do: move the tag to a cell of the step it is meant for; for all steps, put it into the notebook's metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.model import AfterTag, DescriptionTag
from nb2pipe.pipeline.places import cell_place
from nb2pipe.pipeline.wishes import STEP_TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Outline

CODE = "NB309"


def check(outline: Outline) -> Iterator[Diagnostic]:
    """The shared cells with tags of steps."""
    for position in outline.shared:
        cell = outline.notebook.cell(position)
        if position in outline.owner:
            continue
        idle = [
            tag for tag in cell.tags if isinstance(tag, (*STEP_TAGS, AfterTag)) and not isinstance(tag, DescriptionTag)
        ]
        if idle:
            kinds = ", ".join(sorted({type(tag).__name__.removesuffix("Tag").lower() for tag in idle}))
            yield Diagnostic(
                code=CODE,
                severity=Severity.WARNING,
                message=f"the cell belongs to no step, so that its tags of steps ({kinds}) have no effect",
                location=cell_place(outline.notebook, position),
                hint="move them to a cell of the step that they are meant for",
            )
