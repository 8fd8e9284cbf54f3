"""Drives the steps of a run: order, retries, gates, failures, interruption, and what each step is given."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from nb2pipe.execution.attempts import Attempts, Crashed, step_started, tell_made, tell_observed
from nb2pipe.execution.calls import Calls
from nb2pipe.execution.checks.nb511_gate_without_metric import gate_note, gate_without_metric
from nb2pipe.execution.gates import holds
from nb2pipe.execution.model import Cancelled, Completed, Failed, StepEnd
from nb2pipe.execution.repeats import has_effects, note_of, tainted_by
from nb2pipe.execution.schedule import depending, ready, waiting
from nb2pipe.execution.selection import NOT_CHOSEN
from nb2pipe.execution.touched import MISSING, crossed, spoiled
from nb2pipe.execution.versions import (
    Overtaken,
    Seen,
    Taken,
    What,
    generators,
    is_decisive,
    made_within,
    overtaken,
    take,
)
from nb2pipe.notebook.gates import metrics_of
from nb2pipe.records.events import (
    Failure,
    RunStatus,
    SkipReason,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStatus,
)
from nb2pipe.runtime.observing.observer import listing

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping

    from nb2pipe.execution.attempts import Running
    from nb2pipe.execution.model import Executor, Outcome, StepCall, Surroundings
    from nb2pipe.execution.schedule import Schedule
    from nb2pipe.execution.selection import Selection
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.events import Event
    from nb2pipe.records.model import StepTrace
    from nb2pipe.store.base import Store

_LOOK_SECONDS = 0.1
"""How often the run looks for an interruption while steps run."""

_DONE = frozenset({StepStatus.RAN, StepStatus.REUSED})

_REPEATS = 5
"""How often a step is run again because others turned out to come before it; each time an order is learned."""

GRACE_SECONDS = 1.6
"""How long an interrupted run waits for its steps to stop, before it gives them up: it ends within two seconds."""
_ABANDON_SECONDS = 10.0
"""How long a run that breaks off waits for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What a step made before, so that it need not run.

    Attributes:
        seconds: How long it took.
        reused: Another run made it.
        told: What is to be told of it; nothing where it stands in this run's record.
    """

    done: Completed
    seconds: float | None = None
    reused: bool = False
    told: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the driver works with.

    Attributes:
        publish: Takes events, from any thread.
        broken: Why events can no longer be recorded, or None; then the run ends.
        surroundings: Of the steps of the notebook itself.
        parameters: The values given, by name.
        jobs: How many places there are.
        recall: Finds what a step made before in the same call.
        observe: Takes down what a step that has just ended was seen to depend on, given when it began.
        note: Notes that a step ran, for later runs.
        selection: The steps that the user chose; None for all.
        fetch: Brings here what a call takes, before it begins.
    """

    executor: Executor
    store: Store
    publish: Callable[[Event], None]
    surroundings: Surroundings
    cancel: threading.Event
    jobs: int
    parameters: Mapping[str, object] = field(default_factory=dict)
    keep_going: bool = False
    recall: Callable[[Unit, StepCall], Recalled | None] = lambda _unit, _call: None
    observe: Callable[[Unit, StepCall, Outcome, float], StepTrace | None] = lambda *_: None
    note: Callable[[str, StepCall], None] = lambda _name, _call: None
    broken: Callable[[], Exception | None] = lambda: None
    selection: Selection | None = None
    fetch: Callable[[StepCall], None] = lambda _call: None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveEnd:
    """How the steps of a run ended.

    Attributes:
        failure: Of the first step that failed, in notebook order.
        metrics: The last of each name, in notebook order.
    """

    status: RunStatus
    steps: tuple[StepEnd, ...]
    metrics: Mapping[str, float]
    failure: Failure | None = None


def drive(work: Work, schedule: Schedule, context: Context) -> DriveEnd:
    """Runs the steps of a run.

    Returns:
        How they ended; an error in the author's code and an interruption are among the ends.

    Raises:
        Exception: What an executor or the record raised; by then the steps that still ran are stopped.
    """
    return _Drive(work, schedule, context).run()


