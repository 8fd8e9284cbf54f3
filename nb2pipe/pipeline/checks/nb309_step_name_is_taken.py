"""The name of a step is taken.

A step becomes a Python module, so that keywords (`import`, `class`) cannot be names of steps; `definitions` is the
module of the code that steps share; and code outside the steps that runs once makes a step `setup` of its own.

What to do: rename the step, in all its cells and in the `prev:` tags that name it. If it is called `setup`, tagging the
code before it with `step:setup` too also helps.
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.checks.nb302_step_names_collide import module_name
from nb2pipe.pipeline.outline import SETUP
from nb2pipe.pipeline.places import cell_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.diagnostics import Location
    from nb2pipe.pipeline.outline import Draft, Outline

CODE = "NB309"

_MODULES = frozenset({"definitions", "__init__", "__main__"})
_KEYWORDS = frozenset(word.lower() for word in keyword.kwlist)


def check(outline: Outline) -> Iterator[Diagnostic]:
    """The steps whose names are taken."""
    generated = [draft for draft in outline.drafts if draft.generated and draft.name.startswith(SETUP)]
    for draft in outline.drafts:
        if draft.generated:
            continue
        name = module_name(draft.name)
        if name in _KEYWORDS:
            yield _diagnostic(outline, draft, "is a keyword of Python")
        elif name in _MODULES:
            yield _diagnostic(outline, draft, f"is taken by the module `{name}`")
        elif name == SETUP and generated:
            place = cell_place(outline.notebook, generated[0].cells[0])
            why = f"is taken by the step of the code outside of steps, such as that of cell {generated[0].cells[0]}"
            yield _diagnostic(outline, draft, why, (("code that runs once, outside of steps", place),))


def _diagnostic(outline: Outline, draft: Draft, why: str, related: tuple[tuple[str, Location], ...] = ()) -> Diagnostic:
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR,
        message=f"the name of the step `{draft.name}` {why}",
        location=cell_place(outline.notebook, draft.cells[0], step=draft.name),
        hint=f"rename the step, for example `{draft.name}_step`",
        related=related,
    )
