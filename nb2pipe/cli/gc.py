"""`nb2pipe gc`: deletes what no run needs from the store, and what old runs made."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2pipe.cli.output import shown_path
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.cli.text import one_line, size, table
from nb2pipe.execution.garbage import find_garbage, remove_garbage
from nb2pipe.execution.home import Home, find_home
from nb2pipe.records.index import list_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.cli.session import Session
    from nb2pipe.execution.garbage import Garbage

_EPILOG = """\b
Without --keep and --older-than only that goes which no run needs, such as what runs left that were deleted.

\b
What stays in any case: all that a run with a --name needs, all that a run needs that goes on at this moment,
and the records of all runs with their numbers and notebooks (nb2pipe runs delete RUN deletes one).
A step whose artifacts are deleted runs again when it is wanted. Checkpoints of track.training go with their runs.

\b
Examples:
  nb2pipe gc --dry-run
  nb2pipe gc --keep 10
  nb2pipe gc --older-than 30d --dry-run --json
"""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])")


class Age(click.ParamType[float]):
    """A time span such as `30d`, in seconds."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds of a text."""
        if isinstance(value, (int, float)):
            return float(value)
        found = _AGE.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"`{value}` is no time span: write a number and s, m, h, d or w, such as 30d", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


@click.command("gc", cls=Command, short_help="Delete what no run needs from the store.", epilog=_EPILOG)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted, and how large it is.")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="Delete what runs made that are not among the newest N of their notebook.",
)
@click.option(
    "--older-than",
    "older_than",
    type=Age(),
    metavar="AGE",
    help="Delete what runs made that began longer ago, such as 12h, 30d or 8w; with --keep, only if both hold.",
)
@common
@with_session
def command(session: Session, *, dry_run: bool, keep: int | None, older_than: float | None) -> None:
    """Delete from the store of the home what no run needs, and what old runs made."""
    home = Home(find_home(Path.cwd(), session.home))
    if not home.root.is_dir():
        _tell_nothing(session, home, dry_run=dry_run)
        return
    garbage = find_garbage(home, keep=keep, older_than=older_than, now=time.time())
    removed = None if dry_run else remove_garbage(home, garbage)
    artifacts, gone, keys = (
        (removed.artifacts, removed.size, removed.keys)
        if removed
        else (len(garbage.artifacts), garbage.size, len(garbage.keys))
    )
    if session.json:
        session.emit(_json(garbage, artifacts, gone, keys, dry_run=dry_run), lines=True)
        return
    for line in _rows(garbage, {row.run: row.name or row.pipeline for row in list_runs(home.root)}):
        session.say(line, result=dry_run)
    verb = "would be deleted" if dry_run else "deleted"
    number = f"{artifacts} artifact{'' if artifacts == 1 else 's'}"
    kept = f"{garbage.kept} ({size(garbage.kept_bytes)}) stay"
    number += " and checkpoints" if garbage.checkpoints else ""
    session.say(f"{number} ({size(gone)}) {verb} from {shown_path(home.store)}; {kept}", result=dry_run)


def _rows(garbage: Garbage, names: dict[str, str]) -> Iterator[str]:
    rows = [("RUN", "OF", "SIZE")]
    taken = [run for run in garbage.runs if garbage.by_run[run]]
    rows += [(run, one_line(names.get(run, "")), size(garbage.by_run[run])) for run in taken]
    if "" in garbage.by_run:
        rows.append(("needed by no run", "", size(garbage.by_run[""])))
    if len(rows) > 1:
        yield table(rows) + "\n"


def _json(garbage: Garbage, artifacts: int, gone: int, keys: int, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "artifacts": artifacts,
        "bytes": gone,
        "keys": keys,
        "checkpoints": sum(garbage.checkpoints.values()),
        "kept": {"artifacts": garbage.kept, "bytes": garbage.kept_bytes},
        "runs": [{"run": run, "bytes": garbage.by_run[run]} for run in garbage.runs],
        "no_run": {"bytes": garbage.by_run.get("", 0)},
    }


def _tell_nothing(session: Session, home: Home, *, dry_run: bool) -> None:
    if session.json:
        nothing = {"artifacts": 0, "bytes": 0}
        session.emit({"dry_run": dry_run, **nothing, "keys": 0, "kept": nothing, "runs": [], "no_run": {"bytes": 0}})
    else:
        session.say(f"there is nothing in {shown_path(home.root)}")
