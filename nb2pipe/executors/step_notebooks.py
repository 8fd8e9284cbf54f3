"""One step through papermill: its notebook is made, run in a kernel, watched, and kept on disk."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.codegen.notebooks.step_notebook import step_notebook, without_secrets
from nb2pipe.errors import UsageError
from nb2pipe.executors.kernels.imports import needed_lines
from nb2pipe.executors.kernels.pool import Kernels, Place
from nb2pipe.executors.logged import tell_checkpoints, tell_logged, tell_recorded, told_in
from nb2pipe.executors.outcome import outcome_of, step_spec
from nb2pipe.executors.outputs import write_notebook
from nb2pipe.executors.watch import StepWatch, is_ours, position, role
from nb2pipe.notebook.model import CellKind
from nb2pipe.records.events import CellFinished, CellStarted, OutputWritten
from nb2pipe.runtime.heard_secrets import HeardSecrets
from nb2pipe.runtime.journal import POINTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from nbformat import NotebookNode

    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.executors.kernels.cold import Started
    from nb2pipe.records.events import Event

_ENGINE = "nb2pipe"
_SAVE_EVERY = 2.0
"""Seconds between two versions of the step notebook on disk while the step runs."""
_SESSION = '__import__("sys").modules["nb2pipe.runtime.session"]'


@dataclass(slots=True, kw_only=True)
class _StepWatch(StepWatch):
    """Turns what happens in the step notebook into events, and keeps the notebook on disk."""

    call: StepCall
    emit: Callable[[Event], None]
    path: Path
    secrets: HeardSecrets
    kernels: Kernels | None = None
    notebook: NotebookNode | None = None
    saved: float = field(default_factory=time.monotonic)

    def kernel(self) -> Started | None:
        if self.kernels is None:
            return None
        place = _place(self.call)
        return self.kernels.take(place, self.call.surroundings.own, self.emit, self.wants_stop)

    def begins(self, notebook: NotebookNode) -> None:
        self.notebook = notebook

    def ends(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self.save()

    def cell_begins(self, cell: NotebookNode) -> None:
        if place := self._own(cell):
            self.emit(CellStarted(step=self.call.step.name, cell=place, time=time.time()))

    def printed(self, cell: NotebookNode, stream: str, text: str) -> None:
        self.secrets.listen()
        if place := self._own(cell):
            self.emit(OutputWritten(step=self.call.step.name, cell=place, stream=stream, text=text))

    def cell_ended(self, cell: NotebookNode) -> None:
        self.secrets.listen()
        if place := self._own(cell):
            outputs = tuple(cell["outputs"])
            self.emit(CellFinished(step=self.call.step.name, cell=place, time=time.time(), outputs=outputs))
        if time.monotonic() - self.saved > _SAVE_EVERY:
            self.save()

    def code_after(self, cell: NotebookNode) -> str | None:
        place = position(cell)
        return f"{_SESSION}.measure({place})" if place in self.call.step.metrics else None

    def code_on_error(self, cell: NotebookNode) -> str | None:
        if is_ours(cell) and role(cell) != "injected":
            return None
        return f"{_SESSION}.explain({self._sources()!r}, {str(self.call.surroundings.folder)!r})"

    def _own(self, cell: NotebookNode) -> int | None:
        """The position of a cell that is the step's own; None for ours, and for what steps repeat."""
        place = position(cell)
        return place if place in self.call.step.cells else None

    def _sources(self) -> list[tuple[int, str]]:
        """The cells that may be in a traceback: as this step runs them, then as the notebook has them."""
        ran = self.notebook["cells"] if self.notebook else []
        first = [(place, cell["source"]) for cell in ran if (place := position(cell)) is not None]
        rest = [(cell.position, cell.source) for cell in self.call.notebook.cells if cell.kind is CellKind.CODE]
        return first + rest

    def save(self) -> None:
        """Writes the step notebook as it stands."""
        self.secrets.listen()
        if self.notebook is not None:
            write_notebook(
                without_secrets(self.notebook, self.call.parameters, self.call.surroundings.masking), self.path
            )
            self.saved = time.monotonic()


