"""`nb2pipe runs`: what is kept of past runs."""

from __future__ import annotations

import os
import shutil
import sys
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nb2pipe import api
from nb2pipe.cli.app import Group
from nb2pipe.cli.arguments import JOBS, PARAMETER, STORE, TRACKER, ParameterCommand, complete_run
from nb2pipe.cli.compared import comparison_text
from nb2pipe.cli.conduct import conduct
from nb2pipe.cli.curves import curve_rows
from nb2pipe.cli.diagnostics import failure_text
from nb2pipe.cli.output import shown_path, write_file
from nb2pipe.cli.parameters import given_values
from nb2pipe.cli.session import CONTEXT, Command, common, current, is_terminal, with_session
from nb2pipe.cli.text import clipped, duration, number, one_line, table
from nb2pipe.codegen.notebooks.page import html
from nb2pipe.errors import RecordsError, UsageError
from nb2pipe.execution.garbage import delete_run
from nb2pipe.execution.home import Home, find_home
from nb2pipe.execution.options import RunOptions
from nb2pipe.execution.shared import shared_runs
from nb2pipe.plugins import names
from nb2pipe.records.codec import run_json
from nb2pipe.records.compare import compare_runs, comparison_json
from nb2pipe.records.files import read_series
from nb2pipe.records.index import find_run, list_runs, reindex, summary_json
from nb2pipe.records.where import by_value, chosen
from nb2pipe.trackers.tensorboard import FOLDER as TENSORBOARD
from nb2pipe.trackers.tracked import push

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.cli.session import Session
    from nb2pipe.records.model import RunRecord, RunSummary

_EPILOG = """\b
RUN is an id, a unique prefix of one, a --name, latest (if none is given) or latest~1.

\b
Examples:
  nb2pipe runs list
  nb2pipe runs show latest
  nb2pipe runs compare
  nb2pipe runs rerun latest
  nb2pipe runs open latest
"""
_LIST_EPILOG = """\b
Examples:
  nb2pipe runs list --sort accuracy --where 'lr < 0.1 and status == "succeeded"'
  nb2pipe runs list --where '"best" in tags or metrics["loss/val"] < 0.2' --sort metrics.loss --reverse
  nb2pipe runs list --json | jq '.[0].metrics'
  nb2pipe runs list --store s3://bucket/team
"""
_COMPARE_EPILOG = """\b
Examples:
  nb2pipe runs compare
  nb2pipe runs compare 20261122-1030 latest --json | jq .first_difference
"""
_RERUN_EPILOG = """\b
Examples:
  nb2pipe runs rerun
  nb2pipe runs rerun 20261122-1030 -p lr 0.1 --name smaller
"""
RUN = click.argument("run", default="latest", metavar="[RUN]", shell_complete=complete_run)
_WIDE = 60
_MOST_DATA = 10
_LAST_CHECKPOINTS = 10


@click.group(
    "runs",
    cls=Group,
    context_settings=CONTEXT,
    short_help="List past runs, show, compare, rerun or delete them.",
    epilog=_EPILOG,
)
@common
def command() -> None:
    """List past runs, show one, compare two, run one again, open its notebook, delete one."""


@command.command("list", cls=Command, epilog=_LIST_EPILOG)
@click.option("--where", metavar="EXPRESSION", help="Only runs for which this holds: metrics, parameters, fields.")
@click.option("--sort", metavar="METRIC", help="By a metric, a parameter or a field such as seconds, largest first.")
@click.option("--reverse", is_flag=True, help="The other way round.")
@STORE
@common
@with_session
def list_command(session: Session, store: str | None, **choice: Any) -> None:
    """List the runs of the home, the newest first; with --store those of all who use the store."""
    home = _home(session)
    known = list_runs(home, tell=session.warn) if store is None else shared_runs(Home(home), store, tell=session.warn)
    rows = _chosen(known, **choice)
    if session.json:
        session.emit([summary_json(row) for row in rows], lines=True)
    elif rows:
        head = ("RUN", "NAME", "STATUS", "STARTED", "TIME", "METRICS", "TAGS")
        session.say(table([head, *(_row(row) for row in rows)]), result=True)
    elif known:
        session.say(f"none of the {len(known)} runs in {store or shown_path(home)} is such a run")
    else:
        session.say(f"there are no runs in {store or shown_path(home)}")


@command.command("show", cls=Command, epilog="\b\nExample:\n  nb2pipe runs show latest --json | jq .parameters")
@RUN
@common
@with_session
def show_command(session: Session, run: str) -> None:
    """Show what is known of RUN, by default the latest: steps, parameters, metrics, commit, machine."""
    home = _home(session)
    record = find_run(home, run)
    if session.json:
        session.emit(run_json(record), lines=True)
    else:
        session.say("\n".join(_shown(session, record, home)), result=True)


