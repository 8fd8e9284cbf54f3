"""The Python interface: load a notebook, run it, look at past runs. The command line goes the same ways."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nb2pipe import plugins
from nb2pipe.codegen.notebooks.executed import assemble
from nb2pipe.codegen.notebooks.page import html as page
from nb2pipe.diagnostics import Report
from nb2pipe.errors import NotebookError, PluginError, RecordsError, UsageError
from nb2pipe.execution import run as running
from nb2pipe.execution.converted import read_converted
from nb2pipe.execution.home import Home, find_home
from nb2pipe.execution.options import RunOptions
from nb2pipe.notebook.secret_defaults import without_secret_defaults
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.pipeline.model import Pipeline
from nb2pipe.records import index
from nb2pipe.records.checks.nb690_page_not_made import page_not_made
from nb2pipe.records.checks.nb691_index_not_used import index_not_used
from nb2pipe.records.files import read_run, step_path, write_atomically
from nb2pipe.results import Run, RunResult, pandas_here
from nb2pipe.trackers.tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.execution.model import Executor, Package, RunEnd
    from nb2pipe.records.events import Event
    from nb2pipe.records.files import RunRecord
    from nb2pipe.targets.model import Bundle
    from nb2pipe.verification.model import Verification

    Listener = Callable[[Event], None]

_OPTIONS = frozenset(
    {
        "executor",
        "seed",
        "jobs",
        "home",
        "kernel",
        "folder",
        "name",
        "tags",
        "note",
        "output",
        "keep_going",
        "force",
        "fresh_random",
        "no_cache",
        "since",
        "until",
        "only",
        "store",
        "trackers",
        "listeners",
    }
)


# -- notebooks and runs


def load(path: str | Path) -> Pipeline:
    """The pipeline that a notebook is. Nothing of it is executed.

    Args:
        path: An `.ipynb`, or a jupytext `.py`.

    Raises:
        UsageError: There is no such file.
        NotebookError: It cannot be read, or has errors; `report` holds all diagnostics.
    """
    pipeline = compile_notebook(Path(path))
    if errors := pipeline.report.errors:
        number = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        listed = "".join(f"\n{_diagnostic(each)}" for each in errors)
        raise NotebookError(f"{path} has {number}:{listed}", hint=f"nb2pipe check {path}", report=pipeline.report)
    return pipeline


def run(  # noqa: PLR0913  # options of a run, each by its name
    pipeline: Pipeline | str | Path,
    *,
    parameters: Mapping[str, object] | None = None,
    executor: str | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    home: str | Path | None = None,
    kernel: str | None = None,
    folder: str | Path | None = None,
    name: str | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    output: str | Path | None = None,
    keep_going: bool = False,
    fresh_random: bool = False,
    force: bool = False,
    no_cache: bool = False,
    since: str | None = None,
    until: str | None = None,
    only: str | None = None,
    store: str | None = None,
    trackers: Sequence[str] = (),
    listeners: Sequence[Listener] = (),
    **values: object,
) -> RunResult:
    """Runs a pipeline, each step in a kernel of its own; in Jupyter too.

    Args:
        pipeline: A pipeline, the path of a notebook, or a converted directory, whose modules are run as they stand.
        parameters: Values of parameters, by name; needed for a parameter that has the name of an option.
        executor: What runs a step; by default `papermill`, and `subprocess` for a converted directory.
        seed: The initial state of random, NumPy and torch; by default the home's.
        jobs: How many steps may run at the same time; by default as many as there are processors.
        home: The folder `.nb2pipe`; by default searched upward from the notebook.
        kernel: By default the notebook's.
        folder: The folder in which the steps run; by default the notebook's, or the converted directory itself where
            the notebook is not there any more.
        name: A name for the run.
        tags: Words to find the run by.
        note: A note that is kept with the run.
        output: Where a copy of the executed notebook is wanted.
        keep_going: A step that fails stops only what depends on it.
        fresh_random: Draws the initial random state anew.
        force: Runs all steps again, and keeps what they make for later runs.
        no_cache: Takes nothing of earlier runs, and leaves nothing for later ones.
        since: Only this step and what follows from it runs; what it follows from is taken from earlier runs.
        until: Only this step and what it follows from runs.
        only: Only this step runs.
        store: The URL of a store that others use too, such as `s3://BUCKET/PREFIX` or a folder.
        trackers: The names of those that the run is sent to, such as `mlflow` or `tensorboard`.
        listeners: Take the events of the run as they come.
        **values: Values of parameters, as in `lr=0.1`.

    Returns:
        How it ended; a step that failed is `error`, not an exception.

    Raises:
        UsageError: A parameter or an option is wrong. Nothing was run.
        NotebookError: The notebook has errors. Nothing was run.
        PluginError: The executor is missing or broken.
        StoreError: The home cannot be written; or the run ended, but not all of it could be brought to the `store`.
        RecordsError: The record cannot be written.
    """
    pipeline, package = _to_run(pipeline)
    options = RunOptions(
        parameters=_values(pipeline, parameters or {}, values),
        jobs=jobs,
        kernel=kernel,
        folder=_path(folder),
        home=_path(home),
        seed=seed,
        fresh_random=fresh_random,
        executor=executor or default_executor(package),
        package=package,
        name=name,
        tags=tuple(tags),
        note=note,
        output=_path(output),
        keep_going=keep_going,
        force=force,
        no_cache=no_cache,
        first=since,
        last=until,
        only=only,
        store=store,
        trackers=tuple(trackers),
    )
    _check_ambiguous(pipeline, parameters or {}, options)
    end = start(pipeline, options, listeners=listeners)
    if end.unpushed is not None:
        raise end.unpushed
    return RunResult(record=read_run(end.folder), folder=end.folder)


def verify(  # noqa: PLR0913  # options of a run, each by its name
    pipeline: Pipeline | str | Path,
    *,
    parameters: Mapping[str, object] | None = None,
    package: str | Path | None = None,
    executor: str | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    home: str | Path | None = None,
    listeners: Sequence[Listener] = (),
    **values: object,
) -> Verification:
    """Runs a notebook straight and as a pipeline, both in the notebook's folder, and compares values and outputs.

    Args:
        pipeline: A pipeline, the path of a notebook, or a converted directory.
        parameters: As in `run`.
        package: The converted directory whose modules are compared with the notebook.
        executor: As in `run`.
        seed: As in `run`; it is set on both sides.
        jobs: As in `run`.
        home: As in `run`.
        listeners: Take the events of the pipeline run as they come.
        **values: Values of parameters, as in `lr=0.1`.

    Returns:
        What was found; a difference is no exception.

    Raises:
        Nb2pipeError: As `run` says.
    """
    pipeline, found = _to_run(pipeline)
    if package is not None:
        found = package_of(pipeline, Path(package))
    options = RunOptions(
        parameters=_values(pipeline, parameters or {}, values),
        jobs=jobs,
        home=_path(home),
        seed=seed,
        executor=executor or default_executor(found),
        package=found,
    )
    return start_verify(pipeline, options, listeners=listeners)


def emit(  # noqa: PLR0913  # options of a conversion, each by its name
    pipeline: Pipeline | str | Path,
    *,
    target: str = "python",
    folder: str | Path | None = None,
    types_from: str | None = None,
    include: Sequence[str] = (),
    image: str | None = None,
    templates: str | Path | None = None,
    mode: str = "module",
    operator: str | None = None,
    schedule: str | None = None,
    timezone: str | None = None,
    home: str | Path | None = None,
) -> Bundle:
    """What `nb2pipe convert` would write: nothing is written, and nothing of the notebook is executed.

    Args:
        pipeline: A pipeline, or the path of a notebook.
        target: What it is for.
        folder: Where the bundle is to lie, which it refers to the notebook from; by default `NAME_pipeline`, here.
        types_from: A run whose types annotate the functions; as in `open_run`.
        include: Patterns of files to take over, relative to the notebook.
        image: What the Dockerfile begins with; by default the notebook's, else a slim Python.
        templates: A folder whose templates win over those of nb2pipe.
        mode: `module` or `notebook`: what the platform runs for a step.
        operator: What runs a step there, where the target has a choice.
        schedule: Five fields of cron, instead of the notebook's.
        timezone: The zone of the schedule, such as `Europe/Berlin`.
        home: The folder `.nb2pipe`; by default searched upward from the notebook.

    Raises:
        UsageError: There is no such target, or an option is wrong.
        NotebookError: The notebook has errors; `report` holds all diagnostics.
        ConversionError: Modules cannot hold what it does, `report` says why; or a template does not work.
        PluginError: The target is broken.
        RecordsError: There is no such run.
    """
    from nb2pipe.bundles import emit as conversion  # noqa: PLC0415 - runs do without
    from nb2pipe.bundles.flags import mode_of  # noqa: PLC0415 - as above
    from nb2pipe.targets.model import Flags  # noqa: PLC0415 - as above

    pipeline = pipeline if isinstance(pipeline, Pipeline) else load(pipeline)
    wishes = conversion.Wishes(
        target=target,
        folder=_path(folder),
        flags=Flags(
            image=image,
            include=tuple(include),
            mode=mode_of(mode),
            operator=operator,
            schedule=schedule,
            timezone=timezone,
        ),
        templates=_path(templates),
        types={} if types_from is None else _types(types_from, pipeline, _path(home)),
    )
    return conversion.emit(pipeline, wishes)


def _types(selector: str, pipeline: Pipeline, home: Path | None) -> Mapping[str, str]:
    from nb2pipe.bundles.types import types_of_run  # noqa: PLC0415 - as above

    root = find_home(Path(pipeline.notebook.path).absolute().parent, home)
    return types_of_run(index.find_run(root, selector), pipeline)


def runs(*, home: str | Path | None = None) -> pd.DataFrame:
    """Past runs as a table, the newest first: run, name, status, start, seconds, `parameters.*`, `metrics.*`.

    Args:
        home: The folder `.nb2pipe`; by default searched upward from the working directory.

    Raises:
        UsageError: pandas is not installed.
        RecordsError: The records cannot be read.
    """
    pandas = pandas_here()
    rows = [row for row in index.list_runs(find_home(Path.cwd(), _path(home))) if row.problem is None]
    table: dict[str, Any] = {
        "run": [row.run for row in rows],
        "name": [row.name for row in rows],
        "status": [row.status.value for row in rows],
        "start": pandas.to_datetime([row.started for row in rows], unit="s", utc=True),
        "seconds": [row.seconds for row in rows],
    }
    for kind in ("parameters", "metrics"):
        names = dict.fromkeys(name for row in rows for name in getattr(row, kind))
        table |= {f"{kind}.{name}": [getattr(row, kind).get(name) for row in rows] for name in names}
    frame: pd.DataFrame = pandas.DataFrame(table)
    return frame


def open_run(selector: str = "latest", *, home: str | Path | None = None) -> Run:
    """A past run.

    Args:
        selector: An id, a unique prefix of one, a run's name, `latest`, or `latest~1` for the one before.
        home: The folder `.nb2pipe`; by default searched upward from the working directory.

    Raises:
        RecordsError: There is none, several begin so, or its record cannot be read.
    """
    root = find_home(Path.cwd(), _path(home))
    record = index.find_run(root, selector)
    return Run(record=record, folder=Home(root).runs / record.run)


# -- for the command line


def start(
    pipeline: Pipeline,
    options: RunOptions,
    *,
    listeners: Sequence[Listener] = (),
    cancel: threading.Event | None = None,
) -> RunEnd:
    """Runs a pipeline, and keeps what is left to keep: its row in the index, and pages of steps that want one.

    Args:
        pipeline: The pipeline.
        options: How it is to be run.
        listeners: Take the events as they come.
        cancel: Once set, the run ends as interrupted.

    Raises:
        Nb2pipeError: As `run` says.
    """
    executor = check_executor(pipeline, options)

    def begin(all_listeners: Sequence[Listener]) -> RunEnd:
        return running.run(
            pipeline, options, executor=executor, assemble=_assemble, listeners=all_listeners, cancel=cancel
        )

    root = find_home(Path(pipeline.notebook.path), options.home)
    return _conducted(pipeline, begin, options.trackers, root, listeners, cancel)


def start_verify(
    pipeline: Pipeline,
    options: RunOptions,
    *,
    listeners: Sequence[Listener] = (),
    tell: Callable[[str], None] = lambda _text: None,
    cancel: threading.Event | None = None,
) -> Verification:
    """Compares a straight run with a pipeline run.

    Args:
        pipeline: The pipeline.
        options: How it is to be run.
        listeners: Take the events of the pipeline run as they come.
        tell: Takes what goes on in the straight run.
        cancel: Once set, all stops.

    Raises:
        Nb2pipeError: As `run` says.
    """
    from nb2pipe.verification.conduct import verify as compare  # noqa: PLC0415 - runs do without

    stop = cancel or threading.Event()
    check_executor(pipeline, options)

    def begin(chosen: Pipeline, how: RunOptions, listener: Listener) -> RunEnd:
        return start(chosen, how, listeners=(*listeners, listener), cancel=stop)

    return compare(pipeline, options, begin=begin, tell=tell, cancel=stop)


def package_of(pipeline: Pipeline, folder: Path) -> Package:
    """The package of a converted directory, once it is known to be of this notebook.

    Raises:
        UsageError: It is no converted directory, or was made from other cells.
        NotebookError: It is damaged.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="--package takes a folder that `nb2pipe convert` made")
    converted = read_converted(folder)
    theirs, ours = converted.pipeline.notebook, without_secret_defaults(pipeline.notebook)
    if [(cell.source, cell.raw_tags) for cell in theirs.cells] != [(cell.source, cell.raw_tags) for cell in ours.cells]:
        message = f"{folder} was made from another state of {ours.path}"
        raise UsageError(message, hint="convert the notebook again, or give DIR itself instead of the notebook")
    return converted.package


