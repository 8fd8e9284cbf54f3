"""Finds the checkpoint that a training goes on from, and takes over what an earlier one left beside it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.kept import checkpoints, open_checkpoint
from nb2pipe.tracking.training.said import FILE, Said
from nb2pipe.tracking.training.subject import versions
from nb2pipe.tracking.training.writer import BESIDE, TENSORS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from nb2pipe.tracking.training.kept import Told
    from nb2pipe.tracking.training.where import Place

_MOST_FILES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A checkpoint that is whole and still holds.

    Attributes:
        folder: Where it is.
        tensors: Of it, by name.
        data: The rest of it.
    """

    folder: Path
    told: Told
    tensors: dict[str, Any]
    data: dict[str, Any]


def find(place: Place, structure: str, numbers: list[int]) -> Found | None:
    """The last checkpoint that a training can go on from; None where there is none.

    Args:
        place: The training's.
        structure: What its models and optimizers are made of.
        numbers: Of its epochs.
    """
    for folder in place.sources:
        for told in checkpoints(folder):
            if _holds(place, structure, numbers, folder, told) and (found := open_checkpoint(folder, told)) is not None:
                return Found(folder=folder, told=told, tensors=found[0], data=found[1])
    return None


def _holds(place: Place, structure: str, numbers: list[int], folder: Path, told: Told) -> bool:
    one = told.told
    mine = (place.key, structure, versions(), numbers)
    if (one["key"], one["structure"], one["versions"], one["numbers"]) != mine or not one["complete"]:
        return False
    # What comes after the loop in a step may read what the last round bound, so that is done again.
    whole = Said.size_in(folder) >= one["said"]
    return whole and told.place[0] < len(numbers) and all(_state(path) == state for path, state in one["reads"].items())


def adopt(folder: Path, found: Found) -> list[Told]:
    """Takes over what an earlier training left, and drops what came after the checkpoint.

    Args:
        folder: For the checkpoints of the one that goes on.
        found: What it goes on from.

    Returns:
        The checkpoints that are there now.
    """
    kept = [each for each in checkpoints(found.folder) if each.place <= found.told.place]
    if folder != found.folder:
        clear(folder, ())
        shutil.copyfile(found.folder / FILE, folder / FILE)
        kept = [each for each in kept if _taken(found.folder, folder, each.name)]
    clear(folder, {each.name for each in kept})
    return sorted(kept, key=lambda each: each.place)


def clear(folder: Path, kept: Collection[str]) -> None:
    """Removes all files of checkpoints but of those of some names, also such as were half written."""
    for path in sorted(folder.glob("epoch-*")):
        if path.name not in {f"{name}{ending}" for name in kept for ending in (TENSORS, BESIDE)}:
            with suppress(OSError):
                path.unlink()


def reads(seen: dict[str, Any]) -> dict[str, Any]:
    """The files that were read so far, and what tells whether they are the same still; not all of very many."""
    return dict(list(seen.get("reads", {}).items())[:_MOST_FILES])


def _taken(source: Path, target: Path, name: str) -> bool:
    """Whether a checkpoint is in another folder now too; that of another run stays as it is."""
    try:
        for path in _files(source, name):
            try:
                os.link(path, target / path.name)
            except OSError:
                shutil.copyfile(path, target / path.name)
    except OSError:
        return False
    return True


def _files(folder: Path, name: str) -> Iterator[Path]:
    """The tensors first: what is told of them says that they are there."""
    yield folder / f"{name}{TENSORS}"
    yield folder / f"{name}{BESIDE}"


def _state(path: str) -> list[int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # many of them
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ino]
