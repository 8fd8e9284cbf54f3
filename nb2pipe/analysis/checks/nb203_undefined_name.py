"""A name is used that no cell of the pipeline defines.

Run from top to bottom, the notebook would stop here with a NameError. Often the cell that defines the name is tagged
`skip`, stands further down, or was deleted while its variable lived on in the kernel.

    X = scaler.transform(X_train)     # the cell with `scaler = ...` is tagged `skip`

What to do: define the name in a cell above, or take the `skip` tag from the cell that does. It is a warning where the
code may not run, as in a function that is called with other arguments or in a branch.
"""

from __future__ import annotations

import ast
import difflib
import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.analysis.machine import BUILTIN_NAMES
from nb2pipe.analysis.names import module_block
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.trace import Missing, Trace
    from nb2pipe.analysis.walk import Seen

CODE = "NB203"

_WORD = re.compile(r"[^\W\d]\w*")


def undefined_names(seen: Seen) -> Iterator[Diagnostic]:
    """One diagnostic for each name that a cell uses and nobody defines."""
    broken = _words_of_broken_cells(seen)
    for trace in seen.traces:
        found: dict[str, Missing] = {}
        for missing in trace.missing:
            if (missing.surely or missing.name not in trace.bound) and missing.name not in broken:
                found[missing.name] = min(found.get(missing.name, missing), missing, key=lambda one: not one.surely)
        for missing in found.values():
            yield _diagnostic(seen, trace, missing)


def _diagnostic(seen: Seen, trace: Trace, missing: Missing) -> Diagnostic:
    may_raise = trace.cell in seen.may_raise
    name = shown(missing.name)
    skipped = next((cell.position for cell in seen.skipped if _binds(cell.python, missing.name)), None)
    where = f", and cell {trace.cell} calls it" if missing.cell != trace.cell else ""
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR if missing.surely and not may_raise else Severity.WARNING,
        message=f"`{name}` is used, but no step defines it{where}",
        location=place(seen, missing.cell, missing.node),
        hint=_hint(seen, trace, missing.name, skipped),
    )


def _words_of_broken_cells(seen: Seen) -> frozenset[str]:
    """The words of cells that are no valid Python, which may define them: their error is told by itself."""
    cells = (seen.notebook.cell(trace.cell) for trace in seen.traces)
    return frozenset(word for cell in cells if not cell.python for word in _WORD.findall(cell.source))


def _hint(seen: Seen, trace: Trace, name: str, skipped: int | None) -> str:
    if skipped is not None:
        return f"cell {skipped} defines `{shown(name)}`, but is tagged `skip`; remove the tag, or define it in a step"
    versions = seen.history.versions.get(name, [])
    if gone := next((version.cell for version in versions if version.deleted and version.cell <= trace.cell), None):
        return f"cell {gone} deletes `{shown(name)}`; take it before that, or do not delete it"
    if later := next((version.cell for version in versions if version.cell > trace.cell), None):
        return f"cell {later}, further down, defines `{shown(name)}`; move it up"
    near = difflib.get_close_matches(name, [*seen.history.versions, *BUILTIN_NAMES], n=1, cutoff=0.75)
    if near:
        return f"did you mean `{shown(near[0])}`?"
    return f"define `{shown(name)}` in a cell above"


def _binds(text: str, name: str) -> bool:
    tree = parsed(text)
    if tree is None:
        return False
    return name in module_block(tree.body).bound or any(
        isinstance(part, ast.Global) and name in part.names for part in ast.walk(tree)
    )
