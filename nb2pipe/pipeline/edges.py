"""The edges between steps: what flows, and what `prev:` tags say."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.notebook.model import AfterTag
from nb2pipe.pipeline.model import Edge
from nb2pipe.pipeline.ports import CARRIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.pipeline.outline import Draft, Outline
    from nb2pipe.pipeline.ports import Link


def edges(outline: Outline, links: Iterable[Link]) -> tuple[Edge, ...]:
    """The edges of a pipeline, sorted by the order of their steps.

    Args:
        outline: The steps to be.
        links: What flows between them.
    """
    flowing: dict[tuple[str, str], list[Link]] = defaultdict(list)
    for link in links:
        flowing[link.source, link.target].append(link)
    order = outline.order
    declared = {
        (tag.name, draft.name)
        for draft in outline.drafts
        for _, tag in after_tags(outline, draft)
        if tag.name in order and order[tag.name] < order[draft.name]
    }
    pairs = sorted(flowing.keys() | declared, key=lambda pair: (order[pair[0]], order[pair[1]]))
    return tuple(_edge(pair, flowing, declared=pair in declared) for pair in pairs)


def after_tags(outline: Outline, draft: Draft) -> Iterator[tuple[int, AfterTag]]:
    """The `prev:` tags of a step, each with the cell that has it."""
    for position in draft.cells:
        for tag in outline.notebook.cell(position).tags_of(AfterTag):
            yield position, tag


def _edge(pair: tuple[str, str], flowing: Mapping[tuple[str, str], list[Link]], *, declared: bool) -> Edge:
    links = flowing.get(pair, [])
    kinds = {link.flow.kind for link in links} or {FlowKind.ORDER}
    names = {link.flow.name for link in links if link.flow.kind in CARRIED and not link.flow.function}
    return Edge(
        source=pair[0],
        target=pair[1],
        names=tuple(sorted(names)),
        kinds=tuple(sorted(kinds)),
        certain=not links or any(link.flow.certain for link in links),
        declared=declared,
    )
