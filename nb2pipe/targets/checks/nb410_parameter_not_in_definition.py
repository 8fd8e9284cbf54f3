"""A parameter has no value in the target's definition.

Its default is computed by the notebook, or is a secret, or of a type that the target has no form for. Steps compute
the default themselves; a secret has to be given where the pipeline runs.

    rate = os.cpu_count() / 2

What to do: nothing; or, to give it a value with this target, a default that is a number, a text or a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Parameter, Pipeline

CODE = "NB410"


def parameter_not_in_definition(pipeline: Pipeline, target: str, parameter: Parameter, file: str) -> Diagnostic:
    """An info.

    Args:
        pipeline: The pipeline.
        target: The target's name.
        parameter: The parameter.
        file: Where the target has the values of parameters.
    """
    return Diagnostic(
        code=CODE,
        severity=Severity.INFO,
        message=f"the default of the parameter `{parameter.name}` does not stand in `{file}` of the target `{target}`",
        location=Location(
            notebook=pipeline.notebook.path, cell=pipeline.notebook.cell(parameter.cell).id, line=parameter.line
        ),
        hint=f"add it to `{file}` to give it a value",
    )
