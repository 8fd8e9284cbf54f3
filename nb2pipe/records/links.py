"""What runs used and made, by content: the part of the index that answers for a SHA-256 without reading any run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.records.data import is_module
from nb2pipe.records.events import StepStatus

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from nb2pipe.records.model import RunRecord, StepRecord

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of nothing: empty files have nothing to do with each other."""

_COLUMNS = "sha256, run, step, made, kind, name, reused, started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A step used or made some content.

    Attributes:
        sha256: The content.
        made: It made it; else it used it.
        kind: `artifact`, `state`, `file`, `module`, `data` or `checkpoint`.
        name: The path of a file; the names of variables.
        reused: The step was not run, since an earlier run's results held.
        started: When the run began.
    """

    sha256: str
    run: str
    step: str
    made: bool
    kind: str
    name: str
    reused: bool = False
    started: float = 0.0


def links_of(record: RunRecord) -> Iterator[Link]:
    """All that the steps of a run used and made; a step that holds others is these."""
    for step in record.steps:
        if not is_outer(step.name, record):
            for sha256, made, kind, name in (*used_by(step), *made_by(step)):
                yield Link(
                    sha256=sha256,
                    run=record.run,
                    step=step.name,
                    made=made,
                    kind=kind,
                    name=name,
                    reused=step.status is StepStatus.REUSED,
                    started=record.started,
                )


def is_outer(step: str, record: RunRecord) -> bool:
    """Whether a step is a nested pipeline, whose own steps stand in the record too."""
    return any(each.name.startswith(f"{step}/") for each in record.steps)


def used_by(step: StepRecord) -> Iterator[tuple[str, bool, str, str]]:
    """What a step used: the SHA-256, that it did not make it, kind and name."""
    for group in step.inputs:
        yield group.digest, False, "artifact", ", ".join(group.names)
    for kind, digest in step.state_used.items():
        yield digest, False, "state", kind
    for file in step.data:
        yield file.sha256, False, "data", file.path
    declared = {(file.path, file.sha256) for file in step.data}
    for path, sha256 in (step.trace.reads if step.trace else {}).items():
        if sha256 is not None and (path, sha256) not in declared:
            yield sha256, False, "module" if is_module(path) else "file", path
    for path, sha256 in (step.trace.brought if step.trace else {}).items():
        yield sha256, False, "file", path


def made_by(step: StepRecord) -> Iterator[tuple[str, bool, str, str]]:
    """What a step made: the SHA-256, that it made it, kind and name."""
    for group in step.outputs:
        yield group.digest, True, "artifact", ", ".join(group.names)
    for kind, digest in step.state.items():
        yield digest, True, "state", kind
    for checkpoint in step.checkpoints:  # those of a step that failed count too
        yield checkpoint.sha256, True, "checkpoint", checkpoint.path
    saved = {(each.path, each.sha256) for each in step.checkpoints}
    for path, file in (step.trace.writes if step.trace else {}).items():
        if (path, file.sha256) not in saved:
            yield file.sha256, True, "file", path


class Links:
    """Asks the index.

    Args:
        connection: The index, up to date.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def maker(
        self, sha256: str, *, before: float | None = None, apart: str = "", path: str | None = None
    ) -> Link | None:
        """The step that made some content: one that ran before one that reused, the newest first.

        A step that only copied it made it at the path that it copied it to, and nowhere else.

        Args:
            sha256: The content.
            before: A run that began later does not count.
            apart: A run that does not count.
            path: Where the content was found; None where that does not count.
        """
        found = self._ask(
            "sha256 = ? AND made AND started <= ? AND run != ? ORDER BY reused, started DESC, run DESC, step",
            (sha256, float("inf") if before is None else before, apart),
        )
        users = {(link.run, link.step) for link in self.used(sha256)} if found else set()
        makers = [link for link in found if (link.run, link.step) not in users]
        copiers = [link for link in found if path is None or link.name == path]
        return next(iter((*makers, *copiers)), None)

    def made(self, sha256: str) -> list[Link]:
        """The steps that made some content, the newest first."""
        return self._ask("sha256 = ? AND made ORDER BY started DESC, run DESC, step", (sha256,))

    def used(self, sha256: str, *, since: float = 0.0) -> list[Link]:
        """The steps that used some content, the oldest first.

        Args:
            sha256: The content.
            since: A run that began earlier does not count.
        """
        return self._ask("sha256 = ? AND NOT made AND started >= ? ORDER BY started, run, step", (sha256, since))

    def beginning_with(self, prefix: str) -> list[str]:
        """The digests of all content that begin so; a few, where there are many."""
        query = "SELECT DISTINCT sha256 FROM links WHERE sha256 >= ? AND sha256 < ? LIMIT 10"
        return [row[0] for row in self._connection.execute(query, (prefix, f"{prefix}g"))]

    def at(self, path: str) -> list[Link]:
        """What steps used or made at a path, the newest first; a few, where there are many."""
        return self._ask("name = ? ORDER BY started DESC, made DESC LIMIT 10", (path,))

    def _ask(self, condition: str, values: Sequence[object]) -> list[Link]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM links WHERE {condition}", tuple(values))  # noqa: S608 - the conditions are ours
        return [
            Link(
                sha256=sha256,
                run=run,
                step=step,
                made=bool(made),
                kind=kind,
                name=name,
                reused=bool(reused),
                started=started,
            )
            for sha256, run, step, made, kind, name, reused, started in rows
        ]


def save(connection: sqlite3.Connection, runs: Iterable[str], links: Iterable[Link]) -> None:
    """Puts the links of some runs in the place of those that are known of them; within a transaction.

    Raises:
        sqlite3.Error: They cannot be written.
    """
    connection.executemany("DELETE FROM links WHERE run = ?", [(run,) for run in runs])
    connection.executemany(
        f"INSERT INTO links ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - the columns are ours
        (
            (link.sha256, link.run, link.step, link.made, link.kind, link.name, link.reused, link.started)
            for link in links
        ),
    )
