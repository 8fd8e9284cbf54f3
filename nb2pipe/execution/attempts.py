"""Runs one call to its end in a thread of its own: attempts, and what is told of them."""

from __future__ import annotations

import errno
import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import InternalError, Nb2pipeError, PluginError, StoreError
from nb2pipe.execution.devices import VISIBLE, Devices, visible_gpus
from nb2pipe.execution.model import Failed
from nb2pipe.execution.schedule import gpus_of
from nb2pipe.records.events import (
    ArtifactKind,
    ArtifactMade,
    ArtifactUsed,
    MetricLogged,
    StepObserved,
    StepRetried,
    StepStarted,
)
from nb2pipe.records.model import GroupRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.execution.model import Completed, Executor, Outcome, StepCall
    from nb2pipe.pipeline.model import Step
    from nb2pipe.records.events import Event
    from nb2pipe.records.model import StepTrace


_OUTSIDE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
    }
)
"""Errors of the system that are nobody's bug."""
_LOOK = "look at the space on the disk and the permissions, of the home and of the folder for temporary files"


@dataclass(frozen=True, slots=True)
class Crashed:
    """The executor itself failed."""

    error: BaseException


@dataclass(slots=True, kw_only=True, eq=False)
class Running:
    """A step that runs.

    Attributes:
        cancel: Stops it.
        began: When its last attempt began.
        unwanted: What comes of it does not count any more.
    """

    cancel: threading.Event
    began: float
    unwanted: bool = False

    def stop(self) -> None:
        """Stops it; what comes of it does not count."""
        self.unwanted = True
        self.cancel.set()


class Attempts:
    """The threads of a run.

    Args:
        executor: Runs one step.
        publish: Takes events, from any thread.
        devices: The GPUs; those of this machine if it is not given.
        fetch: Brings here what a call takes, in the step's thread.
    """

    def __init__(
        self,
        executor: Executor,
        publish: Callable[[Event], None],
        devices: Devices | None = None,
        *,
        fetch: Callable[[StepCall], None] = lambda _call: None,
    ) -> None:
        self._executor = executor
        self._fetch = fetch
        self._devices = devices or Devices(visible_gpus())
        self._publish = publish
        self._ended: queue.SimpleQueue[tuple[str, Running, Outcome | Crashed]] = queue.SimpleQueue()

    def start(self, call: StepCall, observe: Callable[[Outcome, float], StepTrace | None] = lambda *_: None) -> Running:
        """Begins with a call.

        Args:
            call: The call.
            observe: Takes down, in the step's thread, what it was seen to depend on, given when it began.
        """
        running = Running(cancel=threading.Event(), began=time.time())
        # A thread that an executor does not give back must not keep the process alive.
        threading.Thread(target=self._work, args=(call, running, observe), name=call.step.name, daemon=True).start()
        return running

    def next(self, seconds: float) -> tuple[str, Running, Outcome | Crashed] | None:
        """The next step that ended, with what came of it; None if none did within some seconds."""
        try:
            return self._ended.get(timeout=seconds)
        except queue.Empty:
            return None

    def error(self, step: str, crashed: Crashed) -> BaseException:
        """What to raise for a crash: it tells apart an executor of ours from one that somebody plugged in."""
        error = crashed.error
        if isinstance(error, Nb2pipeError) or not isinstance(error, Exception):
            return error
        if isinstance(error, OSError) and error.errno in _OUTSIDE:
            where = f"`{error.filename}` " if error.filename else "its files "
            refused = StoreError(f"step `{step}`: {where}cannot be used: {error.strerror}", hint=_LOOK)
            refused.__cause__ = error
            return refused
        message = f"the executor `{self._executor.name}` failed in step `{step}`: {type(error).__name__}: {error}"
        ours = type(self._executor).__module__.startswith("nb2pipe.")
        wrapped: Nb2pipeError = InternalError(message) if ours else PluginError(message)
        wrapped.__cause__ = error
        return wrapped

    def _work(self, call: StepCall, running: Running, observe: Callable[[Outcome, float], StepTrace | None]) -> None:
        outcome: Outcome | Crashed
        try:
            self._fetch(call)
            with self._devices.taken(gpus_of(call.step), running.cancel) as gpus:
                outcome = self._attempt(_with(call, gpus), running)
            if outcome.seen and not running.unwanted:
                outcome = replace(outcome, trace=observe(outcome, running.began))
        except BaseException as error:  # noqa: BLE001  # handed to the thread that drives, which raises it
            outcome = Crashed(error)
        self._ended.put((call.step.name, running, outcome))

    def _attempt(self, call: StepCall, running: Running) -> Outcome:
        attempt = 1
        while True:
            running.began = time.time()
            self._tell_begin(call, attempt)
            outcome = self._executor.run_step(call, self._publish, running.cancel)
            if isinstance(outcome, Failed):
                outcome = replace(outcome, failure=call.surroundings.masking.failure(outcome.failure))
            if not isinstance(outcome, Failed) or attempt > call.step.retry or running.cancel.is_set():
                return outcome
            name, now = call.step.name, time.time()
            self._publish(StepRetried(step=name, time=now, attempt=attempt, failure=outcome.failure))
            running.cancel.wait(call.step.retry_delay)
            attempt += 1

    def _tell_begin(self, call: StepCall, attempt: int) -> None:
        name, now = call.step.name, time.time()
        self._publish(step_started(call.step, call, attempt=attempt))
        for group in call.inputs:
            self._publish(ArtifactUsed(step=name, names=group.names, digest=str(group.digest), time=now))
        for kind, digest in call.state.items():
            used = ArtifactUsed(step=name, names=(kind,), digest=digest, time=now, kind=ArtifactKind.STATE)
            self._publish(used)