@command.command("compare", cls=Command, epilog=_COMPARE_EPILOG)
@click.argument("one", default="latest~1", metavar="[RUN", shell_complete=complete_run)
@click.argument("two", default="latest", metavar="RUN]", shell_complete=complete_run)
@common
@with_session
def compare_command(session: Session, one: str, two: str) -> None:
    """Show where two runs part, by default the last two.

    First comes the first step whose outputs differ, then parameters, code, data, packages and metrics.
    """
    home = _home(session)
    records = find_run(home, one), find_run(home, two)
    first, second = (Home(home).runs / record.run for record in records)
    found = compare_runs(*records, (first, second))
    if session.json:
        session.emit(comparison_json(found), lines=True)
    else:
        session.say(comparison_text(session, found), result=True)


@command.command("push", cls=Command, epilog="\b\nExample:\n  nb2pipe runs push latest --tracker mlflow")
@RUN
@TRACKER
@common
@with_session
def push_command(session: Session, run: str, trackers: Sequence[str]) -> None:
    """Send RUN, by default the latest, to a tracker once more, or for the first time."""
    if not trackers:
        raise UsageError("no tracker is named", hint=f"--tracker NAME; there are: {', '.join(names('trackers'))}")
    home = _home(session)
    record = find_run(home, run)
    for name in dict.fromkeys(trackers):
        push(record, Home(home).runs / record.run, name)
        session.say(f"pushed run {record.run} to {name}")
    if session.json:
        session.emit({"run": record.run, "trackers": list(dict.fromkeys(trackers))})


@command.command("rerun", cls=ParameterCommand, epilog=_RERUN_EPILOG)
@RUN
@PARAMETER
@JOBS
@click.option("--name", metavar="NAME", help="A name for the new run.")
@common
@click.pass_context
def rerun_command(ctx: click.Context, run: str, given: Sequence[str], jobs: int | None, name: str | None) -> None:
    """Run the notebook of RUN, by default the latest, once more as a new run, with what that run was given.

    -p gives parameters other values. Secrets are not kept, so they have to be given again.
    """
    session = current(ctx)
    options = RunOptions(parameters=given_values(given), jobs=jobs, home=session.home, name=name)
    ctx.exit(conduct(session, lambda listeners, cancel: api.rerun(run, options, listeners=listeners, cancel=cancel)))


@command.command("open", cls=Command, epilog="\b\nExample:\n  nb2pipe runs open latest")
@RUN
@click.option("--no-browser", is_flag=True, help="Only make the page, and say where it is.")
@common
@with_session
def open_command(session: Session, run: str, *, no_browser: bool) -> None:
    """Make a page of the executed notebook of RUN, by default the latest, and open it in the browser."""
    home = _home(session)
    record = find_run(home, run)
    notebook = Home(home).runs / record.run / "notebook.ipynb"
    if not notebook.is_file():
        raise RecordsError(f"the run {record.run} has no executed notebook", hint=f"nb2pipe resume {record.run}")
    file = notebook.with_suffix(".html")
    write_file(file, html(notebook))
    if session.json:
        session.emit({"run": record.run, "page": shown_path(file)})
    session.say(shown_path(file), result=not session.json)
    if not no_browser and _has_display():
        webbrowser.open(file.absolute().as_uri())


@command.command("delete", cls=Command, epilog="\b\nExample:\n  nb2pipe runs delete 20261122-1030")
@click.argument("run", metavar="RUN", shell_complete=complete_run)
@common
@with_session
def delete_command(session: Session, run: str) -> None:
    """Delete the record and the notebooks of RUN from the home; nb2pipe gc then deletes what only it needed."""
    home = Home(_home(session))
    found = run if run in _folders(home) else find_run(home.root, run).run  # one that cannot be read can be deleted
    delete_run(home, found)
    shutil.rmtree(home.root / TENSORBOARD / Path(found).name, ignore_errors=True)
    if session.json:
        session.emit({"run": found})
    session.say(f"deleted run {found}; nb2pipe gc deletes from the store what only it needed")


@command.command("reindex", cls=Command, epilog="\b\nExample:\n  nb2pipe runs reindex")
@common
@with_session
def reindex_command(session: Session) -> None:
    """Make the index of the runs anew from their files."""
    found = reindex(_home(session))
    for row in found:
        if row.problem:
            session.warn(f"the run {row.run} cannot be read: {one_line(row.problem)}")
    if session.json:
        session.emit({"runs": len(found)})
    session.say(f"{len(found)} {'run' if len(found) == 1 else 'runs'}")


def _home(session: Session) -> Path:
    return find_home(Path.cwd(), session.home)


def _folders(home: Home) -> frozenset[str]:
    """The runs that have a folder, readable or not."""
    try:
        return frozenset(path.name for path in home.runs.iterdir() if not path.name.startswith("."))
    except OSError:
        return frozenset()


