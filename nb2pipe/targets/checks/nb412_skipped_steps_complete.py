"""The target has no conditions, so a step that is skipped looks on its pages like one that ran.

The steps after a gate that does not hold begin all the same, see that, do nothing, and end without an error. Their log
says so, and so does `skipped` in what they leave.

    step:evaluate  gate:accuracy >= 0.9

What to do: nothing; or, where pages have to show it, take a target with conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE = "NB412"


def skipped_steps_complete(notebook: str, target: str, steps: Sequence[str]) -> Diagnostic:
    """An info.

    Args:
        notebook: The notebook's path as the user gave it.
        target: The target's name.
        steps: The steps below gates.
    """
    who = ", ".join(f"`{step}`" for step in steps)
    return Diagnostic(
        code=CODE,
        severity=Severity.INFO,
        message=f"the target `{target}` has no conditions: what a gate stops begins and does nothing: {who}",
        location=Location(notebook=notebook, step=steps[0] if len(steps) == 1 else None),
        hint="their logs say it, and `skipped` in what they leave",
    )
