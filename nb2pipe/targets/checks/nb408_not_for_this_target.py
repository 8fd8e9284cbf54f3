"""The notebook asks for something that the target cannot express.

The target is made without it. The target `python`, for one, runs each step once and as long as it takes: retries and
time limits are for the platform that starts it.

    step:train  retry:2

What to do: nothing, if the platform that runs the result does it; another target may know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nb2pipe.targets.model import Feature

CODE = "NB408"


def not_for_this_target(notebook: str, target: str, feature: Feature, steps: Sequence[str]) -> Diagnostic:
    """An info.

    Args:
        notebook: The notebook's path as the user gave it.
        target: The target's name.
        feature: What is asked for.
        steps: Which steps do; empty for the pipeline as a whole.
    """
    who = f" of {', '.join(f'`{step}`' for step in steps)}" if steps else ""
    return Diagnostic(
        code=CODE,
        severity=Severity.INFO,
        message=f"the target `{target}` cannot express the {feature}{who}",
        location=Location(notebook=notebook, step=steps[0] if len(steps) == 1 else None),
        hint="the platform that runs it has to see to that",
    )
