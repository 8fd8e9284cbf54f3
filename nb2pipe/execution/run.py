"""A run from beginning to end: checked, recorded, driven, its notebook put together, its record closed in any case."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.errors import Nb2pipeError, RecordsError, StoreError, UsageError
from nb2pipe.execution.checks.nb516_notebook_not_written import notebook_not_written
from nb2pipe.execution.devices import visible_gpus
from nb2pipe.execution.drive import Context, drive
from nb2pipe.execution.expect import expect, make_reuse
from nb2pipe.execution.home import Home, draw_seed, find_home, only_here, sweep
from nb2pipe.execution.lasting import opened
from nb2pipe.execution.model import RunEnd, Surroundings
from nb2pipe.execution.options import FORCED, NO_CACHE, REUSE
from nb2pipe.execution.plan import earlier_steps, seconds_of
from nb2pipe.execution.prepare import prepare
from nb2pipe.execution.publish import Publisher
from nb2pipe.execution.recall import Recall
from nb2pipe.execution.schedule import schedule_of, waiting
from nb2pipe.execution.selection import check_needed, select
from nb2pipe.execution.shared import Shared
from nb2pipe.execution.touched import known, learned
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.events import Failure, RunFinished, RunInterrupted, RunStarted, RunStatus
from nb2pipe.records.file_digests import FileDigests
from nb2pipe.records.files import write_atomically
from nb2pipe.records.recorder import Recorder
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nb2pipe.execution.drive import DriveEnd
    from nb2pipe.execution.model import Executor, StepCall
    from nb2pipe.execution.options import RunOptions
    from nb2pipe.execution.prepare import Prepared
    from nb2pipe.execution.schedule import Schedule
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Work
    from nb2pipe.records.events import Event
    from nb2pipe.records.model import RunRecord

NOTEBOOK = "notebook.ipynb"
"""The executed notebook in the folder of a run."""

_KERNEL_GIVEN = "kernel_given"
"""The user's `-k` in the record: a resumed run keeps it, and otherwise takes the notebook's kernel as it is now."""

_CHOSEN = ("first", "last", "only")
"""The options that choose steps, in the record by these names."""

STORE = "store"
"""The URL of the store that others use too, in the record."""

TRACKERS = "trackers"
"""The names of the trackers that a run is sent to, in the record."""

PACKAGE = "package"
"""The converted directory in the record, where one ran."""


def run(
    pipeline: Pipeline,
    options: RunOptions,
    *,
    executor: Executor,
    assemble: Callable[[Path, Pipeline], None],
    listeners: Sequence[Callable[[Event], None]] = (),
    cancel: threading.Event | None = None,
) -> RunEnd:
    """Runs a pipeline.

    Args:
        pipeline: The pipeline of a notebook.
        options: How it is to be run.
        executor: Runs each step.
        assemble: Puts the executed notebook together, given the run's folder and the pipeline.
        listeners: Who wants to know what happens; they are called from several threads, one at a time.
        cancel: Once set, the run ends as interrupted.

    Returns:
        How it ended; a failed step and an interruption are among the ends.

    Raises:
        NotebookError: The notebook has errors. Nothing was run.
        UsageError: Something that the user gave is wrong. Nothing was run.
        StoreError: The home or the executed notebook cannot be written.
        RecordsError: The record cannot be written.
        PluginError: The executor is broken.
    """
    prepared = prepare(pipeline, options)
    home = Home(find_home(Path(pipeline.notebook.path), options.home))
    home.create()
    shared, options = _shared(home, options)
    seed = _seed(home, options, shared)
    work = make_work(pipeline, prepared.folder)
    selection = select(work, options)
    if selection is not None:
        found = expect(pipeline, work, prepared, replace(options, force=False, seed=seed), home, shared)
        check_needed(selection, found, work)
    folder = _new_folder(home)
    started = _started(pipeline, work, prepared, replace(options, seed=seed, fresh_random=False), folder.name)
    session = _Session(
        pipeline=pipeline, work=work, prepared=prepared, home=home, started=started, options=options, shared=shared
    )
    return session.conduct(executor, assemble, listeners, cancel or threading.Event())


def resume(  # noqa: PLR0913  # what a run needs, and the record
    record: RunRecord,
    pipeline: Pipeline,
    options: RunOptions,
    *,
    executor: Executor,
    assemble: Callable[[Path, Pipeline], None],
    listeners: Sequence[Callable[[Event], None]] = (),
    cancel: threading.Event | None = None,
) -> RunEnd:
    """Goes on with a run: the same one, with the notebook as it stands now.

    Steps that finished and whose key still holds keep their results; the others run again. Parameters, initial random
    state, kernel and working directory are those of the record.

    Args:
        record: The run.
        pipeline: The pipeline of its notebook, as that stands now.
        options: `jobs`, `keep_going`, `output` and `home` count; `parameters` only for those whose values the record
            does not keep.
        executor: As in `run`.
        assemble: As in `run`.
        listeners: As in `run`.
        cancel: As in `run`.

    Returns:
        How it ended.

    Raises:
        NotebookError: The notebook has errors. Nothing was run.
        UsageError: The run still goes on, or something that it was given does not fit the notebook any more.
        StoreError: As in `run`.
        RecordsError: The record is not in this home, or cannot be written.
        PluginError: As in `run`.
    """
    if record.status is RunStatus.RUNNING:
        raise UsageError(f"run {record.run} still goes on", hint="wait for its end, or stop it with Ctrl-C")
    options = _as_recorded(record, options)
    prepared = prepare(pipeline, options)
    home = Home(find_home(Path(pipeline.notebook.path), options.home))
    folder = home.runs / record.run
    if not folder.is_dir():
        raise RecordsError(f"run {record.run} is not in {home.root}", hint="name its home with --home DIR")
    home.create()
    shared, options = _shared(home, options)
    work = make_work(pipeline, prepared.folder)
    started = replace(_started(pipeline, work, prepared, options, record.run), resumed=True)
    session = _Session(
        pipeline=pipeline,
        work=work,
        prepared=prepared,
        home=home,
        started=started,
        options=options,
        record=record,
        shared=shared,
    )
    return session.conduct(executor, assemble, listeners, cancel or threading.Event())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """One run, ready to begin: `record` is what an earlier part of it left, `shared` a store that others use too."""

    pipeline: Pipeline
    work: Work
    prepared: Prepared
    home: Home
    started: RunStarted
    options: RunOptions
    record: RunRecord | None = None
    shared: Shared | None = None

    @property
    def folder(self) -> Path:
        return self.home.runs / self.started.run

    def conduct(
        self,
        executor: Executor,
        assemble: Callable[[Path, Pipeline], None],
        listeners: Sequence[Callable[[Event], None]],
        cancel: threading.Event,
    ) -> RunEnd:
        """From the first event to the last; the record is closed in any case."""
        with only_here(self.folder):
            if self.record is not None:
                sweep(self.folder)
            return self._recorded(executor, assemble, listeners, cancel)

    def _recorded(
        self,
        executor: Executor,
        assemble: Callable[[Path, Pipeline], None],
        listeners: Sequence[Callable[[Event], None]],
        cancel: threading.Event,
    ) -> RunEnd:
        recorder = Recorder(self.folder, masking=self.prepared.masking)
        shared = [self.shared.take] if self.shared else []
        publish = Publisher(recorder.handle, (*listeners, *shared), self.prepared.masking)
        if self.shared is not None:
            self.shared.begin(self.started.run, publish)
        try:
            end, problem = self._conduct(executor, assemble, publish, cancel)
        except BaseException as error:
            self._close_broken(publish, error)
            self.prepared.masking.error(error)
            raise
        finally:
            publish.close()
            recorder.close()
        if self.shared is not None:
            end = replace(end, unpushed=self.shared.finish(listeners, cancel))
        if problem is not None:
            raise problem
        return end

    def _conduct(
        self,
        executor: Executor,
        assemble: Callable[[Path, Pipeline], None],
        publish: Publisher,
        cancel: threading.Event,
    ) -> tuple[RunEnd, Exception | None]:
        """How it ended, and what kept the executed notebook from being written."""
        publish(self.started)
        for note in self.prepared.notes:
            publish(note)
        context = self._context(executor, publish, cancel)
        with opened(executor, steps=len(self.work.units), jobs=context.jobs):
            end = drive(self.work, self._schedule(), context)
        if end.status is RunStatus.INTERRUPTED:
            publish(RunInterrupted(run=self.started.run, time=time.time()))
        problem = self._write_notebook(assemble, publish)
        self._finish(publish, end)
        ended = RunEnd(
            run=self.started.run,
            folder=self.folder,
            status=end.status,
            steps=end.steps,
            metrics=self.prepared.masking.value(end.metrics),
            notebook=self.folder / NOTEBOOK,
            failure=end.failure,
        )
        return ended, problem

    def _schedule(self) -> Schedule:
        past = earlier_steps(self.home.root, self.pipeline.notebook.path)
        schedule = schedule_of(self.work, seconds_of(past), gpus=len(visible_gpus()))
        return waiting(schedule, known(learned(past), self.work.names))

    def _context(self, executor: Executor, publish: Publisher, cancel: threading.Event) -> Context:
        shared = self.shared
        store = shared.store if shared else LocalStore(self.home.store, FileDigests(self.home.files))
        selection = select(self.work, self.options)
        reuse = make_reuse(self.home, self.started.run, store, self.options, selection, shared)
        recall = Recall(record=self.record, store=store, folder=self.folder, work=self.work, traces=reuse.traces)
        surroundings = Surroundings(
            folder=self.prepared.folder,
            home=self.home.root,
            run_folder=self.folder,
            kernel=self.prepared.kernel,
            seed=self.started.seed,
            variables=self.prepared.variables,
            pipeline=self.pipeline,
            package=self.options.package,
            executor=self.options.executor,
            masking=self.prepared.masking,
            continues=not (self.options.force or self.options.no_cache),
        )
        return Context(
            executor=executor,
            store=store,
            publish=publish,
            surroundings=surroundings,
            cancel=cancel,
            jobs=self.prepared.jobs,
            parameters=self.prepared.parameters,
            keep_going=self.options.keep_going,
            recall=lambda unit, call: recall(unit, call) or reuse(unit, call),
            selection=selection,
            observe=reuse.traces.take,
            note=reuse.note if shared is None else _both(reuse.note, shared.add),
            broken=publish.broken,
            fetch=shared.fetch if shared else lambda _call: None,
        )

    def _write_notebook(self, assemble: Callable[[Path, Pipeline], None], publish: Publisher) -> Exception | None:
        """The executed notebook, and its copy where one is wanted; returns what has to be raised in the end."""
        try:
            assemble(self.folder, self.pipeline)
            if self.options.output is not None:
                write_atomically(self.options.output.absolute(), (self.folder / NOTEBOOK).read_bytes())
        except Exception as error:  # noqa: BLE001  # the record is closed first; then it is raised
            publish(notebook_not_written(error, time=time.time()))
            if not isinstance(error, OSError):
                return error
            hint = "look at the space on the disk and the permissions of the folder"
            problem = StoreError(f"the executed notebook could not be written: {error}", hint=hint)
            problem.__cause__ = error
            return problem
        return None

    def _finish(self, publish: Publisher, end: DriveEnd) -> None:
        now = time.time()
        publish(
            RunFinished(
                run=self.started.run,
                status=end.status,
                time=now,
                seconds=now - self.started.time,
                failure=end.failure,
                metrics=end.metrics,
            )
        )
        error = publish.broken()
        if error is not None:
            raise error

    def _close_broken(self, publish: Publisher, error: BaseException) -> None:
        """Something of ours failed, or Ctrl-C came twice: the record says so."""
        now = time.time()
        hint = error.hint if isinstance(error, Nb2pipeError) else None
        failure = Failure(step=None, cell=None, line=None, kind=type(error).__name__, message=str(error), hint=hint)
        interrupted = isinstance(error, KeyboardInterrupt)
        status = RunStatus.INTERRUPTED if interrupted else RunStatus.FAILED
        if interrupted:
            publish(RunInterrupted(run=self.started.run, time=now))
        publish(
            RunFinished(
                run=self.started.run,
                status=status,
                time=now,
                seconds=now - self.started.time,
                failure=None if interrupted else failure,
            )
        )


def _started(pipeline: Pipeline, work: Work, prepared: Prepared, options: RunOptions, run: str) -> RunStarted:
    return RunStarted(
        run=run,
        pipeline=pipeline.name,
        notebook=str(Path(pipeline.notebook.path).absolute()),
        notebook_digest=str(pipeline.notebook.digest),
        steps=work.names,
        time=time.time(),
        parameters={each.name: each.default for each in pipeline.parameters} | dict(prepared.parameters),
        given=tuple(prepared.parameters),
        seed=options.seed or 0,
        executor=options.executor,
        kernel=prepared.kernel,
        name=options.name,
        tags=options.tags,
        note=options.note,
        surroundings={
            **prepared.surroundings,
            _KERNEL_GIVEN: options.kernel,
            **{name: value for name in _CHOSEN if (value := getattr(options, name)) is not None},
            **({REUSE: NO_CACHE if options.no_cache else FORCED} if options.no_cache or options.force else {}),
            **({PACKAGE: str(options.package.folder)} if options.package else {}),
            **({STORE: options.store} if options.store else {}),
            **({TRACKERS: list(options.trackers)} if options.trackers else {}),
        },
    )


def _shared(home: Home, options: RunOptions) -> tuple[Shared | None, RunOptions]:
    """The store that others use too, and the options with its URL as it is kept."""
    if options.store is None:
        return None, options
    shared = Shared(home, options.store)
    shared.seed(home.initial_seed())  # tells before the run whether the place can be used
    return shared, replace(options, store=shared.remote.url)


def _both(note: Callable[[str, StepCall], None], add: Callable[[str], None]) -> Callable[[str, StepCall], None]:
    """Notes that a step ran, and then that it can be pushed."""

    def call(name: str, made: StepCall) -> None:
        note(name, made)
        add(name)

    return call


def _seed(home: Home, options: RunOptions, shared: Shared | None) -> int:
    if options.seed is not None:
        return options.seed
    if options.fresh_random:
        return draw_seed()
    own = home.initial_seed()
    return own if shared is None else shared.seed(own)


def _new_folder(home: Home) -> Path:
    """A folder for a new run; its name is the run's id, in UTC, so that ids sort by time everywhere."""
    while True:
        folder = home.runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise StoreError(f"cannot make {folder}: {error.strerror}", hint="look at its permissions") from error
        return folder


