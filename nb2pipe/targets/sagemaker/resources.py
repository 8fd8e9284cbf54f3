"""What a notebook says of a step, as tags and variables of a job; and what of it has no place there."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from nb2pipe.targets.sagemaker.parameters import LONGEST_WORD as _LONGEST_WORD
from nb2pipe.targets.sagemaker.sizes import has_place, instance_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.sagemaker.jobs import Planned

MOST_WORDS: Final = 70
"""Parameters of the notebook that a job takes: its command line may have 100 words."""
NO_TAG: Final = "tags have letters, digits, blanks and `_.:/=+-@`, 256 at most"
_MOST_TAGS: Final = 45


def is_variable(name: str, value: str) -> bool:
    """Whether a pair may be a variable of a job."""
    return len(name) <= _LONGEST_WORD and len(value) <= _LONGEST_WORD and name.isascii()


def is_tag(key: str, value: str) -> bool:
    """Whether a pair may be a tag.

    >>> is_tag("team", "vision"), is_tag("team", "${x}"), is_tag("aws:x", "y")
    (True, False, False)
    """
    fits = all(unicodedata.category(each)[0] in "LZN" or each in "_.:/=+-@" for each in key + value)
    return fits and 0 < len(key) <= _LONGEST_WORD // 2 and len(value) <= _LONGEST_WORD and not key.startswith("aws:")


def tags_of(pipeline: Pipeline, job: Job) -> Iterator[tuple[str, str]]:
    """The tags of a job: the labels of its step, and the owner."""
    labels = dict(pair for pair in job.step.resources.labels if is_tag(*pair))
    owner = pipeline.settings.owner
    if owner and is_tag("owner", owner):
        labels.setdefault("owner", owner)
    return iter(list(labels.items())[:_MOST_TAGS])


def left_out(one: Planned, job: Job) -> Iterator[tuple[str, str]]:
    """What is asked for a step and has no place, each with the reason."""
    resources = job.step.resources
    for key, value in resources.labels:
        if not is_tag(key, value):
            yield f"the label `{key}`", NO_TAG
    for pair in resources.environment:
        if not is_variable(*pair):
            yield f"the variable `{pair[0]}`", "a job's variables have 256 characters at most"
    yield from _limits(resources.limits)
    for name in job.parameters[MOST_WORDS:] if len(one.words) == MOST_WORDS else ():
        yield f"the parameter `{name}`", "a job takes 100 words at most"


def _limits(limits: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    if limits and instance_for(limits) is None:
        yield "the limits", "no instance type in the table is that large"
    for resource, _ in limits:
        if not has_place(resource):
            yield f"the limit of `{resource}`", "an instance type has processors, memory and GPUs, and a job a disk"
