"""A pipeline as it may be copied: of what the author wrote as a secret parameter's default only a mask is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Report
from nb2pipe.notebook.secret_defaults import masking_of_notebook, without_secret_defaults
from nb2pipe.pipeline.compile import compile_read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.masking import Masking


def concealed(pipeline: Pipeline) -> Pipeline:
    """The pipeline for drawings, conversions and all else that is kept or shown; not for a run.

    One without secrets is given back as it is. The report is that of the author's own notebook.
    """
    notebook = without_secret_defaults(pipeline.notebook)
    if notebook is pipeline.notebook:
        return pipeline
    made = compile_read(notebook, Report(), Path(notebook.path).parent)
    return replace(made, report=without_secrets(pipeline.report, masking_of_notebook(pipeline.notebook)))


def without_secrets(report: Iterable[Diagnostic], masking: Masking) -> Report:
    """A report that shows no secret values."""
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
    return replace(place, source_line=masking.text(place.source_line))