class _Drive:
    """The state of a run that goes on. Only the thread that drives changes it; steps run in threads of their own."""

    def __init__(self, work: Work, schedule: Schedule, context: Context) -> None:
        self._work = work
        self._schedule = schedule
        self._context = context
        self._pending = set(work.names)
        self._running: dict[str, Running] = {}
        self._attempts = Attempts(context.executor, context.publish, fetch=context.fetch)
        self._calls = Calls(work, context.surroundings, context.parameters, context.store)
        self._began: dict[str, StepCall] = {}
        self._ended_before: dict[str, frozenset[str]] = {}
        self._taken: dict[str, Taken] = {}
        self._made: dict[str, Completed] = {}
        self._ends: dict[str, StepEnd] = {}
        self._failures: list[Failure] = []
        self._repeated: Counter[str] = Counter()
        self._drawers: dict[str, set[str]] = {}
        self._stopping = False
        self._deadline: float | None = None

    def run(self) -> DriveEnd:
        """Drives to the end."""
        try:
            self._settle_others()
            self._loop()
        except KeyboardInterrupt:
            self._context.cancel.set()
            self._loop()
        except BaseException:
            self._abandon()
            raise
        return self._end()

    def _settle_others(self) -> None:
        """Takes the results of earlier runs for steps that the user did not choose, as far as they are wanted."""
        selection = self._context.selection
        for unit in self._work.units if selection else ():
            if selection is None or unit.name in selection.chosen or unit.name not in self._pending:
                continue
            if unit.name in selection.needed | selection.above and not unit.inner:
                self._begin(unit)
            if unit.name in self._pending and not (unit.inner and unit.name in selection.needed):
                self._skip([unit.name], SkipReason.NOT_SELECTED, NOT_CHOSEN)

    def _loop(self) -> None:
        while True:
            self._watch()
            self._begin_ready()
            if not self._running:
                return
            self._wait(_LOOK_SECONDS)

    def _wait(self, seconds: float) -> None:
        ended = self._attempts.next(seconds)
        if ended is not None and self._running.get(ended[0]) is ended[1]:
            self._take_outcome(self._work.by_name[ended[0]], ended[1], ended[2])

    def _watch(self) -> None:
        """Looks whether the run is to end early."""
        error = self._context.broken()
        if error is not None:
            raise error
        if self._context.cancel.is_set() and self._deadline is None:
            self._stopping = True
            self._deadline = time.monotonic() + GRACE_SECONDS
            for running in self._running.values():
                running.cancel.set()
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._running.clear()

    def _abandon(self) -> None:
        """Stops the steps that run, and waits for them a while."""
        self._stopping = True
        for running in self._running.values():
            running.cancel.set()
        deadline = time.monotonic() + _ABANDON_SECONDS
        while self._running and time.monotonic() < deadline:
            ended = self._attempts.next(_LOOK_SECONDS)
            if ended is not None:
                self._running.pop(ended[0], None)

    # -- beginning

    def _begin_ready(self) -> None:
        while names := self._may_begin():
            for name in names:
                if name in self._pending and self._is_allowed(name):
                    self._begin(self._work.by_name[name])

    def _may_begin(self) -> tuple[str, ...]:
        names = ready(self._schedule, pending=self._pending, running=self._running, jobs=self._context.jobs)
        return tuple(filter(self._is_allowed, names))

    def _is_allowed(self, name: str) -> bool:
        """A run that stops begins nothing new; a nested pipeline whose steps have all ended is nothing new."""
        return not self._stopping or bool(self._work.by_name[name].inner)

    def _begin(self, unit: Unit) -> None:
        values = self._calls.given(unit.scope, self._made)
        if isinstance(values, Failure):
            self._fail(self._work.by_name[unit.scope], values, 0.0)
            return
        self._pending.discard(unit.name)
        self._take_for(unit.name)
        call = self._calls.make(unit, self._taken[unit.name], values)
        recalled = self._context.recall(unit, call)
        if recalled is not None:
            for event in recalled.told:
                self._context.publish(event)
            status = StepStatus.REUSED if recalled.reused else StepStatus.RAN
            self._complete(unit, recalled.done, recalled.seconds, told=status)
        elif unit.inner:
            self._join(unit, call)
        elif self._context.selection is not None and unit.name not in self._context.selection.chosen:
            self._pending.add(unit.name)
        else:
            self._began[unit.name] = call
            self._ended_before[unit.name] = frozenset(self._made)
            observe = partial(self._context.observe, unit, call)
            self._running[unit.name] = self._attempts.start(call, observe)

    def _take_for(self, name: str) -> None:
        """Notes what a step takes; a nested pipeline takes it when the first of its steps begins."""
        unit = self._work.by_name[name]
        if unit.scope:
            self._take_for(unit.scope)
        if name not in self._taken:
            self._taken[name] = take(unit, self._work.earlier(unit), self._made)

    def _join(self, unit: Unit, call: StepCall) -> None:
        """A nested pipeline has run: its steps are its work, and what they made is what it made."""
        steps = [name for name in unit.inner if not self._work.by_name[name].inner]
        seconds = sum(self._ends[name].seconds or 0.0 for name in steps)
        self._context.publish(step_started(unit.step, call))
        inner = [self._work.by_name[name] for name in unit.inner]
        self._complete(unit, Completed(outputs=made_within(unit, inner, self._made)), seconds)

    # -- ending

    def _take_outcome(self, unit: Unit, running: Running, outcome: Outcome | Crashed) -> None:
        del self._running[unit.name]
        seconds = time.time() - running.began
        if isinstance(outcome, Crashed):
            raise self._attempts.error(unit.name, outcome)
        if running.unwanted:
            if unit.name not in self._ends:
                self._pending.add(unit.name)
            return
        match outcome:
            case Completed():
                self._complete(unit, outcome, seconds)
            case Failed():
                if not self._failed_too_early(unit, outcome.failure):
                    tell_observed(self._context.publish, unit.name, outcome)
                    self._fail(unit, outcome.failure, seconds)
            case Cancelled():
                tell_observed(self._context.publish, unit.name, outcome)
                self._ends[unit.name] = StepEnd(name=unit.name, status=StepStatus.INTERRUPTED, seconds=seconds)
                self._stopping = True
            case _:
                assert_never(outcome)

    def _complete(self, unit: Unit, done: Completed, seconds: float | None, *, told: StepStatus | None = None) -> None:
        """A step has its results; `told` is how it ended, if that stands in the record and need not be told."""
        self._made[unit.name] = done
        for kind in generators(done):
            self._drawers.setdefault(kind, set()).add(unit.name)
        if not told:
            tell_made(self._context.publish, unit.name, done)
        passes = self._passes(unit)
        if isinstance(passes, Failure):
            del self._made[unit.name]
            self._fail(unit, passes, seconds or 0.0)
            return
        status = told or StepStatus.RAN
        self._ends[unit.name] = StepEnd(name=unit.name, status=status, seconds=seconds, outputs=done.outputs)
        if not told:
            self._context.publish(StepFinished(step=unit.name, time=time.time(), seconds=seconds or 0.0))
            if unit.name in self._began:
                self._context.note(unit.name, self._began[unit.name])
        if not passes and unit.step.gate:
            message = f"the gate `{unit.step.gate.text}` of `{unit.name}` does not hold"
            self._skip(depending(self._schedule, [unit.name], gate=True), SkipReason.GATE, message)
        self._look_back(unit, done)

    def _passes(self, unit: Unit) -> bool | Failure:
        gate = unit.step.gate
        if gate is None:
            return True
        known = self._metrics(unit)
        missing = sorted(metrics_of(gate.condition) - known.keys())
        if not missing:
            return holds(gate.condition, known)
        failure = gate_without_metric(unit.name, _first_cell(unit), gate.text, missing)
        note = gate_note(failure, missing, known, time=time.time())
        self._context.publish(note)
        return replace(failure, hint=note.hint)

    def _metrics(self, until: Unit | None = None) -> dict[str, float]:
        """The metrics of the steps that finished, the last of each name; those that a gate sees stand above it."""
        prefix = f"{until.scope}/" if until is not None and until.scope else ""
        metrics: dict[str, float] = {}
        for unit in self._work.units:
            if unit.name in self._made and unit.name.startswith(prefix):
                metrics |= self._made[unit.name].metrics
            if unit is until:
                break
        return metrics

    def _fail(self, unit: Unit, failure: Failure, seconds: float) -> None:
        self._pending.discard(unit.name)
        self._context.publish(StepFailed(step=unit.name, time=time.time(), seconds=seconds, failure=failure))
        self._ends[unit.name] = StepEnd(name=unit.name, status=StepStatus.FAILED, seconds=seconds)
        self._failures.append(failure)
        if unit.scope and unit.scope in self._pending:
            outer = self._work.by_name[unit.scope]
            message = f"step `{unit.name}` failed: {failure.message}"
            around = replace(failure, step=outer.name, cell=_first_cell(outer), line=None, source_line=None)
            self._fail(outer, replace(around, message=message), seconds)
        fallen = (*depending(self._schedule, [unit.name]), *unit.inner)
        self._skip(fallen, SkipReason.UPSTREAM_FAILED, f"`{unit.name}` failed")
        self._stopping = self._stopping or not self._context.keep_going

    def _skip(self, names: Iterable[str], reason: SkipReason, message: str) -> None:
        for name in names:
            if name in self._pending:
                self._pending.discard(name)
                self._context.publish(StepSkipped(step=name, time=time.time(), reason=reason, message=message))
                self._ends[name] = StepEnd(name=name, status=StepStatus.SKIPPED, reason=reason, message=message)

    def _end(self) -> DriveEnd:
        interrupted = self._deadline is not None
        # Of steps that failed side by side, the notebook's first: there, the others would not have run.
        failure = min(self._failures, key=lambda each: self._work.places.get(each.step or "", 0), default=None)
        if not interrupted and failure is not None:
            message = f"not begun, since `{failure.step}` failed; --keep-going runs what does not depend on it"
            self._skip(self._work.names, SkipReason.UPSTREAM_FAILED, message)
        steps = tuple(
            self._ends.get(name) or StepEnd(name=name, status=StepStatus.INTERRUPTED) for name in self._work.names
        )
        return DriveEnd(
            status=_status(steps),
            steps=steps,
            metrics=self._metrics(),
            failure=failure,
        )

    # -- steps whose order turned out to be other than the text showed

    def _look_back(self, unit: Unit, done: Completed) -> None:
        """Looks whether a step below took what this one has only now made, or this one drew out of order."""
        names = {name for group in done.outputs for name in group.names}
        decides = bool(generators(done)) or any(map(is_decisive, done.state))
        below = (each for each in self._work.later(unit) if each.name in self._taken)
        affected = [each for each in below if decides or names & {port.name for port in each.step.inputs}]
        for each in (unit, *affected):
            if each.name in self._taken:
                now = take(each, self._work.earlier(each), self._made)
                self._mend(each, overtaken(each, now, Seen(began=self._taken, made=self._made)))
        if done.trace is not None:
            self._look_at_files(unit)

    def _look_at_files(self, unit: Unit) -> None:
        """Looks whether this step and one that ran at the same time touched the same files."""
        for each in self._work.earlier(unit):
            self._compare_files(each, unit)
        for each in self._work.later(unit):
            self._compare_files(unit, each)

    def _compare_files(self, earlier: Unit, later: Unit) -> None:
        first, second = self._made.get(earlier.name), self._made.get(later.name)
        together = later.name in self._ended_before and earlier.name not in self._ended_before[later.name]
        if not together or first is None or second is None or first.trace is None or second.trace is None:
            return
        if paths := spoiled(first.trace, second.trace):
            found = Overtaken(earlier=earlier.name, later=later.name, names=self._shown(paths), what=What.FILE)
            self._context.publish(note_of(found, again=False))
            self._end_out_of_order(later, found)
        elif paths := crossed(first.trace, second.trace, listing):
            found = Overtaken(earlier=earlier.name, later=later.name, names=self._shown(paths), what=What.FILE)
            self._mend(later, (found,))

    def _shown(self, paths: Iterable[str]) -> tuple[str, ...]:
        folder = f"{self._context.surroundings.folder}/"
        return tuple(path.removeprefix(folder) for path in paths)

    def _failed_too_early(self, unit: Unit, failure: Failure) -> bool:
        """Has a step that found a file missing run again, if steps above it had not ended when it began."""
        above = [
            each.name
            for each in self._work.earlier(unit)
            if each.name not in self._ended_before[unit.name] and (each.name in self._made or self._may_end(each.name))
        ]
        fresh = self._repeated[unit.name] < _REPEATS and not self._stopping
        if failure.kind not in MISSING or not above or not fresh or not self._is_repeatable(unit.name):
            return False
        found = Overtaken(earlier=above[-1], later=unit.name, names=(), what=What.FILE)
        self._context.publish(note_of(found, again=True))
        self._repeated[unit.name] += 1
        self._schedule = waiting(self._schedule, {unit.name: above})
        self._reset(unit.name)
        return True

    def _may_end(self, name: str) -> bool:
        return name in self._running or name in self._pending

    def _mend(self, unit: Unit, found: tuple[Overtaken, ...]) -> None:
        """Runs a step again that ran too early, or ends the run where that may do harm."""
        if not found:
            return
        again = tainted_by((unit.name, *unit.inner), self._schedule, self._taken)
        fresh = self._repeated[unit.name] < _REPEATS
        may = fresh and not self._stopping and all(map(self._is_repeatable, again))
        for each in found:
            self._context.publish(note_of(each, again=may))
        if may:
            self._repeated[unit.name] += 1
            self._learn(unit, found)
            for name in again:
                self._reset(name)
        elif unit.name not in self._ends or self._ends[unit.name].status in _DONE:
            self._end_out_of_order(unit, found[0])

    def _learn(self, unit: Unit, found: tuple[Overtaken, ...]) -> None:
        """From now on the step waits for those above it that it turned out to follow."""
        above = {each.earlier for each in found}
        drawn = [kind for each in found if each.what is What.GENERATOR for kind in each.names]
        names = {each.name for each in self._work.earlier(unit)}
        above |= {name for kind in drawn for name in self._drawers.get(kind, ()) if name in names}
        self._schedule = waiting(self._schedule, {unit.name: above})

    def _is_repeatable(self, name: str) -> bool:
        """Nothing in the step's own code shows effects outside, and nobody acted on a gate of it."""
        unit = self._work.by_name[name]
        ended = self._ends.get(name)
        failed = ended is not None and ended.status not in _DONE
        return not failed and unit.step.gate is None and not has_effects(unit)

    def _reset(self, name: str) -> None:
        self._taken.pop(name, None)
        self._calls.forget(self._work.by_name[name].scope)
        if name in self._running:
            self._running[name].stop()
            return
        self._made.pop(name, None)
        self._ends.pop(name, None)
        self._pending.add(name)

    def _end_out_of_order(self, unit: Unit, found: Overtaken) -> None:
        note = note_of(found, again=False)
        failure = Failure(
            step=unit.name,
            cell=_first_cell(unit),
            line=None,
            kind="UnorderedSteps",
            message=note.message,
            hint=note.hint,
        )
        self._made.pop(unit.name, None)
        if unit.name in self._running:
            self._running[unit.name].stop()
        self._fail(unit, failure, 0.0)
        self._stopping = True


def _status(steps: tuple[StepEnd, ...]) -> RunStatus:
    statuses = {step.status for step in steps}
    if StepStatus.INTERRUPTED in statuses:
        return RunStatus.INTERRUPTED
    return RunStatus.FAILED if StepStatus.FAILED in statuses else RunStatus.SUCCEEDED


def _first_cell(unit: Unit) -> int | None:
    return unit.step.cells[0] if unit.step.cells else None
