"""The index `records.db` over the files of the runs: it saves time, and is never the truth.

A row counts only while its run's `run.json` has the time and size that it was made from; so a row that is missing, old
or lost with the file costs one reading of that run. Without a database that works, all runs are read from their files.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError
from nb2pipe.records.codec import Json, metrics_json, metrics_of
from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import RUN_FILE, read_run
from nb2pipe.records.links import Link, Links, links_of, save
from nb2pipe.records.migrations import MIGRATIONS, migrate, version
from nb2pipe.records.model import RunRecord, RunSummary
from nb2pipe.records.values import decode, encode, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FILE = "records.db"
RUNS = "runs"

_BUSY_SECONDS = 5.0
_LATEST = re.compile(r"latest(?:~(\d{1,9}))?")
_AMBIGUOUS_SHOWN = 10


def _silent(_message: str) -> None:
    """What is told when nobody listens."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A run in the index: `stamp` is the time and size of the `run.json` that it was made from.

    Its links are there where it has just been read.
    """

    summary: RunSummary
    stamp: str
    links: tuple[Link, ...] | None = field(default=None, compare=False)


def add(home: Path, record: RunRecord, *, tell: Callable[[str], None] = _silent) -> None:
    """Puts a run into the index, or what is new of it.

    Args:
        home: The folder `.nb2pipe`.
        record: The run; its files are written.
        tell: Takes a note where the index cannot be used; the run is not lost by that.
    """
    stamp = _stamp(home / RUNS / record.run)
    if stamp is None:
        return
    with _database(home, tell) as connection:
        if connection is not None:
            _save(connection, {record.run: _Row(summary(record), stamp, tuple(links_of(record)))}, (), tell)


def list_runs(home: Path, *, tell: Callable[[str], None] = _silent) -> tuple[RunSummary, ...]:
    """All runs, the newest first; a run whose record cannot be read has a `problem`.

    Args:
        home: The folder `.nb2pipe`; where there is none, there are no runs.
        tell: Takes a note where the index cannot be used.

    Raises:
        RecordsError: The folder of the runs cannot be read.
    """
    stamps = _stamps(home)
    if not stamps:
        return ()
    with _database(home, tell) as connection:
        known = _load(connection) if connection is not None else {}
        rows = {run: _current(home, run, stamp, known.get(run)) for run, stamp in stamps.items()}
        if connection is not None:
            changed = {run: row for run, row in rows.items() if row.links is not None}
            _save(connection, changed, tuple(known.keys() - rows.keys()), tell)
    return tuple(sorted((row.summary for row in rows.values()), key=_newest_first))


@contextlib.contextmanager
def links(home: Path, *, tell: Callable[[str], None] = _silent) -> Iterator[Links]:
    """What all runs used and made, by content.

    Args:
        home: The folder `.nb2pipe`.
        tell: Takes a note where the index cannot be used; then all runs are read.

    Raises:
        RecordsError: The folder of the runs cannot be read.
    """
    told: list[str] = []
    runs = list_runs(home, tell=told.append)
    for text in told:
        tell(text)
    with _database(home, _silent) as connection:
        if connection is not None and runs and not told:
            yield Links(connection)
            return
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        migrate(connection)
        for run, stamp in _stamps(home).items():
            save(connection, (), _current(home, run, stamp, None).links or ())
        yield Links(connection)


def find_run(home: Path, selector: str) -> RunRecord:
    """The run that a user means.

    Args:
        home: The folder `.nb2pipe`.
        selector: An id, a `--name` (the newest run of that name), a unique prefix of an id, `latest`, or `latest~N`
            for the one N runs before.

    Raises:
        RecordsError: There is none, several begin so, or its record cannot be read.
    """
    return read_run(home / RUNS / _resolve(home, selector))


def reindex(home: Path) -> tuple[RunSummary, ...]:
    """Makes the index anew from the files.

    Returns:
        All runs, the newest first, those with a `problem` included.

    Raises:
        RecordsError: The index cannot be written.
    """
    if not home.is_dir():
        return ()
    problems: list[str] = []
    with _database(home, problems.append) as connection:
        if connection is not None:
            with contextlib.suppress(sqlite3.Error), connection:
                connection.execute("DELETE FROM runs")
    runs = list_runs(home, tell=problems.append)
    if problems:
        raise RecordsError(problems[0], hint=f"delete {home / FILE} and try again; all runs are in their files")
    return runs


def summary(record: RunRecord) -> RunSummary:
    """The row of a run."""
    return RunSummary(
        run=record.run,
        status=record.status,
        pipeline=record.pipeline,
        notebook=record.notebook,
        name=record.name,
        tags=record.tags,
        user=record.user,
        parameters=record.parameters,
        metrics=record.metrics,
        started=record.started,
        seconds=record.seconds,
    )


def summary_json(row: RunSummary) -> Json:
    """The row of a run as `nb2pipe runs list --json` prints it."""
    return {
        "run": row.run,
        "name": row.name,
        "status": row.status.value,
        "tags": list(row.tags),
        "pipeline": row.pipeline,
        "notebook": row.notebook,
        "user": row.user,
        "started": row.started,
        "seconds": row.seconds,
        "parameters": {name: plain(value) for name, value in row.parameters.items()},
        "metrics": metrics_json(row.metrics),
        "problem": row.problem,
    }


# -- which run is meant


def is_relative(selector: str) -> bool:
    """Whether a selector means a run by its age, `latest` or `latest~N`, so that no run can have it as its name."""
    return _LATEST.fullmatch(selector) is not None


def _resolve(home: Path, selector: str) -> str:
    if match := _LATEST.fullmatch(selector):
        return _latest(home, int(match[1] or 0))
    runs = _stamps(home)
    if selector in runs:
        return selector
    named = [row.run for row in list_runs(home) if selector and row.name == selector]
    if named:
        return named[0]
    close = sorted(run for run in runs if selector and run.startswith(selector))
    if len(close) == 1:
        return close[0]
    raise _not_one(home, selector, close)


def _latest(home: Path, back: int) -> str:
    runs = [row.run for row in list_runs(home) if row.problem is None]
    if back < len(runs):
        return runs[back]
    if not runs:
        raise RecordsError(f"there are no runs in {home}", hint="nb2pipe run NOTEBOOK makes one")
    there_are = "there is 1 run" if len(runs) == 1 else f"there are {len(runs)} runs"
    raise RecordsError(f"`latest~{back}` goes back too far: {there_are}", hint="nb2pipe runs list")


def _not_one(home: Path, selector: str, close: Sequence[str]) -> RecordsError:
    if not close:
        return RecordsError(f"there is no run `{selector}` in {home}", hint="nb2pipe runs list")
    shown = ", ".join(close[:_AMBIGUOUS_SHOWN]) + (", ..." if len(close) > _AMBIGUOUS_SHOWN else "")
    return RecordsError(f"{len(close)} runs begin with `{selector}`: {shown}", hint="give more of the id")


# -- rows and files


def _newest_first(row: RunSummary) -> tuple[float, tuple[int, ...]]:
    return (-row.started, tuple(-ord(letter) for letter in row.run))


def _stamps(home: Path) -> dict[str, str]:
    """The runs that have files, with the time and size of their `run.json`."""
    try:
        with os.scandir(home / RUNS) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise RecordsError(f"cannot read {home / RUNS}: {error.strerror or error}") from error
    found = ((name, _stamp(home / RUNS / name)) for name in names)
    return {name: stamp for name, stamp in found if stamp is not None}


def _stamp(folder: Path) -> str | None:
    try:
        status = os.stat(f"{folder}/{RUN_FILE}")  # noqa: PTH116 - ten thousand times, and a Path costs more than the call
    except OSError:
        return None
    return f"{status.st_mtime_ns}:{status.st_size}"


def _current(home: Path, run: str, stamp: str, row: _Row | None) -> _Row:
    """The row as the files say; one that says `running` is read again, since its process may have gone."""
    if row is not None and row.stamp == stamp and row.summary.status is not RunStatus.RUNNING:
        return row
    try:
        record = replace(read_run(home / RUNS / run), run=run)
        return _Row(summary(record), stamp, tuple(links_of(record)))
    except RecordsError as error:
        return _Row(RunSummary(run=run, status=RunStatus.INTERRUPTED, problem=error.message), stamp)


def _row_json(row: RunSummary) -> str:
    return json.dumps(
        {
            "run": row.run,
            "status": row.status.value,
            "pipeline": row.pipeline,
            "notebook": row.notebook,
            "name": row.name,
            "tags": list(row.tags),
            "user": row.user,
            "parameters": {name: encode(value) for name, value in row.parameters.items()},
            "metrics": metrics_json(row.metrics),
            "started": row.started,
            "seconds": row.seconds,
        }
    )


def _row_of(text: str) -> RunSummary:
    data = json.loads(text)
    return RunSummary(
        run=data["run"],
        status=RunStatus(data["status"]),
        pipeline=data["pipeline"],
        notebook=data["notebook"],
        name=data["name"],
        tags=tuple(data["tags"]),
        user=data["user"],
        parameters={name: decode(value) for name, value in data["parameters"].items()},
        metrics=metrics_of(data["metrics"]),
        started=data["started"],
        seconds=data["seconds"],
    )


# -- the database


@contextlib.contextmanager
def _database(home: Path, tell: Callable[[str], None]) -> Iterator[sqlite3.Connection | None]:
    """The index, made or mended where it has to be; None where it cannot be used."""
    connection = None
    try:
        connection = _opened(home / FILE)
    except sqlite3.Error as error:
        if _is_damaged(error):
            connection = _made_anew(home / FILE, tell)
        else:
            tell(f"the index {home / FILE} cannot be used ({error}); the runs are read from their files")
    if connection is None:
        yield None
        return
    try:
        yield connection if _is_ours(connection, home, tell) else None
    finally:
        connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        migrate(connection)
        if version(connection) == len(MIGRATIONS):
            connection.execute("SELECT run, stamp, started, status, name, summary FROM runs LIMIT 1").fetchone()
            connection.execute(
                "SELECT sha256, run, step, made, kind, name, reused, started FROM links LIMIT 1"
            ).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_ours(connection: sqlite3.Connection, home: Path, tell: Callable[[str], None]) -> bool:
    if version(connection) <= len(MIGRATIONS):
        return True
    tell(f"a newer nb2pipe made the index {home / FILE}; the runs are read from their files")
    return False


def _is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file is no database any more, or another's; not that it is locked or may not be written."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    return error.sqlite_errorcode in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT}


def _made_anew(path: Path, tell: Callable[[str], None]) -> sqlite3.Connection | None:
    try:
        for ending in ("", "-journal", "-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        connection = _opened(path)
    except (OSError, sqlite3.Error) as error:
        tell(f"the index {path} is damaged and cannot be made anew ({error}); the runs are read from their files")
        return None
    tell(f"the index {path} was damaged, and was made anew from the files of the runs")
    return connection


def _load(connection: sqlite3.Connection) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    with contextlib.suppress(sqlite3.Error):
        for run, stamp, text in connection.execute("SELECT run, stamp, summary FROM runs"):
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                rows[run] = _Row(_row_of(text), stamp)
    return rows


def _save(
    connection: sqlite3.Connection, rows: Mapping[str, _Row], gone: Sequence[str], tell: Callable[[str], None]
) -> None:
    if not rows and not gone:
        return
    values = [
        (run, row.stamp, row.summary.started, row.summary.status.value, row.summary.name, _row_json(row.summary))
        for run, row in rows.items()
    ]
    try:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)", values)
            connection.executemany("DELETE FROM runs WHERE run = ?", [(run,) for run in gone])
            save(connection, [*rows, *gone], (link for row in rows.values() for link in row.links or ()))
    except sqlite3.Error as error:
        tell(f"the index of the runs cannot be written ({error}); the runs are in their files")
