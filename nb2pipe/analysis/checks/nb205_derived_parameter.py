"""A parameter is computed from another one, and does not follow it.

Values that are given for parameters are put *after* the parameters cell, as papermill does. What that cell computed
from the default stays as it was.

    lr = 0.1
    scaled_lr = lr * 10      # stays 1.0 with -p lr 0.5

What to do: compute it in a step, or in a cell after the parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen

CODE = "NB205"


def derived_parameters(seen: Seen) -> Iterator[Diagnostic]:
    """A warning for each of them, naming what it derives from."""
    for fact in seen.parameters.values():
        sources = sorted(name for name in fact.reads if name in seen.parameters and name != fact.name)
        if sources:
            names = ", ".join(f"`{shown(name)}`" for name in sources)
            yield Diagnostic(
                code=CODE,
                severity=Severity.WARNING,
                message=f"`{shown(fact.name)}` derives from {names}, and keeps its default when another value is given",
                location=place(seen, fact.cell, fact.line),
                hint=f"compute `{shown(fact.name)}` in a step",
            )
