"""IPython's `_`, `In` and `Out`, which hold what other cells showed.

They depend on the cells that the kernel ran before, and steps run in kernels of their own.

    Out[3]

What to do: give the value a name in the cell that makes it, and use that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen

CODE = "NB202"


def outputs_of_cells(seen: Seen) -> Iterator[Diagnostic]:
    """An error at each use of them."""
    for trace in seen.traces:
        for node in trace.outputs:
            yield Diagnostic(
                code=CODE,
                severity=Severity.ERROR,
                message=f"`{node.id}` holds what other cells showed, and steps run in kernels of their own",
                location=place(seen, trace.cell, node),
                hint="give the value a name in the cell that makes it, and use that name here",
            )