def resume(
    selector: str,
    options: RunOptions,
    *,
    listeners: Sequence[Listener] = (),
    cancel: threading.Event | None = None,
) -> RunEnd:
    """Goes on with a run, with the notebook as it stands now; with parameters it is a new run.

    Args:
        selector: Which run; as in `open_run`.
        options: What is given anew. All that decides on values is as the run was given it.
        listeners: Take the events as they come.
        cancel: Once set, the run ends as interrupted.

    Raises:
        RecordsError: There is no such run.
        Nb2pipeError: As `run` says.
    """
    root = find_home(Path.cwd(), options.home)
    record = index.find_run(root, selector)
    pipeline, options = _once_more(record, root, options)
    if options.parameters:
        return start(pipeline, _as_new(record, options), listeners=listeners, cancel=cancel)
    executor = check_executor(pipeline, options)

    def begin(all_listeners: Sequence[Listener]) -> RunEnd:
        return running.resume(
            record, pipeline, options, executor=executor, assemble=_assemble, listeners=all_listeners, cancel=cancel
        )

    return _conducted(pipeline, begin, running.trackers_of(record), root, listeners, cancel)


def rerun(
    selector: str,
    options: RunOptions,
    *,
    listeners: Sequence[Listener] = (),
    cancel: threading.Event | None = None,
) -> RunEnd:
    """Runs what a run ran once more, as a new run, with the notebook as it stands now.

    Args:
        selector: Which run; as in `open_run`.
        options: What is given anew; all else that decides on values is as the run was given it.
        listeners: Take the events as they come.
        cancel: Once set, the run ends as interrupted.

    Raises:
        RecordsError: There is no such run.
        UsageError: A secret that the record does not keep is not given.
        Nb2pipeError: As `run` says.
    """
    root = find_home(Path.cwd(), options.home)
    record = index.find_run(root, selector)
    pipeline, options = _once_more(record, root, options)
    return start(pipeline, _as_new(record, options), listeners=listeners, cancel=cancel)