def _place(call: StepCall) -> Place:
    surroundings = call.surroundings
    return Place(
        notebook=call.notebook,
        kernel=surroundings.kernel,
        folder=surroundings.folder,
        environment=StepWatch(variables=surroundings.variables).environment(),
        seed=surroundings.seed,
        needed=_still_needed(call),
    )


def _still_needed(call: StepCall) -> Mapping[int, frozenset[int]] | None:
    """The lines of a step and of those below it, if it is one of the notebook itself."""
    pipeline = call.surroundings.pipeline
    names = [step.name for step in pipeline.steps] if pipeline is not None else []
    if pipeline is None or pipeline.notebook is not call.notebook or call.step.name not in names:
        return None
    return needed_lines(pipeline.steps[names.index(call.step.name) :], call.notebook)


def run_in_notebook(
    call: StepCall, emit: Callable[[Event], None], cancel: threading.Event, kernels: Kernels | None
) -> Outcome:
    """Runs a step, as `PapermillExecutor.run_step` says.

    Args:
        call: The step, and what it is given.
        emit: Takes the events.
        cancel: Once set, the step stops.
        kernels: Those of the run; None where Jupyter starts one for each step.

    Raises:
        StoreError: An input cannot be read, or an output not written.
        UsageError: There is no kernel of the name.
    """
    if _loop_is_running():  # as in Jupyter, where a cell runs on the loop of the kernel
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_run, call, emit, cancel, kernels).result()
    return _run(call, emit, cancel, kernels)


def _run(call: StepCall, emit: Callable[[Event], None], cancel: threading.Event, kernels: Kernels | None) -> Outcome:
    if kernels is not None:
        with _known_kernel(call.surroundings.kernel):
            kernels.prepare(_place(call))  # while papermill is imported
    path = call.surroundings.run_folder / "steps" / f"{call.step.name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + call.step.timeout if call.step.timeout else None
    with tempfile.TemporaryDirectory(prefix=f".step-{path.stem}-", dir=path.parent) as folder:
        result = Path(folder).resolve() / "result.json"
        spec = step_spec(call, result)
        notebook = step_notebook(call, spec, kernel=call.surroundings.kernel)
        write_notebook(without_secrets(notebook, call.parameters, call.surroundings.masking), path)
        watch = _StepWatch(
            folder=call.surroundings.folder,
            variables={**call.surroundings.variables, **call.surroundings.own},
            cancel=cancel,
            deadline=deadline,
            call=call,
            emit=emit,
            path=path,
            secrets=HeardSecrets(result.parent, call.surroundings.masking),
            kernels=kernels,
        )
        with watch.secrets:
            _papermill(notebook, watch, call.surroundings.kernel)
        told = told_in(result)
        tell_logged(call.step.name, result.with_name(POINTS), told, emit)
        tell_recorded(call.step.name, Path(spec.series), emit)
        tell_checkpoints(call.step.name, Path(spec.checkpoints), emit)
    return outcome_of(call, watch.stopped, told, emit)


def _papermill(notebook: NotebookNode, watch: _StepWatch, kernel: str) -> None:
    import papermill  # noqa: PLC0415  # heavy
    from papermill.engines import papermill_engines  # noqa: PLC0415  # heavy

    from nb2pipe.executors.engine import StepEngine  # noqa: PLC0415  # after papermill, which imports it too

    papermill_engines.register(_ENGINE, StepEngine)
    logging.getLogger("papermill").addHandler(logging.NullHandler())
    # The watch knows of an error that stopped the step; one in a cell that may raise is none.
    with _known_kernel(kernel), suppress(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            notebook,  # it may hold secrets, so it is written nowhere
            None,
            engine_name=_ENGINE,
            kernel_name=kernel,
            progress_bar=False,
            autosave_cell_every=0,
            watch=watch,
        )


@contextmanager
def _known_kernel(kernel: str) -> Iterator[None]:
    from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415  # heavy

    try:
        yield
    except NoSuchKernel as error:
        raise UsageError(f"there is no kernel named `{kernel}` here", hint="jupyter kernelspec list") from error


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