def _as_recorded(record: RunRecord, options: RunOptions) -> RunOptions:
    """The options of a recorded run, with those of today that change no value."""
    unknown = [name for name in record.masked if name in record.given and name not in options.parameters]
    if unknown:
        names = ", ".join(f"`{name}`" for name in unknown)
        hint = "give it again with -p, which makes a new run"
        raise UsageError(f"the record of run {record.run} does not keep the value of {names}", hint=hint)
    kept = {name: record.parameters[name] for name in record.given if name not in record.masked}
    masked = {name: options.parameters[name] for name in record.given if name in record.masked}
    folder, kernel = record.surroundings.get("folder"), record.surroundings.get(_KERNEL_GIVEN)
    store = record.surroundings.get(STORE)
    chosen = {name: str(record.surroundings[name]) for name in _CHOSEN if name in record.surroundings}
    return replace(
        options,
        parameters=kept | masked,
        seed=record.seed,
        fresh_random=False,
        kernel=options.kernel or (kernel if isinstance(kernel, str) else None),
        executor=record.executor,
        folder=Path(folder) if isinstance(folder, str) else options.folder,
        first=chosen.get("first"),
        last=chosen.get("last"),
        only=chosen.get("only"),
        name=record.name,
        tags=record.tags,
        note=record.note,
        store=store if isinstance(store, str) else None,
        trackers=options.trackers or trackers_of(record),
    )


def trackers_of(record: RunRecord) -> tuple[str, ...]:
    """The trackers that a recorded run was sent to."""
    names = record.surroundings.get(TRACKERS)
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list | tuple) else ()
