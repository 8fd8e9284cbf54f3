"""Where a step keeps the checkpoints of its trainings, and which of an earlier run it may go on from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nb2pipe.runtime.elsewhere.mirror import Mirror

UNFINISHED = "unfinished"
"""The folder of a home that tells, by a step's key, whose checkpoints a step may go on from that did not end."""

FIGURES = "figures"
"""The folder of a run that holds what `track.figure` keeps, by step."""

CHECKPOINTS = "checkpoints"
"""The folder of a run that holds them, by step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resuming:
    """What a training in a step is told.

    Attributes:
        folder: For the step's checkpoints.
        key: Digest of all that the step depends on, as far as it is known before it runs.
        note: The file that names the folders of steps with this key that did not end; None where nobody looks there.
        continues: Whether it may go on from those of other runs.
        outputs: The names that later steps may take.
        seed: The initial random state.
        figures: For the step's figures; None where they are not kept.
        seen: What the step was seen to read so far, as `Seen.told` has it.
        mirror: Keeps them elsewhere, too; None where nobody does.
    """

    folder: Path
    key: str
    note: Path | None = None
    continues: bool = True
    outputs: frozenset[str] = frozenset()
    figures: Path | None = None
    seed: int = 0
    seen: Callable[[], dict[str, Any]] = field(default=dict)
    mirror: Mirror | None = None

    def sources(self) -> Iterator[Path]:
        """The folders that it may go on from: its own first, then those of the newest runs."""
        yield self.folder
        if self.note is None or not self.continues:
            return
        with suppress(OSError, UnicodeDecodeError):
            lines = self.note.read_text(encoding="utf-8").splitlines()
            yield from dict.fromkeys(Path(line) for line in reversed(lines) if line and line != str(self.folder))

    def begin(self) -> None:
        """Tells later runs of the checkpoints here; where no run does, they are told the initial random state."""
        if self.mirror is not None:
            self.mirror.begin()
        if self.note is None:
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / _SEED).write_text(f"{self.seed}\n", encoding="ascii")
            return
        with suppress(OSError):
            self.note.parent.mkdir(parents=True, exist_ok=True)
            with self.note.open("a", encoding="utf-8") as stream:
                stream.write(f"{self.folder}\n")

    def end(self) -> None:
        """The step ran to its end: nobody has to go on from there."""
        if self.note is not None:
            with suppress(OSError):
                self.note.unlink(missing_ok=True)
        with suppress(OSError):
            for place in self.folder.glob("*/"):
                (place / DONE).touch()


DONE = "done"
"""A file beside the checkpoints of a training whose step ran to its end."""


_SEED = "seed"


def seed_of(folder: Path | None) -> int | None:
    """The initial random state of a step that did not end, out of the folder of its checkpoints; None where none is."""
    if folder is None or any(folder.glob(f"*/{DONE}")):
        return None
    try:
        return int((folder / _SEED).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def note_of(home: Path, key: str) -> Path:
    """The file of a home that is kept for a key."""
    return home / UNFINISHED / str(Digest.of("unfinished", key)).rpartition(":")[2][:32]
