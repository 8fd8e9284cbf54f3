"""From a file to a pipeline: read, analyze, build. Nothing of the notebook is executed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.analysis.analyze import analyze
from nb2pipe.diagnostics import Report
from nb2pipe.notebook.environment import read_environment
from nb2pipe.notebook.read import read_notebook
from nb2pipe.notebook.secret_defaults import masking_of_notebook
from nb2pipe.pipeline.build import build
from nb2pipe.pipeline.nested import inlined, nested_cells, without_places
from nb2pipe.pipeline.shown_report import shown_report

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.pipeline.model import Pipeline


def compile_notebook(path: Path) -> Pipeline:
    """The pipeline of a notebook file; problems of the notebook are in its report.

    Args:
        path: An `.ipynb`, or a jupytext `.py`.

    Raises:
        UsageError: There is no such file.
        NotebookError: It is no readable Python notebook.
    """
    notebook, report = read_notebook(path)
    return compile_read(notebook, report, path.parent)


def compile_read(notebook: Notebook, report: Report, folder: Path) -> Pipeline:
    """The pipeline of a notebook that has been read.

    Args:
        notebook: The notebook.
        report: What was found in reading it.
        folder: Where it lies; its local modules are looked for there.
    """
    whole = inlined(notebook)
    dataflow, found = analyze(whole, read_environment(whole, folder))
    if whole is not notebook:
        dataflow = replace(dataflow, notebook=notebook)
        found = without_places(found, nested_cells(notebook))
    nested = {path: compile_read(inner, Report(), Path(inner.path).parent) for path, inner in notebook.nested.items()}
    made = build(dataflow, Report.of(report, found), nested)
    return replace(made, report=shown_report(made.report, masking_of_notebook(notebook)))
