"""What of a home may be deleted: marked from the records of the runs that count, and swept from the store.

The records stay: what a run was, its numbers and its executed notebook are small. Artifacts go, and with them the
possibility to take a step's results instead of running it; so do checkpoints, and the possibility to go on from them.
"""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError, StoreError
from nb2pipe.execution.home import only_here
from nb2pipe.execution.left_checkpoints import checkpoint_sizes, dead_notes, remove_checkpoints
from nb2pipe.execution.needs import Needs
from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import RUN_FILE, read_run, write_atomically
from nb2pipe.records.index import list_runs
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.digest import Digest
    from nb2pipe.execution.home import Home
    from nb2pipe.records.model import RunRecord

_DELETED = ".deleted-"
_EARLIER = 60 * 10**9
"""Nanoseconds before its record says that it began in which a run may have looked at stored results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """What may be deleted.

    Attributes:
        runs: The runs whose artifacts may go, the newest first.
        artifacts: What may go, with its size in bytes.
        by_run: How many bytes would go with each run, counted with the newest that has them; empty for those of no run.
        kept: How many artifacts stay, and `kept_bytes` how large they are.
        keys: Files of keys, each with the lines that would stay.
        unused_since: What was written or used since, in nanoseconds, stays in any case.
        checkpoints: How many bytes of checkpoints go with each run that has some.
        notes: Files on steps that did not end, which lead to no checkpoints.
    """

    runs: tuple[str, ...]
    artifacts: Mapping[Digest, int]
    by_run: Mapping[str, int]
    kept: int
    kept_bytes: int
    keys: Mapping[Path, Sequence[str]]
    unused_since: int
    checkpoints: Mapping[str, int]
    notes: Sequence[Path]

    @property
    def size(self) -> int:
        """The bytes of all that may go."""
        return sum(self.artifacts.values()) + sum(self.checkpoints.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was deleted: artifacts, keys, and the bytes of all, half-written files and checkpoints included."""

    artifacts: int
    size: int
    keys: int


def find_garbage(home: Home, *, keep: int | None, older_than: float | None, now: float) -> Garbage:
    """What may be deleted from a home; nothing is changed.

    What no run needs may always go. Of the runs that ended, those go that are not among the newest `keep` of their
    notebook and began more than `older_than` seconds ago, as far as each is given; never one that has a name.

    Raises:
        StoreError: The store cannot be read, or lies outside of the home.
        RecordsError: A record cannot be read, so that nobody knows what it needs.
    """
    if home.store.is_dir() and home.root.resolve() not in home.store.resolve().parents:
        hint = "it may belong to others too; what is in it can only be deleted by hand"
        raise StoreError(f"the store {home.store} lies outside of the home", hint=hint)
    store = LocalStore(home.store)
    began = store.now()
    records = _records(home)
    owed = {marker.name for marker in home.shared.glob("*/owed/*")}  # not yet where others wait for them
    wanted = [record for record in records if record.run not in owed]
    expendable = {record.run for record in _expendable(wanted, keep, older_than, now)}
    goes_on = [int(each.started * 1e9) - _EARLIER for each in records if each.status is RunStatus.RUNNING]
    needs = Needs(store)
    needed = {digest for each in records if each.run not in expendable for digest in needs.of_run(each)}
    sizes = dict(store.sizes())
    artifacts = {digest: size for digest, size in sizes.items() if digest not in needed}
    checkpoints = checkpoint_sizes(home, expendable)
    by_run = _by_run((each for each in records if each.run in expendable), artifacts, needs)
    return Garbage(
        runs=tuple(record.run for record in records if record.run in expendable),
        artifacts=artifacts,
        by_run={run: size + checkpoints.get(run, 0) for run, size in by_run.items()},
        kept=len(sizes) - len(artifacts),
        kept_bytes=sum(sizes.values()) - sum(artifacts.values()),
        keys=dict(_dead_keys(home, _left(records, needs), sizes.keys() - artifacts.keys())),
        unused_since=min([began, *goes_on]),
        checkpoints=checkpoints,
        notes=dead_notes(home, checkpoints),
    )


