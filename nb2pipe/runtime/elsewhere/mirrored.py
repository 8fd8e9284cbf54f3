"""Brings the checkpoints of an earlier attempt from a store to an empty disk."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.records.file_digests import state_of
from nb2pipe.runtime.resuming import DONE as OVER
from nb2pipe.store.place import place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.store.place import Place

SERIES = "series"
"""The folder beside those of the trainings, for what was recorded of them."""
BESIDE = ".json"
"""The ending of what is told of a checkpoint."""
FILES = "contents"
"""What is told of the files that were read: their SHA-256, by paths that hold on another disk, too."""

_GONE = [-1, -1, -1]
"""The state of a file that is no more what it was."""


def fetch(facts: Mapping[str, Any]) -> None:
    """Brings them.

    Raises:
        StoreError: The store cannot be reached.
    """
    to, path = place(facts["url"]), facts["path"]
    folder, series, work = Path(facts["folder"]), Path(facts["series"]), Path(facts["work"])
    for training in to.names(path):
        if OVER in to.names(f"{path}/{training}"):  # it ran to its end: who runs it again wants it anew
            continue
        target = series.with_name(f".{series.name}.before") if training == SERIES else folder / training
        bring(to, f"{path}/{training}", target)
        for each in target.glob(f"epoch-*{BESIDE}"):
            with suppress(OSError, ValueError):
                each.write_text(json.dumps(at_home(json.loads(each.read_bytes()), work)), encoding="utf-8")


def bring(to: Place, path: str, target: Path) -> None:
    """Brings all files of a folder; what is told of a checkpoint comes last."""
    names = to.names(path)
    if names:
        target.mkdir(parents=True, exist_ok=True)
    for name in sorted(names, key=lambda name: name.endswith(BESIDE)):
        to.download(f"{path}/{name}", target / name)


def at_home(told: Mapping[str, Any], work: Path) -> dict[str, Any]:
    """What is told of a checkpoint, where files that were read lie as they were read, on another disk.

    Args:
        told: As it was brought to the store.
        work: The working directory here.
    """
    found = dict(told)
    contents = found.pop(FILES, None)
    if contents is not None:
        found["reads"] = {str(work / path): _state(work / path, digest) for path, digest in contents.items()}
    return found


def _state(path: Path, digest: str | None) -> list[int] | None:
    state = state_of(str(path))
    if state is None:
        return None if digest is None else _GONE
    with suppress(OSError):
        if digest is not None and str(Digest.of_file(path)) == digest:
            return list(state)
    return _GONE
