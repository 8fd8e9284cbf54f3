"""The names of two steps collide.

A step becomes a module of its own, whose name is the step's with `_` for `-`; and file systems may not tell upper from
lower case. So `a-b` and `a_b` would be one module, and `Train` and `train` one file.

What to do: rename one of the two steps, in all its cells and in the `prev:` tags that name it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.places import cell_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.outline import Draft, Outline

CODE = "NB302"


def module_name(step: str) -> str:
    """The name that a step has as a module, where upper and lower case are the same.

    >>> module_name("Train-net")
    'train_net'
    """
    return step.replace("-", "_").lower()


def check(outline: Outline) -> Iterator[Diagnostic]:
    """The steps whose names collide with that of an earlier step."""
    first: dict[str, Draft] = {}
    for draft in outline.drafts:
        earlier = first.setdefault(module_name(draft.name), draft)
        if earlier is not draft:
            yield Diagnostic(
                code=CODE,
                severity=Severity.ERROR,
                message=f"the names of the steps `{earlier.name}` and `{draft.name}` collide: both are the module "
                f"`{module_name(draft.name)}`",
                location=cell_place(outline.notebook, draft.cells[0], step=draft.name),
                hint=f"rename `{draft.name}`, or join the two as one step",
                related=(("the other step", cell_place(outline.notebook, earlier.cells[0], step=earlier.name)),),
            )
