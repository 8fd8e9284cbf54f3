"""A pipeline as it may be copied: of what the author wrote as a secret parameter's default only a mask is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Report
from nb2pipe.notebook.secret_defaults import without_secret_defaults
from nb2pipe.pipeline.compile import compile_read

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Pipeline


def concealed(pipeline: Pipeline) -> Pipeline:
    """The pipeline for drawings, conversions and all else that is kept or shown; not for a run.

    One without secrets is given back as it is. The report is that of the author's own notebook.
    """
    notebook = without_secret_defaults(pipeline.notebook)
    if notebook is pipeline.notebook:
        return pipeline
    made = compile_read(notebook, Report(), Path(notebook.path).parent)
    return replace(made, report=pipeline.report)
