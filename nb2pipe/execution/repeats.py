"""Steps whose order turned out to be other than the text showed: what is told of them, and what may run again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nb2pipe.execution.checks.nb512_unordered_draws import unordered_draws
from nb2pipe.execution.checks.nb513_older_version_taken import older_version_taken
from nb2pipe.execution.checks.nb517_state_set_late import state_set_late
from nb2pipe.execution.checks.nb520_files_in_another_order import files_in_another_order
from nb2pipe.execution.versions import What
from nb2pipe.notebook.model import MagicKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.execution.schedule import Schedule
    from nb2pipe.execution.versions import Overtaken, Taken
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.records.events import Noted

_NOTES = {
    What.VARIABLE: older_version_taken,
    What.GENERATOR: unordered_draws,
    What.STATE: state_set_late,
    What.FILE: files_in_another_order,
}


def note_of(found: Overtaken, *, again: bool) -> Noted:
    """What the user is told; `again` says that the later step runs again."""
    return _NOTES[found.what](found.earlier, found.later, found.names, time=time.time(), again=again)


def tainted_by(names: Iterable[str], schedule: Schedule, began: Mapping[str, Taken]) -> tuple[str, ...]:
    """Some steps, and all that have begun with what they made, in notebook order.

    Args:
        names: The steps.
        schedule: The order of the run.
        began: What the steps took that have begun.
    """
    tainted = set(names)
    for each in schedule.order:
        taken = began.get(each)
        if taken is None:
            continue
        makers = {maker for maker, _ in (*taken.variables.values(), *taken.state.values())}
        if tainted & (makers | schedule.needs[each]):
            tainted.add(each)
    return tuple(each for each in schedule.order if each in tainted)


def has_effects(unit: Unit) -> bool:
    """Whether the code of a step shows that it does something outside of itself, or cannot be looked at."""
    flow = unit.pipeline.dataflow
    if flow is None:
        return True
    facts = [flow.facts_of(cell) for cell in unit.step.cells]
    magics = (magic.kind for cell in unit.step.cells for magic in unit.pipeline.notebook.cell(cell).magics)
    writes = any(each is None or each.files_written or each.sets for each in facts)
    return writes or any(kind in {MagicKind.SHELL, MagicKind.CELL} for kind in magics)
