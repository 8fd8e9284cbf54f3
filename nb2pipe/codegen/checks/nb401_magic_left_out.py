"""Modules do without a magic.

Some magics only change how Jupyter shows things or how it is worked with: `%matplotlib inline`, `%load_ext autoreload`,
`%config`, help. Modules print what the notebook prints, and nothing else, so these are left out, as are `%%html` and
its like. Packages are not installed by modules: what `!pip install` and `%pip install` name stands in the
`requirements.txt` beside them.

In step notebooks, and with `nb2pipe run`, all of them run as they stand.

What to do: nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Location

CODE = "NB401"


def magic_left_out(message: str, place: Location, hint: str | None) -> Diagnostic:
    """The diagnostic for a magic.

    Args:
        message: What is left out.
        place: Its line.
        hint: What there is to know.
    """
    return Diagnostic(code=CODE, severity=Severity.INFO, message=message, location=place, hint=hint)
