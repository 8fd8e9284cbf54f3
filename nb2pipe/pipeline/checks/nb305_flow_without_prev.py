"""Something flows between two steps that no `prev:` tag connects.

The step has `prev:` tags, but takes something from a step that they do not name. The edge exists all the same, since
edges come from the data flow; `prev:` may only add to them. Other programs that read these tags may not see it.

What to do: nothing, or add the tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.edges import after_tags
from nb2pipe.pipeline.places import cell_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.model import Edge
    from nb2pipe.pipeline.outline import Draft, Outline

CODE = "NB305"


def check(outline: Outline, edges: tuple[Edge, ...]) -> Iterator[Diagnostic]:
    """The edges to steps with `prev:` tags that these do not name, one diagnostic each."""
    tagged = {draft.name for draft in outline.drafts if not draft.generated}
    incoming: dict[str, list[Edge]] = {}
    for edge in edges:
        if not edge.declared and edge.source in tagged:
            incoming.setdefault(edge.target, []).append(edge)
    for draft in outline.drafts:
        if draft.name in incoming and any(after_tags(outline, draft)):
            for edge in incoming[draft.name]:
                yield _diagnostic(outline, draft, edge)


def _diagnostic(outline: Outline, draft: Draft, edge: Edge) -> Diagnostic:
    what = ", ".join(f"`{name}`" for name in edge.names) or f"something ({', '.join(edge.kinds)})"
    return Diagnostic(
        code=CODE,
        severity=Severity.INFO,
        message=f"the step `{draft.name}` takes {what} from `{edge.source}`, which its `prev:` tags do not name",
        location=cell_place(outline.notebook, draft.cells[0], step=draft.name),
        hint=f"add the tag `prev:{edge.source}` if other programs read these tags",
    )
