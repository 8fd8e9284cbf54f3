"""The GPUs of this machine, and which step has which: `limit:nvidia.com/gpu:1` gives a step one for itself."""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VISIBLE = "CUDA_VISIBLE_DEVICES"
_FILES = re.compile(r"nvidia\d+")
_LOOK_SECONDS = 0.1


def visible_gpus(files: Path = Path("/dev")) -> tuple[str, ...]:
    """The GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` names them.

    Args:
        files: Where the system has a file for each.
    """
    named = os.environ.get(VISIBLE)
    if named is not None:
        return tuple(name for name in map(str.strip, named.split(",")) if name and name != "-1")
    count = sum(1 for path in files.glob("nvidia*") if _FILES.fullmatch(path.name))
    return tuple(map(str, range(count)))


class Devices:
    """Which of the GPUs are free. It may be used from several threads.

    Args:
        names: All of them.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._free = list(names)
        self._all = names
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, count: int, cancel: threading.Event) -> Iterator[tuple[str, ...]]:
        """Some GPUs, for as long as this lasts; as many as there are, where more are wanted.

        The scheduler begins no step before there are enough, but one that was stopped may hold its own for a moment.

        Args:
            count: How many.
            cancel: Nobody waits any more once it is set.
        """
        wanted = min(count, len(self._all))
        with self._changed:
            while len(self._free) < wanted and not cancel.is_set():
                self._changed.wait(_LOOK_SECONDS)
            mine = tuple(self._free[:wanted])
            del self._free[: len(mine)]
        try:
            yield mine
        finally:
            with self._changed:
                self._free = [name for name in self._all if name in {*self._free, *mine}]
                self._changed.notify_all()