def remove_garbage(home: Home, garbage: Garbage) -> Removed:
    """Deletes what was found, but for what somebody wrote or used since; a crash at any moment leaves the store whole.

    Raises:
        StoreError: The store cannot be written.
    """
    store = LocalStore(home.store)
    keys = sum(_prune(file, lines, garbage.unused_since) for file, lines in garbage.keys.items())
    gone = [
        size for digest, size in garbage.artifacts.items() if store.remove(digest, unused_since=garbage.unused_since)
    ]
    left = store.remove_unfinished(unused_since=garbage.unused_since)
    left += remove_checkpoints(home, garbage.checkpoints)
    for note in garbage.notes:
        note.unlink(missing_ok=True)
    for folder in home.runs.glob(f"{_DELETED}*"):
        shutil.rmtree(folder, ignore_errors=True)
    return Removed(artifacts=len(gone), size=sum(gone) + left, keys=keys)


def delete_run(home: Home, run: str) -> None:
    """Deletes a run from the home: its record, its notebooks. Its artifacts go with the next `gc`.

    Raises:
        UsageError: The run still goes on.
        RecordsError: It cannot be deleted; then it is as it was.
    """
    folder, aside = home.runs / run, home.runs / f"{_DELETED}{run}"
    with only_here(folder):
        try:
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)  # at once, so that no half of a record is ever read
        except OSError as error:
            hint = "look at the permissions of the folder"
            raise RecordsError(f"cannot delete {folder}: {error.strerror or error}", hint=hint) from error
    shutil.rmtree(aside, ignore_errors=True)


def _left(records: Iterable[RunRecord], needs: Needs) -> dict[tuple[str, str], tuple[str, frozenset[Digest]]]:
    """The key of each finished step, and what it left, by its run and name."""
    return {
        (record.run, step.name): (step.key, frozenset(needs.left_by(step)))
        for record in records
        for step in record.steps
        if step.finished
    }


def _records(home: Home) -> list[RunRecord]:
    """All runs, the newest first."""
    rows = list_runs(home.root)
    for row in rows:
        if row.problem:
            hint = (
                f"what it needs is not known, so nothing is deleted; if it is not wanted: nb2pipe runs delete {row.run}"
            )
            raise RecordsError(f"the record of run {row.run} cannot be read: {row.problem}", hint=hint)
    found: list[RunRecord] = []
    for row in rows:
        if (home.runs / row.run / RUN_FILE).exists():  # somebody may delete it at this moment
            found.append(read_run(home.runs / row.run))  # noqa: PERF401  # with the comment above
    return found


def _expendable(
    records: Sequence[RunRecord], keep: int | None, older_than: float | None, now: float
) -> Iterator[RunRecord]:
    if keep is None and older_than is None:
        return
    seen: Counter[str] = Counter()
    for record in records:
        seen[record.notebook] += 1
        among_newest = keep is not None and seen[record.notebook] <= keep
        young = older_than is not None and now - record.started <= older_than
        if not (among_newest or young or record.name or record.status is RunStatus.RUNNING):
            yield record


def _by_run(records: Iterable[RunRecord], artifacts: Mapping[Digest, int], needs: Needs) -> dict[str, int]:
    counted: set[Digest] = set()
    sizes: dict[str, int] = {}
    for record in records:
        own = {digest for digest in needs.of_run(record) if digest in artifacts} - counted
        sizes[record.run] = sum(artifacts[digest] for digest in own)
        counted |= own
    rest = sum(size for digest, size in artifacts.items() if digest not in counted)
    return {**sizes, "": rest} if rest else sizes


def _dead_keys(
    home: Home, steps: Mapping[tuple[str, str], tuple[str, frozenset[Digest]]], staying: Iterable[Digest]
) -> Iterator[tuple[Path, Sequence[str]]]:
    """The files of keys with lines that lead to no results any more, each with the others."""
    there = frozenset(staying)
    for file in sorted(home.keys.glob("??/*")):
        with suppress(OSError, ValueError):
            lines = file.read_text(encoding="utf-8").splitlines()
            live = []
            for line in lines:
                run, _, name = line.partition(" ")
                key, needs = steps.get((run, name), ("", frozenset()))
                if key == file.parent.name + file.name and needs <= there:
                    live.append(line)
            if live != lines:
                yield file, live


def _prune(file: Path, lines: Sequence[str], unused_since: int) -> bool:
    """Leaves only some lines of a file of a key, unless a run has just written to it."""
    try:
        if file.stat().st_ctime_ns >= unused_since:
            return False
        if lines:
            write_atomically(file, "".join(f"{line}\n" for line in lines).encode(), durable=False)
        else:
            file.unlink()
    except OSError:
        return False
    return True
