"""The index's tables, as an ordered list of small steps; the version is the number of those that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def _runs(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE runs (
            run TEXT PRIMARY KEY,
            stamp TEXT NOT NULL,
            started REAL NOT NULL,
            status TEXT NOT NULL,
            name TEXT,
            summary TEXT NOT NULL
        ) WITHOUT ROWID
        """
    )


def _runs_by_time(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX runs_by_time ON runs (started DESC, run DESC)")


def _runs_by_name(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX runs_by_name ON runs (name) WHERE name IS NOT NULL")


def _links(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE links (
            sha256 TEXT NOT NULL,
            run TEXT NOT NULL,
            step TEXT NOT NULL,
            made INTEGER NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            reused INTEGER NOT NULL,
            started REAL NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX links_by_content ON links (sha256, made, started)")
    connection.execute("CREATE INDEX links_by_run ON links (run)")
    connection.execute("CREATE INDEX links_by_name ON links (name, started)")
    connection.execute("UPDATE runs SET stamp = ''")  # they are read once more, for their links


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_runs, _runs_by_time, _runs_by_name, _links)
"""Only ever add to the end."""


def version(connection: sqlite3.Connection) -> int:
    """How many migrations were made."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Makes the migrations that are missing, all or none.

    Raises:
        sqlite3.Error: The database is locked, damaged or cannot be written.
    """
    if version(connection) >= len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, migration in enumerate(MIGRATIONS[version(connection) :], start=version(connection) + 1):
            migration(connection)
            connection.execute(f"PRAGMA user_version = {number}")
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