def default_executor(package: Package | None) -> str:
    """The executor where the user names none."""
    return "papermill" if package is None else "subprocess"


def check_executor(pipeline: Pipeline, options: RunOptions) -> Executor:
    """The executor of a run, once it is known that it can run the pipeline.

    Raises:
        UsageError: There is none of that name, or it cannot run modules.
        PluginError: It is broken.
        NotebookError: The pipeline holds what it cannot run; the report says where.
    """
    executor = _executor(options.executor)
    if options.package is not None:
        if not getattr(executor, "runs_packages", False):
            message = f"the executor `{options.executor}` runs notebooks, not the modules of a converted directory"
            raise UsageError(message, hint="leave --executor out, or give the notebook")
        return executor
    if pipeline.report.errors or not hasattr(executor, "check"):  # the run tells of these itself
        return executor
    report = Report.of(pipeline.report, executor.check(pipeline))
    if report.errors:
        message = f"{pipeline.notebook.path} cannot be run by the executor `{options.executor}`"
        raise NotebookError(message, hint="nb2pipe run without --executor runs it in kernels", report=report)
    return executor


# -- how it is done


def _assemble(folder: Path, pipeline: Pipeline) -> None:
    assemble(folder, pipeline)


def _to_run(given: Pipeline | str | Path) -> tuple[Pipeline, Package | None]:
    """A pipeline, and where a converted directory was given its package."""
    if isinstance(given, Pipeline):
        return given, None
    if not Path(given).is_dir():
        return load(given), None
    converted = read_converted(Path(given))
    return converted.pipeline, converted.package


