"""Executors that keep something from step to step, such as processes, are told where a run begins and ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator


@runtime_checkable
class LastingExecutor(Protocol):
    """What such an executor has beside what every executor has."""

    def open(self, *, steps: int, jobs: int) -> None:
        """A run begins.

        Args:
            steps: How many there may be.
            jobs: How many may run at a time.
        """

    def close(self) -> None:
        """The run is over; nothing that was kept outlives it."""


@contextmanager
def opened(executor: object, *, steps: int, jobs: int) -> Iterator[None]:
    """Within it, the executor may keep something; one that keeps nothing need not know.

    Args:
        executor: Any executor.
        steps: How many steps there may be.
        jobs: How many may run at a time.
    """
    if not isinstance(executor, LastingExecutor):
        yield
        return
    executor.open(steps=steps, jobs=jobs)
    try:
        yield
    finally:
        executor.close()
