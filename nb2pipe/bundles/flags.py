"""What the user asked for on the command line, checked as the notebook's own tags and settings are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import ImageTag
from nb2pipe.notebook.settings import checked_schedule, checked_timezone
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.targets.model import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Flags, Target


def checked_image(reference: str | None) -> str | None:
    """The reference of an image, if it is one.

    Raises:
        UsageError: It is none.
    """
    if reference is None:
        return None
    try:
        tag = parse_tag(f"image:{reference}")
    except MalformedError as error:
        raise UsageError(f"--image: {error.message}", hint="such as python:3.12-slim") from error
    return tag.reference if isinstance(tag, ImageTag) else None


def mode_of(text: str) -> Mode:
    """What is run for a step.

    Raises:
        UsageError: There is no such mode.
    """
    try:
        return Mode(text)
    except ValueError:
        known = " or ".join(f"`{each}`" for each in Mode)
        raise UsageError(f"there is no mode {text!r}", hint=f"it is {known}") from None


def refuse_operator(target: Target, operator: str | None) -> None:
    """Raises where a target has no such operator.

    Raises:
        UsageError: It has not.
    """
    if operator is None or operator in target.operators:
        return
    if not target.operators:
        raise UsageError(f"the target `{target.name}` has no operators", hint="leave --operator away")
    known = ", ".join(f"`{each}`" for each in target.operators)
    raise UsageError(f"the target `{target.name}` has no operator `{operator}`", hint=f"one of {known}")


def scheduled(pipeline: Pipeline, flags: Flags) -> Pipeline:
    """The pipeline with the schedule and the time zone that were asked for.

    Raises:
        UsageError: They are none.
    """
    if flags.schedule is None and flags.timezone is None:
        return pipeline
    settings = replace(
        pipeline.settings,
        schedule=_setting("--schedule", checked_schedule, flags.schedule) or pipeline.settings.schedule,
        timezone=_setting("--timezone", checked_timezone, flags.timezone) or pipeline.settings.timezone,
    )
    return replace(pipeline, settings=settings, notebook=replace(pipeline.notebook, settings=settings))


def _setting(option: str, check: Callable[[str], str], text: str | None) -> str | None:
    try:
        return None if text is None else check(text)
    except MalformedError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from error