def _once_more(record: RunRecord, root: Path, options: RunOptions) -> tuple[Pipeline, RunOptions]:
    """What a recorded run ran, and how."""
    directory = record.surroundings.get(running.PACKAGE)
    pipeline, package = _as_recorded(record.notebook, directory if isinstance(directory, str) else None)
    return pipeline, replace(options, home=root, executor=record.executor, package=package)


def _as_recorded(notebook: str, directory: str | None) -> tuple[Pipeline, Package | None]:
    """What a recorded run ran, as it stands now."""
    if directory is None:
        return compile_notebook(Path(notebook)), None
    converted = read_converted(Path(directory))
    return converted.pipeline, converted.package


def _executor(name: str) -> Executor:
    factory = plugins.load("executors", name)
    try:
        made = cast("Callable[[], Executor]", factory)()
    except Exception as cause:
        raise PluginError(f"the executor `{name}` cannot be made: {cause}") from cause
    if not callable(getattr(made, "run_step", None)):
        raise PluginError(f"the executor `{name}` has no `run_step`")
    return made


def _conducted(  # a run with all that goes on beside it
    pipeline: Pipeline,
    begin: Callable[[Sequence[Listener]], RunEnd],
    trackers: Sequence[str],
    root: Path,
    listeners: Sequence[Listener],
    cancel: threading.Event | None,
) -> RunEnd:
    """Makes a run, with its trackers, and keeps what is left to keep."""
    tracked = Tracked(trackers, root / index.RUNS)
    try:
        end = begin(tracked.listeners(listeners))
    except BaseException:
        tracked.abandon()
        raise
    tracked.finish(end.folder, listeners, cancel)
    _conclude(pipeline, end, listeners)
    return end


