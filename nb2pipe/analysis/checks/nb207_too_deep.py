"""A cell's code is nested too deeply to be followed.

What it uses and defines after that point is not known.

What to do: part the expression into several statements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen

CODE = "NB207"


def too_deep(seen: Seen) -> Iterator[Diagnostic]:
    """An error for each such cell."""
    for position in seen.too_deep:
        yield Diagnostic(
            code=CODE,
            severity=Severity.ERROR,
            message="the code of the cell is nested too deeply to be followed",
            location=place(seen, position, 1),
            hint="part the expression into several statements",
        )
