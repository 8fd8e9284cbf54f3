"""IPython's `_`, which holds what a cell above showed; modules show nothing, so it does not exist there.

    df.head()        # one cell
    len(_)           # the next one

What to do: give the value a name in the cell that makes it, and use that name; or run the notebook as it is, with
`nb2pipe run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Location

CODE = "NB409"
NAME = "_"


def output_not_in_modules(place: Location) -> Diagnostic:
    """The diagnostic for a use of `_`.

    Args:
        place: Its line.
    """
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR,
        message=f"`{NAME}` holds what a cell above showed, and modules show nothing",
        location=place,
        hint="give the value a name in the cell that makes it, and use that name here",
    )
