"""What trainings left in a home that may go: checkpoints of runs that count no more, and what leads to none."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from nb2pipe.runtime.resuming import CHECKPOINTS, UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from nb2pipe.execution.home import Home


def checkpoint_sizes(home: Home, runs: Iterable[str]) -> dict[str, int]:
    """The bytes of the checkpoints of some runs, by run; those that have none are left out."""
    found = {run: sum(_sizes(home.runs / run / CHECKPOINTS)) for run in runs}
    return {run: size for run, size in found.items() if size}


def dead_notes(home: Home, gone: Collection[str]) -> list[Path]:
    """The files on steps that did not end which lead to no checkpoints any more.

    Args:
        home: The home.
        gone: Runs whose checkpoints go.
    """
    return [note for note in sorted((home.root / UNFINISHED).glob("*")) if not _leads(home, note, gone)]


def remove_checkpoints(home: Home, sizes: Mapping[str, int]) -> int:
    """Deletes the checkpoints of runs; the bytes that went."""
    for run in sizes:
        shutil.rmtree(home.runs / run / CHECKPOINTS, ignore_errors=True)
    return sum(size for run, size in sizes.items() if not (home.runs / run / CHECKPOINTS).exists())


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                yield path.stat().st_size


def _leads(home: Home, note: Path, gone: Collection[str]) -> bool:
    """Whether a note names checkpoints that are there: a folder a line, or the run of a plain notebook or script."""
    try:
        lines = note.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return True  # somebody else's, or gone by now
    dropped = {str((home.runs / run).resolve()) for run in gone}
    for line in lines:
        folder = home.runs.joinpath(line).resolve()  # a path stays what it is
        within = {str(each) for each in (folder, *folder.parents)}
        if folder.is_dir() and not within & dropped:
            return True
    return False
