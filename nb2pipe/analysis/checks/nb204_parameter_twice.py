"""Two parameters cells assign one name.

A value that is given for a parameter is put after the cell that assigns it. With two such cells it could not be told
which of them it stands for.

What to do: assign each parameter in one cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen

CODE = "NB204"


def parameters_twice(seen: Seen) -> Iterator[Diagnostic]:
    """An error at the second cell."""
    for old, new in seen.twice:
        yield Diagnostic(
            code=CODE,
            severity=Severity.ERROR,
            message=f"the parameter `{shown(new.name)}` is assigned by cell {old.cell} already",
            location=place(seen, new.cell, new.line),
            hint=f"keep `{shown(new.name)}` in one of the cells {old.cell} and {new.cell}",
            related=(("assigned here first", place(seen, old.cell, old.line)),),
        )
