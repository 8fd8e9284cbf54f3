"""A magic may bind or remove names that cannot be seen without running it.

`%run other.py` brings the names of another file, `%reset` removes names, and what the body of an unknown cell
magic defines is not known. The magic runs as it does in Jupyter, inside its step; but a later *step* that
uses such a name does not get it, because the pipeline does not know who made it.

What to do: import what is needed (`from other import clean`) instead of `%run`; keep what uses the names in
the same step; or assign them in plain Python after the magic, which makes them visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.notebook.magics import FOREIGN_MAGICS, LOCAL_MAGICS, STATEMENT_MAGICS
from nb2pipe.notebook.model import Magic, MagicKind
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CODE = "NB111"

_HIDING = frozenset({"macro", "recall", "rerun", "reset", "reset_selective", "run", "sc"})
_KNOWN_BODIES = FOREIGN_MAGICS | LOCAL_MAGICS | STATEMENT_MAGICS | {"capture"}


def names_of_magics(magics: Iterable[Magic], place: Callable[[int], Location]) -> tuple[Diagnostic, ...]:
    """A diagnostic for each magic whose names cannot be seen.

    Args:
        magics: A cell's.
        place: The location of a line of the cell.
    """
    return tuple(_diagnostic(magic, place(magic.line)) for magic in magics if _hides(magic))


def _hides(magic: Magic) -> bool:
    if magic.kind is MagicKind.CELL:
        return magic.name not in _KNOWN_BODIES
    if magic.kind is not MagicKind.LINE:
        return False
    return magic.name in _HIDING or (magic.name == "store" and "-r" in magic.arguments.split() and not magic.target)


def _diagnostic(magic: Magic, location: Location) -> Diagnostic:
    written = f"%%{magic.name}" if magic.kind is MagicKind.CELL else f"%{magic.name}"
    message = f"which names `{shown(written)}` binds or removes cannot be seen"
    hint = "later steps do not get them: import them, or assign them in plain Python after it"
    return Diagnostic(code=CODE, severity=Severity.WARNING, message=message, location=location, hint=hint)
