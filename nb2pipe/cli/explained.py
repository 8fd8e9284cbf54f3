"""Why a step of a run ran or was reused, as text or JSON: `explain RUN STEP`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.cli.planned import tell_difference
from nb2pipe.cli.text import one_line
from nb2pipe.errors import UsageError
from nb2pipe.execution.reasons import explain_step
from nb2pipe.plugins import suggestion
from nb2pipe.records.events import StepStatus
from nb2pipe.records.index import find_run

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.cli.session import Session
    from nb2pipe.execution.reasons import Explanation


def tell_why(session: Session, home: Path, selector: str, step: str) -> None:
    """Tells why a step of a run ran, or was reused.

    Raises:
        RecordsError: There is no such run, or its record cannot be read.
        UsageError: The run has no such step.
    """
    record = find_run(home, selector)
    names = [each.name for each in record.steps]
    if step not in names:
        close = suggestion(step, names)
        known = f"did you mean `{close}`?" if close else f"its steps: {', '.join(names)}"
        raise UsageError(f"run {record.run} has no step `{step}`", hint=known)
    found = explain_step(home, record, step)
    if session.json:
        causes = [explanation_json(cause) for cause in found[1:]]
        session.emit({"run": record.run, **explanation_json(found[0]), "causes": causes}, lines=True)
        return
    for each in found:
        _tell(session, each)


def explanation_json(found: Explanation) -> dict[str, object]:
    """An explanation as JSON."""
    return {
        "step": found.step,
        "status": found.status.value,
        "source": found.source,
        "before": found.before,
        "reasons": [
            {"message": reason.message, "difference": list(reason.difference), "step": reason.step}
            for reason in found.reasons
        ],
    }


def _tell(session: Session, found: Explanation) -> None:
    name = session.styled(one_line(found.step), session.people, bold=True)
    if found.status is StepStatus.REUSED:
        where = f" from {one_line(found.source)}" if found.source else ""
        message = f"{name} was reused{where}: its code, what it takes, its parameters and what it reads are the same"
        session.say(message, result=True)
        return
    since = f" (its earlier run: {found.before})" if found.before else ""
    session.say(f"{name}: {found.status.value}{since}", result=True)
    for reason in found.reasons:
        session.say(f"  {one_line(reason.message)}", result=True)
        tell_difference(session, reason.difference)
