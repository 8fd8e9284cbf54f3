"""The code installs packages.

It takes time at every run, needs the network, may bring another version each time, and changes the packages of steps
that run at the same moment.

    !pip install seaborn

What to do: install what the notebook needs before the run, from a list with versions; tag the cell `skip`, if it is for
people who read the notebook.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.production import line_place
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.model import MagicKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.checks.production import Code
    from nb2pipe.notebook.model import Magic

CODE = "NB254"
_WORTH_READING = re.compile(r"install")

_INSTALLS = re.compile(r"(?:^|[\s;&|/])(pip3?|conda|mamba|apt(?:-get)?|uv)\s+(?:-\S+\s+)*(?:pip\s+)?install\b")
_LINE_MAGICS = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})


def check(code: Code) -> Iterator[Diagnostic]:
    """The lines that install packages."""
    for source in code.mentioning(_WORTH_READING):
        for magic in source.cell.magics:
            if _installs(magic):
                yield Diagnostic(
                    code=CODE,
                    severity=Severity.INFO,
                    message="the notebook installs packages each time that it runs",
                    location=line_place(code.notebook, source, magic.line),
                    hint="install them before the run, and tag the cell `skip`",
                )


def _installs(magic: Magic) -> bool:
    if magic.kind is MagicKind.LINE:
        return magic.name in _LINE_MAGICS and "install" in magic.arguments.split()
    return magic.kind in {MagicKind.SHELL, MagicKind.CELL} and bool(
        _INSTALLS.search(f"{magic.arguments}\n{magic.body}")
    )
