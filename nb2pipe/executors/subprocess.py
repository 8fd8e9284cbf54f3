"""The executor `subprocess`: runs each step as its module, in a process of its own, without Jupyter."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.literals import literal
from nb2pipe.errors import Nb2pipeError
from nb2pipe.execution.model import Cancelled, Completed, Failed
from nb2pipe.executors.child import Child
from nb2pipe.executors.interpreter import interpreter_of
from nb2pipe.executors.logged import tell_checkpoints, tell_logged, tell_recorded, told_in
from nb2pipe.executors.origin import where_imported
from nb2pipe.executors.outcome import outcome_of, step_spec
from nb2pipe.executors.packages import Packages
from nb2pipe.executors.processes import hint_on_end, how_it_ended
from nb2pipe.executors.sheet import Sheet
from nb2pipe.executors.watch import Reason, StepWatch, Stop
from nb2pipe.runtime.heard_secrets import HeardSecrets
from nb2pipe.runtime.journal import POINTS
from nb2pipe.runtime.spec import BOOTSTRAP

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from nbformat import NotebookNode

    from nb2pipe.diagnostics import Report
    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.events import Event
    from nb2pipe.runtime.spec import StepSpec

_LAUNCH = BOOTSTRAP.with_name("launch.py")
"""The file that a step's process runs; it needs no nb2pipe in the kernel's environment."""


@dataclass(slots=True)
class SubprocessExecutor:
    """Runs each step as a module, in the Python of the notebook's kernel."""

    name: str = field(default="subprocess", init=False)
    runs_packages: bool = field(default=True, init=False)
    _packages: Packages = field(default_factory=Packages, init=False, repr=False)

    def check(self, pipeline: Pipeline) -> Report:
        """What modules cannot hold."""
        return self._packages.plan(pipeline).report

    def open(self, *, steps: int, jobs: int) -> None:
        """A run begins."""

    def close(self) -> None:
        """The run is over."""

    def run_step(self, call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:
        """Runs a step, and leaves a notebook of what it printed in `RUN_FOLDER/steps/STEP.ipynb`, also when it failed.

        Several threads may run a step each at the same time.

        Args:
            call: The step, and what it is given.
            emit: Takes `CellStarted`, `OutputWritten`, `CellFinished` and `Noted`.
            cancel: Once set, the step stops within two seconds.

        Returns:
            What came of it; an error in the user's code is an outcome, not an exception.

        Raises:
            StoreError: An input cannot be read, or an output or the modules not written.
            UsageError: There is no kernel of the name.
        """
        package = self._packages.of(call.surroundings)
        path = call.surroundings.run_folder / "steps" / f"{call.step.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        token = secrets.token_hex(16)
        with tempfile.TemporaryDirectory(prefix=f".step-{path.stem}-", dir=path.parent) as place:
            folder = Path(place).resolve()
            spec = step_spec(call, folder / "result.json")
            more: dict[str, object] = {"package": str(package.folder), "name": package.name, "token": token}
            more |= {"module": package.modules[call.step.name], "sources": self._packages.sources_of(call.surroundings)}
            sheet = Sheet(call, spec, token=token, path=path, emit=emit)
            with _spec_file(call, spec, more) as file, HeardSecrets(folder, call.surroundings.masking) as heard:
                stop = _run(call, _Listener(sheet=sheet, result=folder / "result.json", secrets=heard), file, cancel)
            told = _told(folder / "result.json", call)
            tell_logged(call.step.name, folder / POINTS, told, emit)
            tell_recorded(call.step.name, Path(spec.series), emit)
            tell_checkpoints(call.step.name, Path(spec.checkpoints), emit)
        return _concluded(call, sheet, _settled(stop, told, sheet), told, emit)


def _concluded(
    call: StepCall, sheet: Sheet, stop: Stop | None, told: dict[str, Any], emit: Callable[[Event], None]
) -> Outcome:
    """What came of the step, once its notebook says so too."""
    try:
        outcome = outcome_of(call, stop, told, emit)
    except Nb2pipeError:
        sheet.fail(None)
        raise
    match outcome:
        case Completed():
            sheet.complete()
        case Failed(failure=failure):
            sheet.fail(failure)
        case Cancelled():
            sheet.fail(None)
    return outcome


@dataclass(slots=True, kw_only=True)
class _Listener:
    """Hears of the process, and says when it is to stop.

    Attributes:
        result: The file that is there once the step's work is done.
        secrets: Those that the process tells of.
        watch: Knows the deadline and the wish to cancel.
        reason: Why the process was stopped, if it was.
    """

    sheet: Sheet
    result: Path
    secrets: HeardSecrets
    watch: StepWatch = field(default_factory=StepWatch)
    reason: Reason | None = None

    def feed(self, stream: str, data: bytes, *, last: bool = False) -> None:
        """Takes what the process wrote."""
        self.secrets.listen()
        self.sheet.feed(stream, data, last=last)

    def look(self) -> bool:
        """Whether the process is to stop now."""
        self.sheet.tick()
        self.reason = self.watch.wants_stop()
        return self.reason is not None

    def is_through(self) -> bool:
        """Whether the step's work is done."""
        return self.result.exists()


def _run(call: StepCall, listener: _Listener, file: int, cancel: threading.Event) -> Stop | None:
    """Runs the process, which reads what it is told from an open file; gives why it was stopped, or how it died."""
    sheet = listener.sheet
    interpreter = interpreter_of(call.surroundings.kernel)
    deadline = time.monotonic() + call.step.timeout if call.step.timeout else None
    watch = listener.watch = StepWatch(
        folder=call.surroundings.folder,
        variables={**call.surroundings.variables, **call.surroundings.own},
        cancel=cancel,
        deadline=deadline,
    )
    command = [*interpreter.command, str(_LAUNCH), f"/dev/fd/{file}"]
    environment = {**watch.environment(), **interpreter.variables}
    child = Child(command, call.surroundings.folder, environment, files=(file,))
    code = child.run(listener)
    cell = _node(sheet)
    if listener.reason is not None:
        return Stop(reason=listener.reason, cell=cell)
    if listener.is_through():
        return None
    reason = Reason.NOT_STARTED if sheet.cell is None else Reason.DIED
    return Stop(
        reason=reason,
        cell=cell,
        message=how_it_ended(code, "process", child.peak),
        traceback=sheet.last_words,
        what="process",
        hint=hint_on_end(code),
    )


def _settled(stop: Stop | None, told: dict[str, Any], sheet: Sheet) -> Stop | None:
    """Why the step was not run to its end, with what the step itself told."""
    if "completed" in told:
        return None
    if "errors" not in told or (stop is not None and stop.reason in {Reason.CANCELLED, Reason.TIMEOUT}):
        return stop
    error = told["errors"][-1]
    return Stop(reason=Reason.ERROR, cell=_node(sheet), kind=error["kind"], message=error["message"])


def _node(sheet: Sheet) -> NotebookNode | None:
    """The cell that ran last, as a notebook's cell says its position."""
    from nbformat import from_dict  # noqa: PLC0415  # heavy

    return None if sheet.cell is None else from_dict({"metadata": {"nb2pipe": {"cell": sheet.cell}}})


@contextmanager
def _spec_file(call: StepCall, spec: StepSpec, more: Mapping[str, object]) -> Iterator[int]:
    """What the process is told, in an open file without a name: values may be secret."""
    values = {name: literal(value) for name, value in call.parameters.items()}
    with tempfile.TemporaryFile() as stream:
        stream.write(json.dumps({**asdict(spec), **more, "parameters": values}).encode("ascii"))
        stream.seek(0)
        yield stream.fileno()


def _told(path: Path, call: StepCall) -> dict[str, Any]:
    """What the step wrote to its result."""
    found = told_in(path)
    for error in found.get("errors", []):
        error["frames"] = [made for frame in error["frames"] if (made := _frame(frame, call)) is not None]
    return found


def _frame(frame: dict[str, Any], call: StepCall) -> dict[str, Any] | None:
    """A line of a traceback by its cell; the module beside it where that is one that the author knows."""
    if "imports" in frame:
        place = where_imported(call, frame["imports"])
        return {"cell": place[0], "line": place[1], "name": frame["name"]} if place else None
    if call.surroundings.package is not None:
        return frame
    return {key: value for key, value in frame.items() if "file" in frame or key in {"cell", "line", "name"}}
