"""A cell magic does not stand on the first line of its cell.

IPython takes `%%time`, `%%bash` and the like only at the very beginning of a cell; blank lines may stand before it, a
comment may not. Further down, the line fails when it runs: `Line magic function %%time not found`.

What to do: move the magic to the first line, and comments below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.model import Magic, MagicKind
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CODE = "NB112"


def cell_magics_not_first(magics: Iterable[Magic], place: Callable[[int], Location]) -> tuple[Diagnostic, ...]:
    """A diagnostic for each `%%name` that IPython takes for a line magic."""
    return tuple(
        _diagnostic(magic, place(magic.line))
        for magic in magics
        if magic.kind is MagicKind.LINE and magic.name.startswith("%")
    )


def _diagnostic(magic: Magic, location: Location) -> Diagnostic:
    message = f"`%{shown(magic.name)}` is not on the first line of the cell, where a cell magic has to stand"
    hint = "move it to the first line; only blank lines may stand before it"
    return Diagnostic(code=CODE, severity=Severity.WARNING, message=message, location=location, hint=hint)
