"""What a step is told, and what came of it, whichever way its code is run."""

from __future__ import annotations

import ast
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.metric_names import metric_names
from nb2pipe.digest import Digest
from nb2pipe.errors import InternalError, StoreError
from nb2pipe.execution.checks.nb500_unstorable_output import unstorable_output
from nb2pipe.execution.checks.nb501_output_left_out import output_left_out
from nb2pipe.execution.checks.nb502_state_left_out import state_left_out
from nb2pipe.execution.checks.nb523_recorded_in_part import recorded_in_part
from nb2pipe.execution.model import Cancelled, Completed, Failed
from nb2pipe.executors.failures import failure_of
from nb2pipe.executors.origin import where_bound
from nb2pipe.executors.watch import Reason
from nb2pipe.records.files import safe_name, series_path
from nb2pipe.runtime.resuming import CHECKPOINTS, FIGURES
from nb2pipe.runtime.spec import GroupSpec, StepSpec
from nb2pipe.serializers.groups import Group
from nb2pipe.tracking.training.leftovers import read_outside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.executors.watch import Stop
    from nb2pipe.records.events import Event


def step_spec(call: StepCall, result: Path) -> StepSpec:
    """What a step is told.

    Args:
        call: The step, and what it is given.
        result: The file that it writes what came of it to.
    """
    # Where two groups hold a name, the later one counts.
    home = {name: group for group in call.inputs for name in group.names}
    taken = {port.name for port in call.step.inputs}
    outputs = tuple(port.name for port in call.step.outputs)
    groups = tuple(
        GroupSpec(
            names=group.names,
            digest=str(group.digest),
            take=tuple(name for name in group.names if name in taken and home[name] is group),
        )
        for group in call.inputs
    )
    return StepSpec(
        step=call.step.name,
        folder=str(call.surroundings.folder.resolve()),
        store=str((call.surroundings.home / "store").resolve()),
        result=str(result),
        seed=call.surroundings.seed,
        inputs=tuple(group for group in groups if group.take),
        outputs=outputs,
        required=tuple(name for name in outputs if call.taken is None or name in call.taken),
        state=dict(call.state),
        metrics={place: metric_names(call.notebook.cell(place).python) for place in call.step.metrics},
        patched=tuple(sorted(call.step.patched)),
        series=str(series_path(call.surroundings.run_folder, call.step.name).resolve()),
        checkpoints=str((call.surroundings.run_folder / CHECKPOINTS / safe_name(call.step.name)).resolve()),
        figures=str((call.surroundings.run_folder / FIGURES / safe_name(call.step.name)).resolve()),
        key=call.key,
        continues=call.surroundings.continues and call.step.cache is not False,
        reads=_reads(call),
    )


def _reads(call: StepCall) -> tuple[str, ...]:
    """The names that the step's cells read beside its trainings; none where it has no training."""
    texts = [call.notebook.cell(place).python for place in call.step.cells]
    if not any(".epochs(" in text for text in texts):
        return ()
    found: set[str] = set()
    for text in texts:
        with suppress(SyntaxError, ValueError):  # it shows when the cell runs
            found |= read_outside(ast.parse(text))
    return tuple(sorted(found))


def outcome_of(call: StepCall, stop: Stop | None, told: dict[str, Any], emit: Callable[[Event], None]) -> Outcome:
    """What came of a step.

    Args:
        call: The step.
        stop: Why it was not run to its end, if it was not.
        told: What it wrote to its result, and `seen`, what it was seen to read and write where it did not end.
        emit: Takes notes on what could not be kept.

    Raises:
        StoreError: An input cannot be read, or an output not written.
        InternalError: Something of ours failed.
    """
    if stop is not None and stop.reason is Reason.CANCELLED:
        return Cancelled(seen=told.get("seen", {}))
    if "broken" in told:
        _raise_broken(told["broken"], call.step.name)
    if stop is not None:
        _tell_unrecorded(call.step.name, told, emit)
        errors = told.get("errors", [])
        failure = failure_of(stop, errors, call.step.name, call.notebook, call.step.timeout or 0)
        return Failed(failure=failure, seen=told.get("seen", {}))
    if "completed" not in told:
        raise InternalError(f"the step `{call.step.name}` ran to its end, but told nothing of it")
    return _completed(call, emit, told["completed"])


def _tell_unrecorded(step: str, told: dict[str, Any], emit: Callable[[Event], None]) -> None:
    reasons = told.get("unrecorded", [])
    if reasons:
        emit(recorded_in_part(step, reasons, time=time.time()))


def _completed(call: StepCall, emit: Callable[[Event], None], told: dict[str, Any]) -> Outcome:
    step = call.step.name
    required = {port.name for port in call.step.outputs if call.taken is None or port.name in call.taken}
    for error in told["unstorable"]:
        if error["name"] in required:
            failure = unstorable_output(step, error, where_bound(call, error["name"]))
            return Failed(failure=failure, seen=told.get("seen", {}))
    _tell_unrecorded(step, told, emit)
    for error in told["unstorable"]:
        emit(output_left_out(step, error, time=time.time()))
    for kind, reason in told["lost"].items():
        emit(state_left_out(step, kind, reason, time=time.time()))
    return Completed(
        outputs=tuple(Group(names=tuple(group["names"]), digest=Digest(group["digest"])) for group in told["outputs"]),
        state=told["state"],
        metrics=told["metrics"],
        unchanged=frozenset(told["unchanged"]),
        types=told.get("types", {}),
        summaries=told.get("summaries", {}),
        seen=told.get("seen", {}),
    )


def _raise_broken(broken: dict[str, Any], step: str) -> None:
    if broken["store"]:
        raise StoreError(f"step `{step}`: {broken['message']}", hint=broken["hint"])
    raise InternalError(f"step `{step}`: {broken['kind']}: {broken['message']}")
