"""A report as it may be shown: without the secrets that stand in the notebook's cells of parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.diagnostics import Diagnostic, Location
    from nb2pipe.records.masking import Masking


def shown_report(report: Iterable[Diagnostic], masking: Masking) -> Report:
    """The report with masks for secret values, and for what a line that is shown assigns to a secret name."""
    return Report.of(_masked(each, masking) for each in report)


def _masked(diagnostic: Diagnostic, masking: Masking) -> Diagnostic:
    return replace(
        diagnostic,
        message=masking.text(diagnostic.message),
        hint=None if diagnostic.hint is None else masking.text(diagnostic.hint),
        location=_place(diagnostic.location, masking),
        related=tuple((masking.text(what), _place(place, masking)) for what, place in diagnostic.related),
    )


def _place(place: Location, masking: Masking) -> Location:
    if place.source_line is None:
        return place
    return replace(place, source_line=masking.line(place.source_line))
