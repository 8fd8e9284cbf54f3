"""What the tags of a step's cells say of it: retry, time limit, resources and so on, merged over its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import (
    AnnotationTag,
    CacheTag,
    DescriptionTag,
    EnvironmentTag,
    GateAll,
    GateAny,
    GateTag,
    ImageTag,
    LabelTag,
    ReportTag,
    ResourceTag,
    RetryTag,
    SecretTag,
    Tag,
    TimeoutTag,
)
from nb2pipe.pipeline.model import Resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.notebook.model import Notebook

STEP_TAGS = (
    RetryTag,
    TimeoutTag,
    CacheTag,
    ReportTag,
    ResourceTag,
    ImageTag,
    LabelTag,
    AnnotationTag,
    EnvironmentTag,
    SecretTag,
    GateTag,
    DescriptionTag,
)
"""The tags that say something of a whole step."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that a tag says of a step, such as its image or its limit of memory.

    Attributes:
        tag: The tag.
        cell: Position of the cell that has it; None for a default of the notebook.
    """

    tag: Tag
    cell: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two tags of a step that cannot both hold."""

    key: Key
    first: Wish
    second: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """All that the tags say of a step."""

    retry: int = 0
    retry_delay: float = 0.0
    timeout: float | None = None
    cache: bool | None = None
    report: bool = False
    gate: GateTag | None = None
    description: str | None = None
    resources: Resources
    clashes: tuple[Clash, ...] = ()


def wishes(notebook: Notebook, cells: Iterable[int]) -> Wishes:
    """What the tags of some cells say of their step; the notebook's defaults fill in what they leave open.

    Args:
        notebook: The notebook.
        cells: Positions of the step's cells.
    """
    chosen: dict[Key, Wish] = {}
    clashes: list[Clash] = []
    for wish in _of_cells(notebook, cells):
        first = chosen.setdefault(key_of(wish.tag), wish)
        if first.tag != wish.tag:
            clashes.append(Clash(key=key_of(wish.tag), first=first, second=wish))
    for tag in notebook.settings.step_defaults:
        chosen.setdefault(key_of(tag), Wish(tag=tag, cell=None))
    gates = tuple(dict.fromkeys(wish.tag for wish in chosen.values() if isinstance(wish.tag, GateTag)))
    return _wishes({key: wish.tag for key, wish in chosen.items()}, gates, tuple(clashes))


def key_of(tag: Tag) -> Key:
    """What a tag decides: two tags of one key on a step have to be equal.

    >>> key_of(LabelTag(key="team", value="a"))
    ('label', 'team')
    """
    match tag:
        case ResourceTag(resource=resource):
            return ("limit", resource)
        case LabelTag(key=key):
            return ("label", key)
        case AnnotationTag(key=key):
            return ("annotation", key)
        case SecretTag(variable=variable) | EnvironmentTag(variable=variable):
            return ("secret", variable)
        case GateTag(text=text):
            return ("gate", text)
        case _:
            return (type(tag).__name__.removesuffix("Tag").lower(), "")


def _of_cells(notebook: Notebook, cells: Iterable[int]) -> Iterable[Wish]:
    for position in cells:
        for tag in notebook.cell(position).tags:
            if isinstance(tag, STEP_TAGS):
                yield Wish(tag=tag, cell=position)


def _wishes(chosen: Mapping[Key, Tag], gates: tuple[GateTag, ...], clashes: tuple[Clash, ...]) -> Wishes:
    retry, timeout = chosen.get(("retry", "")), chosen.get(("timeout", ""))
    cache, report = chosen.get(("cache", "")), chosen.get(("report", ""))
    description = chosen.get(("description", ""))
    return Wishes(
        retry=retry.count if isinstance(retry, RetryTag) else 0,
        retry_delay=retry.delay if isinstance(retry, RetryTag) else 0.0,
        timeout=timeout.seconds if isinstance(timeout, TimeoutTag) else None,
        cache=cache.enabled if isinstance(cache, CacheTag) else None,
        report=report.enabled if isinstance(report, ReportTag) else False,
        gate=_joined(gates),
        description=description.text if isinstance(description, DescriptionTag) else None,
        resources=_resources(tuple(chosen.values())),
        clashes=clashes,
    )


def _resources(tags: Iterable[Tag]) -> Resources:
    limits: list[tuple[str, str]] = []
    labels: list[tuple[str, str]] = []
    annotations: list[tuple[str, str]] = []
    environment: list[tuple[str, str]] = []
    secrets: list[SecretTag] = []
    image: str | None = None
    for tag in tags:
        match tag:
            case ResourceTag(resource=resource, quantity=quantity):
                limits.append((resource, quantity))
            case LabelTag(key=key, value=value):
                labels.append((key, value))
            case AnnotationTag(key=key, value=value):
                annotations.append((key, value))
            case EnvironmentTag(variable=variable, value=value):
                environment.append((variable, value))
            case SecretTag():
                secrets.append(tag)
            case ImageTag(reference=reference):
                image = reference
            case _:
                pass
    return Resources(
        limits=tuple(sorted(limits)),
        image=image,
        labels=tuple(sorted(labels)),
        annotations=tuple(sorted(annotations)),
        environment=tuple(sorted(environment)),
        secrets=tuple(sorted(secrets, key=lambda secret: secret.variable)),
    )


def _joined(gates: tuple[GateTag, ...]) -> GateTag | None:
    """Several gates of a step as one: all of them have to hold."""
    if len(gates) < 2:  # noqa: PLR2004  # nothing to join
        return gates[0] if gates else None
    texts = (f"({gate.text})" if isinstance(gate.condition, GateAny) else gate.text for gate in gates)
    text = " and ".join(texts)
    return GateTag(condition=GateAll(terms=tuple(gate.condition for gate in gates)), text=text)
