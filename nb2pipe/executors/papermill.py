"""The executor `papermill`: runs each step as a notebook of its own, through papermill, in a kernel of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.executors.kernels.pool import Kernels
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.events import Event


@dataclass(slots=True)
class PapermillExecutor:
    """Runs each step as a notebook through papermill. What that takes is imported by the first step that runs."""

    name: str = field(default="papermill", init=False)
    runs_packages: bool = field(default=False, init=False)
    _size: tuple[int, int] | None = field(default=None, init=False, repr=False)
    _kernels: Kernels | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def check(self, pipeline: Pipeline) -> Report:  # noqa: ARG002  # a kernel runs every notebook
        """What keeps it from running a pipeline: nothing."""
        return Report()

    def open(self, *, steps: int, jobs: int) -> None:
        """A run begins; without that, each step gets a kernel that Jupyter starts."""
        self._size = (steps, jobs)

    def close(self) -> None:
        """The run is over: no kernel outlives it."""
        with self._lock:
            kernels, self._kernels, self._size = self._kernels, None, None
        if kernels is not None:
            kernels.close()

    def run_step(self, call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:
        """Runs a step, and leaves its notebook in `RUN_FOLDER/steps/STEP.ipynb`, also when it failed.

        Several threads may run a step each at the same time.

        Args:
            call: The step, and what it is given.
            emit: Takes `CellStarted`, `OutputWritten`, `CellFinished` and `Noted`.
            cancel: Once set, the step stops within two seconds.

        Returns:
            What came of it; an error in the user's code is an outcome, not an exception.

        Raises:
            StoreError: An input cannot be read, or an output not written.
            UsageError: There is no kernel of the name.
        """
        from nb2pipe.executors.step_notebooks import run_in_notebook  # noqa: PLC0415  # heavy

        return run_in_notebook(call, emit, cancel, self._pool())

    def _pool(self) -> Kernels | None:
        from nb2pipe.executors.kernels.pool import Kernels  # noqa: PLC0415  # heavy

        with self._lock:
            if self._kernels is None and self._size is not None:
                self._kernels = Kernels(*self._size)
            return self._kernels
