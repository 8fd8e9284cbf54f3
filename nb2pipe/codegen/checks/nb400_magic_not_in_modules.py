"""Modules cannot hold a magic.

Step modules are plain Python. `!ls`, `%%bash`, `%env`, `%cd`, `%time`, `%%capture`, `%%writefile` and a few more are
written with functions that do the same. But what a magic like `%run`, `%%cython` or one of an extension binds, changes
and prints is known to IPython alone; and there is none in a module: `get_ipython()` is None there.

    %run prepare.py

What to do: write it as plain Python (`from prepare import clean`); tag the cell `skip` if only readers of the notebook
need it; or run the notebook as it is, with `nb2pipe run`, where every magic works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Location

CODE = "NB400"


def magic_not_in_modules(message: str, place: Location, hint: str | None) -> Diagnostic:
    """The diagnostic for a magic.

    Args:
        message: What cannot stand in a module.
        place: Its line.
        hint: What to write instead.
    """
    return Diagnostic(code=CODE, severity=Severity.ERROR, message=message, location=place, hint=hint)
