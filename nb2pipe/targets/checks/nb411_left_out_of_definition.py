"""Something that the notebook says of a step cannot stand in the target's definition, and is left out.

Platforms have rules for names and values that notebooks do not have; some take no label with a blank, for one, and some
replace what stands in double braces, wherever that is.

    label:team:computer vision

What to do: write it in a form that the platform takes; the message says why it did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Pipeline

CODE = "NB411"


def left_out_of_definition(pipeline: Pipeline, target: str, what: str, reason: str, step: str = "") -> Diagnostic:
    """A warning.

    Args:
        pipeline: The pipeline.
        target: The target's name.
        what: What is left out, such as "the label `team`".
        reason: Why, as a clause.
        step: The step that it is of; empty for the pipeline as a whole.
    """
    who = f" of the step `{step}`" if step else ""
    return Diagnostic(
        code=CODE,
        severity=Severity.WARNING,
        message=f"{what}{who} is left out of the definition of the target `{target}`: {reason}",
        location=Location(notebook=pipeline.notebook.path, step=step or None),
        hint="write it in a form that the platform takes",
    )
