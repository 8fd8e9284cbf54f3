from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from nb2pipe.records.series import recorded, recorded_checkpoints
from nb2pipe.runtime.recording.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nb2pipe.records.model import Checkpoint
    from nb2pipe.records.series import Points


class Seen:
    """What was recorded in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def series(self) -> dict[str, Points]:
        return recorded(self.folder)

    def values(self, name: str) -> list[float]:
        return list(self.series[name].values)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        return recorded_checkpoints(self.folder)


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[], AbstractContextManager[Seen]]:
    """A context in which training is recorded, and what was recorded of it."""

    @contextmanager
    def context() -> Iterator[Seen]:
        seen = Seen(tmp_path / "series")
        record = Recording(seen.folder)
        record.begin()
        try:
            yield seen
        finally:
            record.finish()

    return context
