"""Runs a notebook straight and as a pipeline, and compares."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nb2pipe.digest import Digest
from nb2pipe.execution.home import Home, find_home
from nb2pipe.execution.prepare import prepare
from nb2pipe.pipeline.work import make_work
from nb2pipe.serializers.groups import Group
from nb2pipe.verification.certificate import write_certificate
from nb2pipe.verification.compare import Comparison, Judged, compare, judge, placed
from nb2pipe.verification.heard import Heard, stored_as
from nb2pipe.verification.looks import looks
from nb2pipe.verification.model import Side, Status, Verification
from nb2pipe.verification.straight import Task, Wanted, run_straight
from nb2pipe.verification.values import Key, read_stored, unlike

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from nb2pipe.execution.model import RunEnd
    from nb2pipe.execution.options import RunOptions
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.events import Event
    from nb2pipe.verification.values import Unlike

    Begin = Callable[[Pipeline, RunOptions, Callable[[Event], None]], RunEnd]

_COPIES = 8
"""Of how many variables that differ the second straight run leaves copies: the others mostly follow from them."""

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
    options = replace(options, seed=seed, keep_going=True, no_cache=True, tags=(*options.tags, TAG))
    return _Verify(task=task, options=options, begin=begin, tell=tell, cancel=cancel).run()


def without_gates(pipeline: Pipeline) -> Pipeline:
    """The pipeline whose steps all run, whatever its metrics are."""
    steps = (
        replace(step, gate=None, nested=without_gates(step.nested) if step.nested is not None else None)
        for step in pipeline.steps
    )
    return replace(pipeline, steps=tuple(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pipeline:
    """The pipeline's side, and where it comes from."""

    side: Side
    heard: Heard
    end: RunEnd


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
        if not found.differences:
            return self._conclude(judge(found, None, self.task.work), found, straight, end)
        with tempfile.TemporaryDirectory(prefix="nb2pipe-copies-") as copies:
            return self._again(found, straight, _Pipeline(side=other, heard=heard, end=end), Path(copies).resolve())

    def _straight(self, word: str, wanted: Wanted | None = None) -> Side:
        def tell(step: str) -> None:
            self.tell(f"{word}: {step}")

        return run_straight(self.task, tell=tell, cancel=self.cancel, wanted=wanted or Wanted())

    def _other(self, heard: Heard, end: RunEnd, shown: frozenset[str] = frozenset()) -> Side:
        groups = {step.name: step.outputs for step in end.steps if step.outputs}
        names = frozenset((look.step, look.name) for look in self.task.looks)
        texts = frozenset(key for key in names if key[1] in shown)
        stored = read_stored(groups, names, store=self.task.store, prepared=self.task.prepared, shown=texts)
        return heard.side(self.task.work, self.task.looks, stored, end)

    def _compare(self, straight: Side, other: Side, alike: frozenset[Key] = frozenset()) -> Comparison:
        task = self.task
        return compare(task.work, task.looks, straight, other, printed_only=task.printed_only, alike=alike)

    def _again(self, found: Comparison, straight: Side, other: _Pipeline, copies: Path) -> Verification:
        """The straight run once more: whether it differs from itself, and the texts of what differs, and copies."""
        differing: list[Key] = [(each.step, each.name) for each in found.differences if each.name is not None]
        wanted = Wanted(shown=frozenset(differing), copied=frozenset(differing[:_COPIES]), copies=copies)
        second = self._straight("straight again", wanted)
        if second.interrupted:
            return Verification(status=Status.INTERRUPTED, run=other.end.run, folder=other.end.folder)
        itself = self._compare(straight, second)
        values = {
            key: replace(value, shown=second.values[key].shown) if key in second.values else value
            for key, value in straight.values.items()
        }
        side = other.side
        if differing:
            side = self._other(other.heard, other.end, frozenset(name for _, name in differing))
        found = self._compare(replace(straight, values=values), side)
        given = {(look.step, look.name) for look in self.task.looks if look.given}
        doubtful = [key for key in differing if key in given]
        alike = frozenset(key for key in doubtful if self._unlike(key, second, other.end, copies) == "alike")
        if alike:
            found = self._compare(replace(straight, values=values), side, alike)
        judged = judge(found, itself, self.task.work)
        if judged.first is not None and judged.first.name is not None:
            place = self._unlike((judged.first.step, judged.first.name), second, other.end, copies)
            judged = replace(judged, first=placed(judged.first, place if place != "alike" else None))
        return self._conclude(judged, found, straight, other.end)

    def _unlike(self, key: Key, second: Side, end: RunEnd, copies: Path) -> Unlike | Literal["alike"] | None:
        """The place in a variable where the two runs differ."""
        copy = second.values[key].copy if key in second.values else None
        groups = {
            (step.name, name): group for step in end.steps for group in step.outputs or () for name in group.names
        }
        look = next(look for look in self.task.looks if (look.step, look.name) == key)
        stored = stored_as(look, self.task.work, groups.keys())
        if copy is None or stored is None:
            return None
        whole = Group(names=(key[1],), digest=Digest(copy))
        left = self.task.store, groups[stored]
        return unlike(key[1], (copies, whole), left, self.task.prepared)

    def _conclude(self, judged: Judged, found: Comparison, straight: Side, end: RunEnd) -> Verification:
        certificate, hide = None, self.task.prepared.masking.text
        if judged.status is Status.IDENTICAL:
            package = str(self.options.package.folder) if self.options.package else None
            certificate = write_certificate(end.folder, judged.steps, straight, package=package)
        first = judged.first
        if first is not None:
            first = replace(first, straight=hide(first.straight), pipeline=hide(first.pipeline))
        return Verification(
            status=judged.status,
            run=end.run,
            folder=end.folder,
            steps=judged.steps,
            first_difference=first,
            certificate=certificate,
            failure=found.failure,
        )