def _has_display() -> bool:
    """Whether there is a screen to open a browser on."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _row(row: RunSummary) -> tuple[str, ...]:
    if row.problem:
        return (row.run, "", "unreadable", "", "", clipped(one_line(row.problem), _WIDE), "")
    return (
        row.run,
        one_line(row.name or ""),
        str(row.status),
        _moment(row.started),
        duration(row.seconds),
        clipped(_metrics(row.metrics), _WIDE),
        one_line(", ".join(row.tags)),
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _metrics(metrics: Mapping[str, float]) -> str:
    return " ".join(f"{one_line(name)}={number(value)}" for name, value in metrics.items())


def _shown(session: Session, record: RunRecord, home: Path) -> Iterator[str]:
    notebook = Home(home).runs / record.run / "notebook.ipynb"
    facts = (
        ("run", record.run),
        ("name", record.name),
        ("status", str(record.status)),
        ("pipeline", f"{record.pipeline} ({shown_path(Path(record.notebook))})"),
        ("started", f"{_moment(record.started)}, took {duration(record.seconds)}"),
        ("user", record.user),
        ("tags", ", ".join(record.tags)),
        ("note", record.note),
        ("seed", str(record.seed)),
        ("executor", f"{record.executor}, kernel {record.kernel}" if record.kernel else record.executor),
        ("git", _commit(record)),
        ("machine", _machine(record)),
        ("notebook", shown_path(notebook) if notebook.is_file() else None),
    )
    yield table([(name, one_line(value)) for name, value in facts if value])
    yield from _section("parameters", {name: repr(value) for name, value in record.parameters.items()})
    yield from _section("metrics", {name: number(value) for name, value in record.metrics.items()})
    yield from _curves(session, record, Home(home).runs / record.run)
    yield from _data(record)
    yield from _checkpoints(record)
    yield from _steps(record)
    for note in record.notes:
        yield f"\n{note.code}: {one_line(note.message)}"
    if record.failure is not None:
        failure = record.failure
        yield "\n" + failure_text(
            failure, shown_path(Path(record.notebook)), None, color=session.colorful(session.people)
        )


def _section(title: str, values: Mapping[str, str]) -> Iterator[str]:
    if values:
        yield f"\n{title}:"
        yield table([(one_line(name), clipped(one_line(text), 100)) for name, text in values.items()], indent="  ")


def _curves(session: Session, record: RunRecord, folder: Path) -> Iterator[str]:
    if not record.series:
        return
    drawn = is_terminal(session.people) and (session.people.encoding or "").lower().startswith("utf")
    yield "\nseries:"
    yield table(curve_rows(read_series(folder), drawn=drawn), indent="  ")


def _data(record: RunRecord) -> Iterator[str]:
    """The versions of data sets that the run took from outside, with the beginnings of their digests."""
    if not record.data:
        return
    yield f"\ndata: {len(record.data)}"
    rows = [
        (one_line(shown_path(Path(each.path))), each.sha256[:12], one_line(each.name or ""))
        for each in record.data[:_MOST_DATA]
    ]
    yield table(rows, indent="  ")


def _checkpoints(record: RunRecord) -> Iterator[str]:
    """The last checkpoints, with the beginnings of their digests."""
    if not record.checkpoints:
        return
    yield f"\ncheckpoints: {len(record.checkpoints)}"
    rows = [
        (
            one_line(shown_path(Path(each.path))),
            "" if each.step is None else f"step {each.step}",
            "" if each.epoch is None else f"epoch {each.epoch}",
            each.sha256[:12],
        )
        for each in record.checkpoints[-_LAST_CHECKPOINTS:]
    ]
    yield table(rows, indent="  ")


def _chosen(rows: Sequence[RunSummary], where: str | None, sort: str | None, *, reverse: bool) -> Sequence[RunSummary]:
    if where is not None:
        rows = chosen(rows, where)
    if sort is not None:
        rows = by_value(rows, sort, ascending=reverse)
    return rows[::-1] if reverse and sort is None else rows


def _steps(record: RunRecord) -> Iterator[str]:
    if record.steps:
        yield "\nsteps:"
        rows = [
            (
                one_line(step.name),
                f"{step.status} ({step.reason})" if step.reason else str(step.status),
                duration(step.seconds) if step.seconds is not None and not step.reason else "",
            )
            for step in record.steps
        ]
        yield table(rows, indent="  ")


def _commit(record: RunRecord) -> str | None:
    git = record.git
    if git is None or git.commit is None:
        return None
    branch = f" on {git.branch}" if git.branch else ""
    return f"{git.commit[:12]}{branch}{', with changes' if git.dirty else ''}"


def _machine(record: RunRecord) -> str:
    machine = record.machine
    memory = f"{machine.memory / 2**30:.1f} GiB" if machine.memory else ""
    gpu = f"{machine.gpus} x {machine.gpu}" if machine.gpu else ""
    words = (machine.host, machine.system, f"{machine.processors} x {machine.processor}", memory, gpu)
    return ", ".join(word for word in words if word)
