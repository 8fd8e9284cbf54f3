"""The executor `papermill`: runs each step as a notebook of its own, through papermill, in a kernel of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.metric_names import metric_names
from nb2pipe.codegen.step_notebook import step_notebook, without_secrets
from nb2pipe.digest import Digest
from nb2pipe.errors import InternalError, StoreError, UsageError
from nb2pipe.execution.checks.nb500_unstorable_output import unstorable_output
from nb2pipe.execution.checks.nb501_output_left_out import output_left_out
from nb2pipe.execution.checks.nb502_state_left_out import state_left_out
from nb2pipe.execution.model import Cancelled, Completed, Failed, Outcome, StepCall
from nb2pipe.executors.failures import failure_of
from nb2pipe.executors.origin import where_bound
from nb2pipe.executors.watch import Reason, StepWatch, is_ours, position, role
from nb2pipe.notebook.model import CellKind
from nb2pipe.records.events import CellFinished, CellStarted, OutputWritten
from nb2pipe.runtime.spec import GroupSpec, StepSpec
from nb2pipe.serializers.groups import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbformat import NotebookNode

    from nb2pipe.records.events import Event

_ENGINE = "nb2pipe"
_SAVE_EVERY = 2.0
"""Seconds between two versions of the step notebook on disk while the step runs."""
_SESSION = '__import__("sys").modules["nb2pipe.runtime.session"]'


class PapermillExecutor:
    """Runs each step as a notebook through papermill."""

    name = "papermill"

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
        if _loop_is_running():  # as in Jupyter, where a cell runs on the loop of the kernel
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(_run, call, emit, cancel).result()
        return _run(call, emit, cancel)


@dataclass(slots=True, kw_only=True)
class _StepWatch(StepWatch):
    """Turns what happens in the step notebook into events, and keeps the notebook on disk."""

    call: StepCall
    emit: Callable[[Event], None]
    path: Path
    given: Path
    notebook: NotebookNode | None = None
    saved: float = field(default_factory=time.monotonic)

    def begins(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self.given.unlink(missing_ok=True)  # papermill has read it, and it may hold secrets

    def ends(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self.save()

    def cell_begins(self, cell: NotebookNode) -> None:
        if place := self._own(cell):
            self.emit(CellStarted(step=self.call.step.name, cell=place, time=time.time()))

    def printed(self, cell: NotebookNode, stream: str, text: str) -> None:
        if place := self._own(cell):
            self.emit(OutputWritten(step=self.call.step.name, cell=place, stream=stream, text=text))

    def cell_ended(self, cell: NotebookNode) -> None:
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
        if self.notebook is not None:
            _write_notebook(without_secrets(self.notebook, self.call.parameters), self.path)
            self.saved = time.monotonic()


def _run(call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:
    path = call.surroundings.run_folder / "steps" / f"{call.step.name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + call.step.timeout if call.step.timeout else None
    with tempfile.TemporaryDirectory(prefix=".step-", dir=path.parent) as folder:
        result = Path(folder).resolve() / "result.json"
        given = Path(folder).resolve() / "step.ipynb"  # papermill reads a file; this one is gone when the step begins
        notebook = step_notebook(call, _spec(call, result), kernel=call.surroundings.kernel)
        _write_notebook(notebook, given)
        _write_notebook(without_secrets(notebook, call.parameters), path)
        watch = _StepWatch(
            folder=call.surroundings.folder,
            variables=call.surroundings.variables,
            cancel=cancel,
            deadline=deadline,
            call=call,
            emit=emit,
            path=path,
            given=given,
        )
        _papermill(given, watch, call.surroundings.kernel)
        told = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return _outcome(call, watch, told)


def _papermill(path: Path, watch: _StepWatch, kernel: str) -> None:
    import papermill  # noqa: PLC0415  # heavy
    from jupyter_client.kernelspec import NoSuchKernel  # noqa: PLC0415  # heavy
    from papermill.engines import papermill_engines  # noqa: PLC0415  # heavy

    from nb2pipe.executors.engine import StepEngine  # noqa: PLC0415  # after papermill, which imports it too

    papermill_engines.register(_ENGINE, StepEngine)
    logging.getLogger("papermill").addHandler(logging.NullHandler())
    try:
        papermill.execute_notebook(
            str(path).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
            None,
            engine_name=_ENGINE,
            kernel_name=kernel,
            progress_bar=False,
            autosave_cell_every=0,
            watch=watch,
        )
    except papermill.PapermillExecutionError:
        # The watch knows of an error that stopped the step; one in a cell that may raise is none.
        pass
    except NoSuchKernel as error:
        raise UsageError(f"there is no kernel named `{kernel}` here", hint="jupyter kernelspec list") from error


def _spec(call: StepCall, result: Path) -> StepSpec:
    # Where two groups hold a name, the later one counts.
    home = {name: group for group in call.inputs for name in group.names}
    taken = {port.name for port in call.step.inputs}
    outputs = tuple(port.name for port in call.step.outputs)
    groups = tuple(
        GroupSpec(
            names=group.names,
            digest=str(group.digest),
            take=tuple(name for name in group.names if name in taken and home[name] is group),
        )
        for group in call.inputs
    )
    return StepSpec(
        step=call.step.name,
        folder=str(call.surroundings.folder.resolve()),
        store=str((call.surroundings.home / "store").resolve()),
        result=str(result),
        seed=call.surroundings.seed,
        inputs=tuple(group for group in groups if group.take),
        outputs=outputs,
        required=tuple(name for name in outputs if call.taken is None or name in call.taken),
        state=dict(call.state),
        metrics={place: metric_names(call.notebook.cell(place).python) for place in call.step.metrics},
    )


def _outcome(call: StepCall, watch: _StepWatch, told: dict[str, Any]) -> Outcome:
    stop = watch.stopped
    if stop is not None and stop.reason is Reason.CANCELLED:
        return Cancelled()
    if "broken" in told:
        _raise_broken(told["broken"], call.step.name)
    if stop is not None:
        errors = told.get("errors", [])
        return Failed(failure=failure_of(stop, errors, call.step.name, call.notebook, call.step.timeout or 0))
    if "completed" not in told:
        raise InternalError(f"the step `{call.step.name}` ran to its end, but its kernel told nothing of it")
    return _completed(call, watch.emit, told["completed"])


def _completed(call: StepCall, emit: Callable[[Event], None], told: dict[str, Any]) -> Outcome:
    step = call.step.name
    required = {port.name for port in call.step.outputs if call.taken is None or port.name in call.taken}
    for error in told["unstorable"]:
        if error["name"] in required:
            return Failed(failure=unstorable_output(step, error, where_bound(call, error["name"])))
    for error in told["unstorable"]:
        emit(output_left_out(step, error, time=time.time()))
    for kind, reason in told["lost"].items():
        emit(state_left_out(step, kind, reason, time=time.time()))
    outputs = tuple(Group(names=tuple(group["names"]), digest=Digest(group["digest"])) for group in told["outputs"])
    unchanged = frozenset(told["unchanged"])
    return Completed(outputs=outputs, state=told["state"], metrics=told["metrics"], unchanged=unchanged)


def _raise_broken(broken: dict[str, Any], step: str) -> None:
    if broken["store"]:
        raise StoreError(f"step `{step}`: {broken['message']}", hint=broken["hint"])
    raise InternalError(f"step `{step}`: {broken['kind']}: {broken['message']}")


def _write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Writes a notebook so that it is there as a whole or not at all."""
    import nbformat  # noqa: PLC0415  # heavy

    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(nbformat.writes(notebook), encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
