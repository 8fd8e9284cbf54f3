"""The notebook has no code that could run.

There is no code cell, or all code cells are empty, skipped by their tags (`skip`, `skip-execution`, `active-ipynb`), or
hold definitions and parameters alone, which steps use but which are no step.

What to do: write the cells that do the work, or remove the `skip` tags; `step:NAME` makes a cell a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.places import notebook_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Outline

CODE = "NB307"


def check(outline: Outline) -> Iterator[Diagnostic]:
    """One diagnostic if no step has any code."""
    notebook = outline.notebook
    if any(draft.nested is not None for draft in outline.drafts):
        return
    if not any(notebook.cell(cell).source.strip() for draft in outline.drafts for cell in draft.cells):
        yield Diagnostic(
            code=CODE,
            severity=Severity.ERROR,
            message="the notebook has no code that could run as a step",
            location=notebook_place(notebook),
            hint="tag a code cell with `step:NAME`, and look whether a `skip` tag leaves out what you mean to run",
        )
