"""What is wrong with the tags of cells: malformed, misspelled, contradicting, without effect."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nb2pipe.notebook.checks.nb101_malformed_tag import malformed_tag
from nb2pipe.notebook.checks.nb102_misspelled_tag import misspelled_tag
from nb2pipe.notebook.checks.nb103_contradicting_tags import contradicting_tags
from nb2pipe.notebook.checks.nb104_tag_without_a_step import tag_without_a_step
from nb2pipe.notebook.checks.nb105_tags_are_no_texts import tags_are_no_texts
from nb2pipe.notebook.checks.nb106_metrics_without_a_step import metrics_without_a_step
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import (
    AfterTag,
    CacheTag,
    DescriptionTag,
    ForeignTag,
    FunctionsTag,
    GateTag,
    ImageTag,
    ImportsTag,
    InjectedParametersTag,
    MetricsTag,
    NestedTag,
    ParametersTag,
    ReportTag,
    ResourceTag,
    RetryTag,
    SecretTag,
    StepTag,
    Tag,
    TimeoutTag,
)
from nb2pipe.notebook.sections import Role
from nb2pipe.notebook.shown import shown
from nb2pipe.notebook.tags import DEFAULT_TAGS, intended, parse_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nb2pipe.diagnostics import Diagnostic, Location
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.notebook.sections import Section

_OF_A_STEP = (*DEFAULT_TAGS, AfterTag, GateTag, DescriptionTag)

_KINDS = {
    StepTag: "a step",
    NestedTag: "a nested notebook",
    ParametersTag: "parameters",
    InjectedParametersTag: "injected parameters",
    ImportsTag: "code for every step",
    FunctionsTag: "code for every step",
}
"""What a cell can be only one of."""

_SINGLE = (CacheTag, ReportTag, ImageTag, RetryTag, TimeoutTag, GateTag, DescriptionTag)
"""Tags with one value."""


def read_tags(
    value: object, path: str | None, location: Location
) -> tuple[tuple[str, ...], tuple[Tag, ...], list[Diagnostic]]:
    """The tags of a cell: as they stand, what they mean, and what is wrong with them.

    Args:
        value: The cell's `metadata.tags`.
        path: The cell's `metadata.notebook_path`.
        location: The cell.
    """
    if value is None:
        return (), (), []
    if not isinstance(value, list):
        return (), (), [tags_are_no_texts(_described(value), location)]
    raw = tuple(dict.fromkeys(text for text in value if isinstance(text, str)))
    found = [tags_are_no_texts(_described(item), location) for item in value if not isinstance(item, str)]
    tags: list[Tag] = []
    for text in raw:
        tag, problem = _read_tag(text, path, location)
        tags.append(tag)
        found += [problem] if problem else []
    return raw, tuple(tags), found


def _described(value: object) -> str:
    return (
        f"`{shown(repr(value))}` is one of them"
        if not isinstance(value, str)
        else f"they are the text `{shown(value)}`"
    )


def _read_tag(text: str, path: str | None, location: Location) -> tuple[Tag, Diagnostic | None]:
    try:
        tag = parse_tag(text, path)
    except MalformedError as error:
        return ForeignTag(text), malformed_tag(text, error, location)
    meant = intended(text) if isinstance(tag, ForeignTag) else None
    return tag, misspelled_tag(text, meant, location) if meant else None


def check_tags(notebook: Notebook, parts: Sequence[Section], place: Callable[[Cell], Location]) -> Iterator[Diagnostic]:
    """What the tags of a notebook's cells contradict, or say in vain.

    Args:
        notebook: The notebook.
        parts: Its sections.
        place: The location of a cell.
    """
    for part in parts:
        cell = notebook.cell(part.cell)
        if part.role is Role.SKIPPED or not cell.tags:
            continue
        location = place(cell)
        yield from _contradictions(cell, location)
        if part.role is Role.DEFINITIONS and cell.has(MetricsTag):
            yield metrics_without_a_step(location)
        if part.role not in {Role.STEP, Role.NESTED}:
            yield from (tag_without_a_step(text, location) for text in _in_vain(cell))


def _in_vain(cell: Cell) -> Iterator[str]:
    for text, tag in zip(cell.raw_tags, cell.tags, strict=True):
        if isinstance(tag, _OF_A_STEP):
            yield text


def _contradictions(cell: Cell, location: Location) -> Iterator[Diagnostic]:
    kinds = list(dict.fromkeys(text for kind, text in _KINDS.items() if cell.has(kind)))
    if len(kinds) > 1:
        yield contradicting_tags(f"it would be {' and '.join(kinds)}", "keep one of them, or split the cell", location)
    if cell.has(MetricsTag) and cell.has(ParametersTag, ImportsTag, FunctionsTag, NestedTag):
        yield contradicting_tags("metrics stand in a step", "keep `pipeline-metrics`, or the other tag", location)
    yield from _several(cell, location)


def _several(cell: Cell, location: Location) -> Iterator[Diagnostic]:
    names = [tag.name for tag in dict.fromkeys(cell.tags_of(StepTag))]
    if len(names) > 1:
        what = f"it would be in the steps {', '.join(f'`{name}`' for name in names)}"
        yield contradicting_tags(what, "keep one step, or split the cell", location)
    for slot, values in _values(cell).items():
        if len(values) > 1:
            yield contradicting_tags(f"{slot} has {len(values)} values", "keep one of them", location)


def _values(cell: Cell) -> dict[str, Counter[Tag]]:
    """The different values of everything that can have one."""
    values: dict[str, Counter[Tag]] = {}
    for text, tag in zip(cell.raw_tags, cell.tags, strict=True):
        slot = _slot(text, tag)
        if slot:
            values.setdefault(slot, Counter())[tag] += 1
    return values


def _slot(text: str, tag: Tag) -> str | None:
    match tag:
        case ResourceTag(resource=name):
            return f"`limit:{shown(name)}`"
        case SecretTag(variable=name):
            return f"the environment variable `{shown(name)}`"
        case NestedTag():
            return "`notebook:`"
        case _ if isinstance(tag, _SINGLE):
            return f"`{text.partition(':')[0].partition('=')[0]}`"
        case _:
            return None
