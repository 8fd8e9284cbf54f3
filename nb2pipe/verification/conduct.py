"""Runs a notebook straight and as a pipeline, and compares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.execution.home import Home, find_home
from nb2pipe.execution.prepare import prepare
from nb2pipe.pipeline.work import make_work
from nb2pipe.verification.certificate import write_certificate
from nb2pipe.verification.compare import Comparison, compare, judge
from nb2pipe.verification.heard import Heard
from nb2pipe.verification.looks import looks
from nb2pipe.verification.model import Side, Status, Verification
from nb2pipe.verification.straight import Task, run_straight
from nb2pipe.verification.values import read_stored

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from nb2pipe.execution.model import RunEnd
    from nb2pipe.execution.options import RunOptions
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.events import Event

    Begin = Callable[[Pipeline, RunOptions, Callable[[Event], None]], RunEnd]

TAG = "verify"
"""By which `runs list` shows where a run comes from."""


def verify(
    pipeline: Pipeline,
    options: RunOptions,
    *,
    begin: Begin,
    tell: Callable[[str], None],
    cancel: threading.Event,
) -> Verification:
    """Compares a straight run with a pipeline run.

    The straight run comes first: what a notebook makes only once, such as a folder, is then missing in both the second
    and the third run, and not taken for a difference.

    Args:
        pipeline: The pipeline; gates are not applied.
        options: How it is to be run.
        begin: Runs a pipeline with options, and tells its events.
        tell: Takes what goes on in the straight run.
        cancel: Once set, all stops.

    Raises:
        Nb2pipeError: As of a run.
    """
    pipeline = without_gates(pipeline)
    prepared = prepare(pipeline, options)
    home = Home(find_home(Path(pipeline.notebook.path), options.home))
    home.create()
    seed = home.initial_seed() if options.seed is None else options.seed
    work = make_work(pipeline, prepared.folder)
    task = Task(
        pipeline=pipeline,
        work=work,
        looks=looks(work),
        prepared=prepared,
        seed=seed,
        store=home.store.resolve(),
        printed_only=options.executor != "papermill",
    )
    options = replace(options, seed=seed, keep_going=True, tags=(*options.tags, TAG))
    return _Verify(task=task, options=options, begin=begin, tell=tell, cancel=cancel).run()


def without_gates(pipeline: Pipeline) -> Pipeline:
    """The pipeline whose steps all run, whatever its metrics are."""
    steps = (
        replace(step, gate=None, nested=without_gates(step.nested) if step.nested is not None else None)
        for step in pipeline.steps
    )
    return replace(pipeline, steps=tuple(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verify:
    task: Task
    options: RunOptions
    begin: Begin
    tell: Callable[[str], None]
    cancel: threading.Event

    def run(self) -> Verification:
        straight = self._straight("straight")
        if straight.interrupted:
            return Verification(status=Status.INTERRUPTED, run="", folder=self.task.store.parent)
        heard = Heard(printed_only=self.task.printed_only)
        end = self.begin(self.task.pipeline, self.options, heard.take)
        other = self._other(heard, end)
        if other.interrupted:
            return Verification(status=Status.INTERRUPTED, run=end.run, folder=end.folder)
        found = self._compare(straight, other)
        itself: Comparison | None = None
        if found.differences:
            found, itself = self._again(found, straight, other, heard, end)
            if itself is None:
                return Verification(status=Status.INTERRUPTED, run=end.run, folder=end.folder)
        return self._conclude(found, itself, straight, end)

    def _straight(self, word: str, shown: frozenset[tuple[str, str]] = frozenset()) -> Side:
        def tell(step: str) -> None:
            self.tell(f"{word}: {step}")

        return run_straight(self.task, tell=tell, cancel=self.cancel, shown=shown)

    def _other(self, heard: Heard, end: RunEnd, shown: frozenset[str] = frozenset()) -> Side:
        groups = {step.name: step.outputs for step in end.steps if step.outputs}
        names = frozenset((look.step, look.name) for look in self.task.looks)
        texts = frozenset(key for key in names if key[1] in shown)
        stored = read_stored(groups, names, store=self.task.store, prepared=self.task.prepared, shown=texts)
        return heard.side(self.task.work, self.task.looks, stored, end)

    def _compare(self, straight: Side, other: Side) -> Comparison:
        task = self.task
        return compare(task.work, task.looks, straight, other, printed_only=task.printed_only)

    def _again(
        self, found: Comparison, straight: Side, other: Side, heard: Heard, end: RunEnd
    ) -> tuple[Comparison, Comparison | None]:
        """The straight run once more: whether it differs from itself, and the texts of what differs."""
        shown = frozenset((each.step, each.name) for each in found.differences if each.name is not None)
        second = self._straight("straight again", shown)
        if second.interrupted:
            return found, None
        itself = self._compare(straight, second)
        values = {
            key: replace(value, shown=second.values[key].shown) if key in second.values else value
            for key, value in straight.values.items()
        }
        if shown:
            other = self._other(heard, end, frozenset(name for _, name in shown))
        return self._compare(replace(straight, values=values), other), itself

    def _conclude(self, found: Comparison, itself: Comparison | None, straight: Side, end: RunEnd) -> Verification:
        judged = judge(found, itself, self.task.work)
        certificate = None
        if judged.status is Status.IDENTICAL:
            package = str(self.options.package.folder) if self.options.package else None
            certificate = write_certificate(end.folder, judged.steps, straight, package=package)
        return Verification(
            status=judged.status,
            run=end.run,
            folder=end.folder,
            steps=judged.steps,
            first_difference=judged.first,
            certificate=certificate,
            failure=found.failure,
        )
