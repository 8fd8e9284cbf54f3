"""The metadata bind the run's date to what is no parameter for it.

`run_date` names the parameter that a platform gives the date that a run is for, as a text such as `2026-11-23`; its
default is what holds everywhere else, and has to be a text, too.

    "nb2pipe": {"run_date": "day"}
    day = "2026-01-01"          # in a cell tagged `parameters`

What to do: correct the name, or give the parameter a text as its default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Outline

CODE = "NB310"


def check(outline: Outline) -> Iterator[Diagnostic]:
    """A `run_date` that names no parameter, or one that is no text."""
    name = outline.notebook.settings.run_date
    known = {fact.name: fact for fact in outline.dataflow.parameters}
    if name is None:
        return
    if name not in known:
        close = suggestion(name, sorted(known))
        message = f"`run_date` names `{name}`, which is no parameter"
        hint = (
            f"did you mean `{close}`?" if close else f'assign it in a cell tagged `parameters`: {name} = "2026-01-01"'
        )
        yield _error(outline, message, hint)
    elif not (known[name].is_literal and isinstance(known[name].value, str)):
        message = f"`run_date` names the parameter `{name}`, whose default is no text"
        yield _error(outline, message, f'dates are texts: {name} = "2026-01-01"')


def _error(outline: Outline, message: str, hint: str) -> Diagnostic:
    location = Location(notebook=outline.notebook.path)
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=location, hint=hint)
