"""A `prev:` tag names a step that does not exist.

`prev:NAME` says that the step comes after the step NAME. There is no step of that name.

What to do: correct the name, or remove the tag: what a step needs comes from the data flow anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.edges import after_tags
from nb2pipe.pipeline.places import cell_place
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Outline

CODE = "NB303"


def check(outline: Outline) -> Iterator[Diagnostic]:
    """The `prev:` tags of unknown steps."""
    known = [draft.name for draft in outline.drafts]
    for draft in outline.drafts:
        for position, tag in after_tags(outline, draft):
            if tag.name in known:
                continue
            close = suggestion(tag.name, known)
            yield Diagnostic(
                code=CODE,
                severity=Severity.ERROR,
                message=f"the tag `prev:{tag.name}` names no step of the notebook",
                location=cell_place(outline.notebook, position, step=draft.name),
                hint=f"did you mean `prev:{close}`?" if close else f"the steps are: {', '.join(known)}",
            )