def _with(call: StepCall, gpus: tuple[str, ...]) -> StepCall:
    """The call in an environment that shows the step only the GPUs that it has for itself."""
    if not gpus:
        return call
    return replace(call, surroundings=replace(call.surroundings, own={VISIBLE: ",".join(gpus)}))


def step_started(step: Step, call: StepCall, *, attempt: int = 1) -> StepStarted:
    """A step begins now."""
    return StepStarted(
        step=step.name,
        time=time.time(),
        cells=step.cells,
        attempt=attempt,
        key=call.key,
        parts=call.parts,
        description=step.description,
        code=code_of(step, call),
        inputs=tuple(GroupRecord(names=group.names, digest=str(group.digest)) for group in call.inputs),
        state=dict(call.state),
    )


def code_of(step: Step, call: StepCall) -> dict[int, str]:
    """SHA-256 of the texts of the cells that a step's code stands in, by their positions."""
    cells = sorted({block.cell for block in step.blocks})
    return {cell: str(Digest.of_bytes(call.notebook.cell(cell).source.encode("utf-8", "replace"))) for cell in cells}


def tell_observed(publish: Callable[[Event], None], name: str, done: Outcome) -> None:
    """Tells what a step was seen to read and write, if anybody looked."""
    if done.trace is not None:
        publish(StepObserved(step=name, time=time.time(), trace=done.trace))


def tell_made(publish: Callable[[Event], None], name: str, done: Completed) -> None:
    """Tells what a step made."""
    now = time.time()
    for group in done.outputs:
        types = {each: done.types[each] for each in group.names if each in done.types}
        told = {each: done.summaries[each] for each in group.names if each in done.summaries}
        made = ArtifactMade(
            step=name, names=group.names, digest=str(group.digest), time=now, types=types, summaries=told
        )
        publish(made)
    for kind, digest in done.state.items():
        publish(ArtifactMade(step=name, names=(kind,), digest=digest, time=now, kind=ArtifactKind.STATE))
    tell_observed(publish, name, done)
    for metric, value in done.metrics.items():
        publish(MetricLogged(step=name, name=metric, value=value, time=now))
