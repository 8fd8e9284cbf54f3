"""What a run would reuse and what it would run, and why: the walk of a run over stored results, without a step run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.execution.calls import Calls
from nb2pipe.execution.installed import Installed
from nb2pipe.execution.keys import part
from nb2pipe.execution.model import Completed, Surroundings
from nb2pipe.execution.reasons import Reason, call_side, differences, each_time, earlier, recorded_side
from nb2pipe.execution.recall import outputs_of
from nb2pipe.execution.reuse import Reuse
from nb2pipe.execution.selection import select
from nb2pipe.execution.traces import Traces
from nb2pipe.execution.versions import made_within, take
from nb2pipe.records.events import Failure
from nb2pipe.records.file_digests import FileDigests
from nb2pipe.records.values import masked
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.execution.home import Home
    from nb2pipe.execution.model import StepCall
    from nb2pipe.execution.options import RunOptions
    from nb2pipe.execution.prepare import Prepared
    from nb2pipe.execution.selection import Selection
    from nb2pipe.execution.shared import Shared
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What would become of a step.

    Attributes:
        source: The run whose results would be taken; None where the step would run.
        why: Why it would run.
        skipped: It would not run, since the user chose others.
    """

    source: str | None = None
    why: Reason | None = None
    skipped: bool = False


def make_reuse(
    home: Home,
    run: str,
    store: Store,
    options: RunOptions,
    selection: Selection | None,
    shared: Shared | None = None,
) -> Reuse:
    """What finds the results of earlier runs, for a run: those of the home, then those of others."""
    traces = Traces(store=store, digests=FileDigests(home.files), installed=Installed(home.packages))
    own = Reuse(
        keys=home.keys,
        runs=home.runs,
        run=run,
        store=store,
        traces=traces,
        reads=not options.no_cache,
        forced=options.force,
        chosen=selection.chosen if selection else None,
        writes=not options.no_cache,
        here=home.runs / run,
    )
    if shared is None:
        return own
    mirror = shared.mirror
    return replace(own, beyond=replace(own, keys=mirror.keys, runs=mirror.runs, bring=shared.bring, writes=False))


def expect(
    pipeline: Pipeline,
    work: Work,
    prepared: Prepared,
    options: RunOptions,
    home: Home,
    shared: Shared | None = None,
) -> dict[str, Expected]:
    """What would become of each step, by its name; nothing is written.

    Args:
        pipeline: The pipeline.
        work: Its steps.
        prepared: What the run would work with.
        options: How it would be run.
        home: Where earlier runs are.
        shared: Where those of others are.
    """
    if not home.root.is_dir():
        return {unit.name: Expected(why=Reason(message="it has not run here before")) for unit in work.units}
    store = shared.store if shared else LocalStore(home.store, FileDigests(home.files))
    selection = select(work, options)
    surroundings = Surroundings(
        folder=prepared.folder,
        home=home.root,
        run_folder=home.runs / "none",
        kernel=prepared.kernel,
        seed=home.initial_seed() if options.seed is None else options.seed,
        variables=prepared.variables,
        pipeline=pipeline,
        package=options.package,
        executor=options.executor,
    )
    walk = _Walk(
        work=work,
        calls=Calls(work, surroundings, prepared.parameters, store),
        reuse=make_reuse(home, "none", store, options, selection, shared),
        home=home,
        notebook=str(Path(pipeline.notebook.path).absolute()),
        parameters=masked({each.name: each.default for each in pipeline.parameters} | dict(prepared.parameters)),
        forced=options.force or options.no_cache,
        selection=selection,
    )
    return {unit.name: walk.step(unit) for unit in work.units}


@dataclass(slots=True, kw_only=True)
class _Walk:
    """The state of the walk: `made` is what steps left that would be reused, `running` are the others."""

    work: Work
    calls: Calls
    reuse: Reuse
    home: Home
    notebook: str
    parameters: Mapping[str, object]
    forced: bool
    selection: Selection | None = None
    made: dict[str, Completed] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    def step(self, unit: Unit) -> Expected:
        """What would become of a step; those above it have been looked at."""
        selection = self.selection
        if unit.inner:
            return self._nested(unit)
        if selection is not None and unit.name not in selection.chosen:
            return self._not_chosen(unit, selection)
        if self.forced:
            self.running.add(unit.name)
            return Expected(why=Reason(message="all that are chosen are to run (--force or --no-cache)"))
        before = {edge.source for edge in self.work.edges if edge.target == unit.name}
        waits = [f"`{name}`" for name in self.work.names if name in before & self.running]
        if waits:
            self.running.add(unit.name)
            message = f"it comes after {', '.join(waits)}; reused where what it takes stays the same"
            return Expected(why=Reason(message=message))
        return self._reused_or_run(unit)

    def _nested(self, unit: Unit) -> Expected:
        """A nested pipeline is what its steps are."""
        inner = [self.work.by_name[name] for name in unit.inner]
        if any(name in self.running for name in unit.inner):
            self.running.add(unit.name)
            return Expected(why=Reason(message="steps of it would run"))
        self.made[unit.name] = Completed(outputs=made_within(unit, inner, self.made))
        return Expected(skipped=True)

    def _not_chosen(self, unit: Unit, selection: Selection) -> Expected:
        if unit.name not in selection.needed | selection.above:
            return Expected(skipped=True)
        found = self._reused_or_run(unit)
        self.running.discard(unit.name)
        return found if found.source or unit.name in selection.needed else Expected(skipped=True)

    def _reused_or_run(self, unit: Unit) -> Expected:
        found = self._found(unit)
        if isinstance(found, Expected):
            return found
        self.running.add(unit.name)
        return Expected(why=self._why(unit, found))

    def _found(self, unit: Unit) -> Expected | StepCall | None:
        """The run whose results would be taken, or the call that would run; None where its parameters are not known."""
        given = self.calls.given(unit.scope, self.made)
        if isinstance(given, Failure):
            return None
        call = self.calls.make(unit, take(unit, self.work.earlier(unit), self.made), given)
        found = next(self.reuse.found(unit, call), None)
        if found is None:
            return call
        run, record = found
        self.made[unit.name] = Completed(outputs=outputs_of(record), state=record.state, metrics=record.metrics)
        return Expected(source=record.source or run)

    def _why(self, unit: Unit, call: StepCall | None) -> Reason:
        if call is None:
            return Reason(message="what it is given is not known before the run")
        if call.step.cache is False:
            return Reason(message="the tag cache:disabled says so")
        if changed := self.reuse.why_not(call):
            return Reason(message=changed)
        before = earlier(self.home.root, self.notebook, unit.name)
        if before is None:
            return Reason(message="it has not run to its end before")
        makers = {part(str(group.digest)): name for name, done in self.made.items() for group in done.outputs}
        found = differences(recorded_side(self.home.root, *before), call_side(call, self.parameters, makers))
        return next(iter(found), None) or each_time(before[1]) or Reason(message="no results of it are kept")
