"""Step notebooks, run in this process: by the product's driver, or each with what it has edges from alone."""

from __future__ import annotations

import copy
import json
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from kernels import Shown, fresh_kernel, in_thread
from trials import SEED, Seen, Trial, ancestors, may_have, plain, run_cell, stored

from nb2pipe.codegen.notebooks.step_notebook import step_notebook
from nb2pipe.diagnostics import Report
from nb2pipe.execution.calls import Calls
from nb2pipe.execution.drive import Context, drive
from nb2pipe.execution.model import Cancelled, Completed, Failed, Surroundings
from nb2pipe.execution.schedule import schedule_of
from nb2pipe.executors.outcome import outcome_of, step_spec
from nb2pipe.notebook.model import RaisesExceptionTag
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.events import Failure
from nb2pipe.runtime.versions import Earlier, take_from
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.events import Event

_SESSION = '__import__("sys").modules["nb2pipe.runtime.session"]'


@dataclass
class InProcess:
    """Runs step notebooks in this process, each in a `__main__` of its own."""

    shown: Shown
    store: LocalStore
    name: str = "in-process"
    runs_packages: bool = False
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: tuple[int | None, str] | None = None

    def check(self, pipeline: Pipeline) -> Report:  # noqa: ARG002  # it runs every notebook
        return Report()

    def run_step(self, call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:
        if cancel.is_set():
            return Cancelled()
        result = call.surroundings.run_folder / f"{call.step.name}.json"
        result.unlink(missing_ok=True)
        for cell in call.step.cells:  # it may run again
            self.shown.cells.pop(cell, None)
        notebook = step_notebook(call, step_spec(call, result), kernel="python3")
        with fresh_kernel(call.surroundings.folder, SEED + 1) as main:
            failure = self._run(call, notebook, main)
        if failure is not None:
            self.failed = failure
            kind, _, message = failure[1].partition(": ")
            return Failed(failure=Failure(step=call.step.name, cell=failure[0], line=None, kind=kind, message=message))
        outcome = outcome_of(call, None, json.loads(result.read_text(encoding="utf-8")), emit)
        if isinstance(outcome, Completed):
            self.values[call.step.name] = stored(outcome.outputs, call.surroundings.home, call.surroundings.folder)
        return outcome

    def _run(self, call: StepCall, notebook: Any, main: ModuleType) -> tuple[int, str] | None:
        for node in notebook.cells:
            position = node.metadata["nb2pipe"].get("cell")
            cell = call.notebook.cell(position) if position in call.step.cells else None
            text = plain(call.notebook.cell(position), call.notebook, node.source) if position else node.source
            error = run_cell(cell, text, main, self.shown)
            if error is not None and not (cell is not None and cell.has(RaisesExceptionTag)):
                return position, error
            if position in call.step.metrics:
                exec(f"{_SESSION}.measure({position})", vars(main))
        return None


@dataclass
class Kernels:
    """The step notebooks of a pipeline, about to run."""

    trial: Trial
    executor: InProcess
    work: Work
    surroundings: Surroundings
    events: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, trial: Trial, around: Path, name: str) -> Kernels:
        folder = trial.folder(around, name)
        home = around / name / "home"
        (home / "run").mkdir(parents=True)
        surroundings = Surroundings(folder=folder, home=home, run_folder=home / "run", kernel="python3", seed=SEED)
        executor = InProcess(Shown(folders=(str(folder),)), LocalStore(home / "store"))
        return cls(trial, executor, make_work(trial.pipeline, folder), surroundings)

    def seen(self, failure: Failure | None = None) -> Seen:
        """What the steps showed; `failure` is the driver's, which has reasons of its own to end a run."""
        shown = self.executor.shown
        return Seen(
            printed=shown.cells,
            raised=may_have(self.trial, shown),
            values=self.executor.values,
            failed=self.executor.failed,
            refused=None if self.executor.failed or failure is None else f"{failure.kind}: {failure.message}",
        )


def by_driver(trial: Trial, around: Path) -> Seen:
    """Step notebooks, run by the driver."""
    run = Kernels.of(trial, around, "steps")
    context = Context(
        executor=run.executor,
        store=run.executor.store,
        publish=run.events.append,
        surroundings=run.surroundings,
        cancel=threading.Event(),
        jobs=1,
        parameters=copy.deepcopy(dict(trial.given)),
    )
    end = drive(run.work, schedule_of(run.work), context)
    return run.seen(end.failure)


def by_edges(trial: Trial, around: Path) -> Seen:
    """Step notebooks, each given what steps made that there is a way from."""
    run = Kernels.of(trial, around, "edges")
    calls = Calls(run.work, run.surroundings, trial.given, run.executor.store)
    above = ancestors(trial.pipeline)
    made: dict[str, Completed] = {}
    failure = None
    for unit in run.work.units:
        taken = take_from(
            frozenset(port.name for port in unit.step.inputs),
            unit.scope,
            [_left(each, made[each.name], is_seen=each.name in above[unit.name]) for each in run.work.earlier(unit)],
        )
        call = calls.make(unit, taken, copy.deepcopy(dict(trial.given)))
        outcome = in_thread(partial(run.executor.run_step, call, run.events.append, threading.Event()))
        if not isinstance(outcome, Completed):
            failure = outcome.failure if isinstance(outcome, Failed) else None
            break
        made[unit.name] = outcome
    return run.seen(failure)


def _left(unit: Unit, done: Completed, *, is_seen: bool) -> Earlier:
    """What a step left; of one that is not seen, only that its names are not the older ones any more."""
    names = {name for group in done.outputs for name in group.names}
    outputs = frozenset(port.name for port in unit.step.outputs)
    if not is_seen:
        return Earlier(name=unit.name, scope=unit.scope, outputs=outputs | names)
    return Earlier(name=unit.name, scope=unit.scope, outputs=outputs, groups=done.outputs, state=done.state)
