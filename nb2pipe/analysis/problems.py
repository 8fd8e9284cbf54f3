"""The problems that following a notebook's code shows: the checks of codes NB200 to NB249."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.nb201_names_by_text import names_by_text
from nb2pipe.analysis.checks.nb202_outputs_of_cells import outputs_of_cells
from nb2pipe.analysis.checks.nb203_undefined_name import undefined_names
from nb2pipe.analysis.checks.nb204_parameter_twice import parameters_twice
from nb2pipe.analysis.checks.nb205_derived_parameter import derived_parameters
from nb2pipe.analysis.checks.nb206_change_in_a_skipped_cell import changes_in_skipped_cells
from nb2pipe.analysis.checks.nb207_too_deep import too_deep
from nb2pipe.analysis.checks.nb208_stays_in_its_step import stays_in_its_step
from nb2pipe.analysis.checks.nb211_starts_over import starts_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen
    from nb2pipe.diagnostics import Diagnostic

_CHECKS = (
    names_by_text,
    outputs_of_cells,
    undefined_names,
    parameters_twice,
    derived_parameters,
    changes_in_skipped_cells,
    too_deep,
    stays_in_its_step,
    starts_over,
)


def problems(seen: Seen) -> Iterator[Diagnostic]:
    """All of them."""
    for check in _CHECKS:
        yield from check(seen)
