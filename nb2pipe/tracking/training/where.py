"""Where a training is: in a step of a run, or in a plain notebook or script, which is recorded to the home."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from json import dumps
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.runtime import journal
from nb2pipe.runtime.resuming import DONE
from nb2pipe.tracking.training.kept import WENT_ON, went_on_in
from nb2pipe.tracking.training.outside import Outside, identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.runtime.resuming import Resuming
    from nb2pipe.tracking.training.kept import Told
    from nb2pipe.tracking.training.scopes import Scope

_counts: dict[str, int] = {}
"""How many trainings of plain notebooks and scripts there were at a place, so that each has a number of its own."""


@dataclass(slots=True, kw_only=True)
class Place:
    """The place of one training.

    Attributes:
        folder: Its checkpoints.
        key: Digest of all that it depends on, as far as it is known.
        sources: The folders of checkpoints that it may go on from, the best first.
        outputs: The names that are read after it elsewhere.
        seen: What was read so far.
        inside: It is in a step of a run: what comes after it there may need the values of its last round.
        outside: The record of a plain notebook or script.
    """

    folder: Path
    key: str
    sources: list[Path] = field(default_factory=list)
    outputs: frozenset[str] = frozenset()
    seen: Callable[[], dict[str, Any]] = field(default=dict)
    inside: bool = True
    outside: Outside | None = None

    def begins_anew(self) -> None:
        """The training begins with its first epoch."""
        with suppress(OSError):
            (self.folder / WENT_ON).unlink(missing_ok=True)
            (self.folder / DONE).unlink(missing_ok=True)

    def went_on(self, told: Told) -> None:
        """The training goes on from a checkpoint."""
        facts = {name: told.told[name] for name in ("epoch", "batch", "step")}
        with suppress(OSError):
            (self.folder / WENT_ON).write_text(dumps({**facts, "time": time.time()}), encoding="ascii")
        if self.outside is not None:
            self.outside.went_on(went_on_in(self.folder) or "")


def find_place(scope: Scope, structure: object, within: str) -> Place:
    """The place of a training that begins now.

    Args:
        scope: The code that it stands in.
        structure: What its models and optimizers are made of, as JSON.
        within: What tells apart the trainings in one round of another one; empty for a training of its own.
    """
    found = journal.current()
    resuming = found.resuming if found is not None else None
    if found is not None and resuming is not None:
        found.trainings[within] = found.trainings.get(within, 0) + 1
        return _inside(resuming, structure, f"{within}{found.trainings[within]}")
    base = identity(scope, structure)
    name = f"{within}{_number(f'{base} {_turn()} {within}')}"
    outside = Outside.of(scope, str(Digest.of("training", [base, name])))
    outside.begin(name)
    return Place(
        folder=outside.folder / name,
        key=outside.key,
        sources=[outside.folder / name] if outside.resumed else [],
        inside=False,
        outside=outside,
    )


def _inside(resuming: Resuming, structure: object, name: str) -> Place:
    resuming.begin()
    sources = [source / name for source in resuming.sources()]
    return Place(
        folder=resuming.folder / name,
        key=str(Digest.of("training", [resuming.key, structure])),
        sources=[source for source in sources if source.is_dir() and not (source / DONE).exists()],
        outputs=resuming.outputs,
        seen=resuming.seen,
    )


def _number(counted: str) -> int:
    _counts[counted] = _counts.get(counted, 0) + 1
    return _counts[counted]


def _turn() -> int:
    """The number of the cell that runs, in Jupyter."""
    module = sys.modules.get("IPython.core.getipython")
    shell = module.get_ipython() if module is not None else None
    return int(getattr(shell, "execution_count", 0))