def _conclude(pipeline: Pipeline, end: RunEnd, listeners: Sequence[Listener]) -> None:
    """Keeps what can be made anew at any time; so what fails here is told, and is no failure of the run."""

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    with contextlib.suppress(RecordsError):  # then `runs list` tells of it
        home = end.folder.parent.parent
        index.add(home, read_run(end.folder), tell=lambda text: tell(index_not_used(text, time=time.time())))
    for step in _reported(pipeline):
        notebook = step_path(end.folder, step, ".ipynb")
        if notebook.exists():
            try:
                text = page(notebook)
                write_atomically(notebook.with_suffix(".html"), text.encode("utf-8", "replace"))
            except Exception as error:  # noqa: BLE001  # nbconvert meets whatever an author's output holds
                tell(page_not_made(step, error, time=time.time()))


def _reported(pipeline: Pipeline, outer: str = "") -> Iterator[str]:
    """The steps whose notebooks are kept as pages, those of nested pipelines included."""
    for step in pipeline.steps:
        if step.report:
            yield f"{outer}{step.name}"
        if step.nested is not None:
            yield from _reported(step.nested, f"{outer}{step.name}/")


def _as_new(record: RunRecord, options: RunOptions) -> RunOptions:
    """A new run that was given what a recorded one was, but for the parameters given now."""
    kept = {name: record.parameters[name] for name in record.given if name not in record.masked}
    missing = [name for name in record.given if name in record.masked and name not in options.parameters]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise UsageError(f"the record of run {record.run} does not keep the value of {names}", hint="give it with -p")
    folder, store = record.surroundings.get("folder"), record.surroundings.get(running.STORE)
    return replace(
        options,
        parameters=kept | dict(options.parameters),
        seed=record.seed,
        executor=record.executor,
        folder=Path(folder) if isinstance(folder, str) else options.folder,
        tags=options.tags or record.tags,
        note=options.note or record.note,
        store=store if isinstance(store, str) else None,
        trackers=options.trackers or running.trackers_of(record),
    )


def _values(pipeline: Pipeline, parameters: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    twice = sorted(parameters.keys() & values.keys())
    if twice:
        raise UsageError(f"the parameter `{twice[0]}` is given twice", hint="by its name or in `parameters`, not both")
    known = {parameter.name for parameter in pipeline.parameters}
    for name in values.keys() - known:
        close = plugins.suggestion(name, sorted(_OPTIONS))
        if close and not plugins.suggestion(name, sorted(known)):
            raise UsageError(f"there is no parameter and no option `{name}`", hint=f"did you mean `{close}`?")
    return {**parameters, **values}


def _check_ambiguous(pipeline: Pipeline, parameters: Mapping[str, object], options: RunOptions) -> None:
    """An option that is given, and that a parameter has the name of: which of the two is meant has to be said."""
    default = RunOptions(executor=default_executor(options.package))
    for parameter in pipeline.parameters:
        name = parameter.name
        given = name in _OPTIONS and getattr(options, name, None) != getattr(default, name, None)
        if given and name not in parameters:
            message = f"`{name}` is an option of `run`, and a parameter of the notebook too"
            raise UsageError(message, hint=f'give the parameter as parameters={{"{name}": ...}}')


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _diagnostic(diagnostic: Diagnostic) -> str:
    place = diagnostic.location
    words = [f"cell {place.position}" if place.position else "", f"line {place.line}" if place.line else ""]
    where = ", ".join(word for word in words if word)
    hint = f" (hint: {diagnostic.hint})" if diagnostic.hint else ""
    return f"  {diagnostic.code}{f', {where}' if where else ''}: {diagnostic.message}{hint}"
