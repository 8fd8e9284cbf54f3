"""What `python -m PACKAGE` runs, all steps in one process; and `python -m PACKAGE.steps.STEP`, one, files to files."""

from __future__ import annotations

import inspect
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import INTERRUPTED, Nb2pipeError, StepError, UsageError
from nb2pipe.records.events import Failure
from nb2pipe.runtime import borders, calling, traces
from nb2pipe.runtime.arguments import Own, Parameter, read_arguments, whole_number
from nb2pipe.runtime.description import FILE, read_description
from nb2pipe.runtime.display import show_tables_as_in_jupyter
from nb2pipe.runtime.figures import close_figures, use_own_backend
from nb2pipe.runtime.gates import gate_holds, seen_by_gate
from nb2pipe.runtime.journal import recording
from nb2pipe.runtime.left import skips
from nb2pipe.runtime.modules import UNBOUND, bind, notebook
from nb2pipe.runtime.numbers import metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nb2pipe.runtime.arguments import Given
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.elsewhere.whole import Whole
    from nb2pipe.runtime.handover import Folders, Handover
    from nb2pipe.runtime.journal import Journal
    from nb2pipe.runtime.markers import Place

_FAILED = 5
_BUG = 70
_PATIENCE = 1.5
"""Seconds that threads and `atexit` functions get after an interrupt."""
_SEED = Own(name="seed", metavar="N", type=whole_number, help="sets the generators of random, NumPy and torch")


class _StepFailedError(Exception):
    """The author's code raised; its own error is the cause."""


@dataclass(slots=True)
class _Watch:
    """What is done at the borders of a step's cells.

    Attributes:
        facts: The step.
        notebook: The notebook's file name.
        measured: Its metrics.
    """

    facts: StepFacts
    notebook: str
    measured: dict[str, float] = field(default_factory=dict)

    def begin(self, place: Place) -> None:
        """Nothing is to be done."""

    def end(self, place: Place, values: Callable[[], Mapping[str, object]]) -> None:
        """Takes the metrics of a cell, and closes its figures."""
        names = self.facts.metrics.get(place.cell)
        if names and not place.definitions:
            self.measured.update(metrics_of(names, values()))
        close_figures()

    def caught(self, _place: Place, error: BaseException) -> None:
        """Shows the error of a cell that may raise; the step goes on."""
        traces.explain(error, self.notebook)
        _show(error)


class Run:
    """The steps of a pipeline, run one after the other in this process.

    Attributes:
        metrics: What the steps measured, the last of each name.
    """

    def __init__(self, package: str, description: Description) -> None:
        self._package = package
        self._description = description
        self._whole = _whole(description)
        self._ran: dict[str, dict[str, float]] = {}
        self._told: set[str] = set()
        self.metrics: dict[str, float] = {}

    def __call__(self, step: str, /, **arguments: object) -> Any:
        """Runs a step.

        Args:
            step: Its name.
            **arguments: What its function is called with; what is unbound is left to the function.

        Returns:
            What its function returns.

        Raises:
            UsageError: A parameter of a nested notebook has a value around it that only a step can compute.
        """
        facts = self._description.step(step)
        _refuse_open(facts, arguments)
        place = f"[{self._description.steps.index(facts) + 1}/{len(self._description.steps)}] {step}"
        _tell(place + (f": {facts.description}" if facts.description else ""))
        began = time.monotonic()
        watch = _Watch(facts, self._description.notebook)
        with recording() as journal:
            result = self._recorded(facts, arguments, watch, journal)
        self._ran[step] = journal.metrics | watch.measured
        self.metrics |= self._ran[step]
        _tell(f"{place}: done in {time.monotonic() - began:.1f} s{_shown(journal.last | self._ran[step])}")
        return result

    def _recorded(self, facts: StepFacts, arguments: Mapping[str, object], watch: _Watch, journal: Journal) -> Any:
        """Runs a step, and records it where the environment names a store."""
        if self._whole is None:
            return _within(facts, self._description, watch, lambda: self._call(facts, arguments))
        failed: list[Failure] = []
        known = {name: value for name, value in arguments.items() if name in facts.parameters and value is not UNBOUND}
        with self._whole.step(facts, known, journal, lambda: failed[0] if failed else None) as measured:
            try:
                result = _within(facts, self._description, watch, lambda: self._call(facts, arguments))
            except _StepFailedError as error:
                failed.append(_failure(facts, error))
                raise
            measured.update(watch.measured)
        return result

    def passes(self, *gates: str) -> bool:
        """Whether the gates of steps hold, so that what comes after them runs.

        Raises:
            StepError: A gate asks for a metric that no step gave.
        """
        return all(self._passes(self._description.step(gate)) for gate in gates)

    def _passes(self, facts: StepFacts) -> bool:
        if facts.name not in self._ran:
            return False
        if facts.gate is None:
            return True
        try:
            holds = gate_holds(facts.gate, self._seen_by(facts))
        except KeyError as cause:
            message = f"the gate `{facts.gate}` asks for `{cause.args[0]}`, which no metrics cell of this run gave"
            raise StepError(message, hint=f"the metrics so far: {', '.join(sorted(self.metrics)) or 'none'}") from None
        if not holds and facts.name not in self._told:
            self._told.add(facts.name)
            _tell(f"{facts.name}: the gate `{facts.gate}` does not hold, so what comes after it is skipped")
        return holds

    def _seen_by(self, facts: StepFacts) -> dict[str, float]:
        upto = (*self._description.earlier(facts.name), facts)
        return seen_by_gate(facts.name, ((each.name, self._ran.get(each.name, {})) for each in upto))

    def _call(self, facts: StepFacts, arguments: Mapping[str, object]) -> Any:
        function = _function(self._package, facts)
        return calling.call(function, calling.arguments_for(calling.asked_by(function), arguments))


def _whole(description: Description) -> Whole | None:
    """Records the steps of a pipeline in the store that the environment names; None where it names none."""
    if not os.environ.get("NB2PIPE_STORE"):
        return None
    from nb2pipe.runtime.elsewhere.whole import Whole  # noqa: PLC0415  # most runs do without

    return Whole(description, _warn)


def _refuse_open(facts: StepFacts, arguments: Mapping[str, object]) -> None:
    """Raises where a nested notebook would take its own default, and the notebook around it has another value."""
    for name in facts.parameters if facts.scope else ():
        if arguments.get(name) is UNBOUND and name not in facts.given_by:
            message = (
                f"the parameter `{name}` of the nested notebook cannot be given: only a step can compute its value"
            )
            raise UsageError(message, hint=f"give it with --{name}")


def run_pipeline(package: str, pipeline: Callable[..., None], arguments: Sequence[str] | None = None) -> int:
    """Runs a pipeline in this process, with the parameters of the command line.

    Args:
        package: The name of the package.
        pipeline: Calls its steps: `pipeline(run, *, lr=0.05)`.
        arguments: The command line; None for that of this process.

    Returns:
        The exit code.
    """

    def work() -> None:
        description = read_description(_root(package) / FILE)
        parameters = _parameters(pipeline, description.parameters)
        text = inspect.getdoc(pipeline) or f"Runs the pipeline {description.name}."
        given = read_arguments(
            f"python -m {package}", text, parameters, [_SEED], arguments, secrets=description.secrets
        )
        _prepare(given)
        pipeline(Run(package, description), **given.parameters)

    return _guarded(work)


def run_step(package: str, step: str, arguments: Sequence[str] | None = None) -> int:
    """Runs one step, with the parameters and folders of the command line.

    Args:
        package: The name of the package.
        step: The step's name.
        arguments: The command line; None for that of this process.

    Returns:
        The exit code.
    """

    def work() -> None:
        description = read_description(_root(package) / FILE)
        facts = description.step(step)
        use_own_backend()
        function = _within(facts, description, _Watch(facts, description.notebook), lambda: _function(package, facts))
        parameters = [one for one in _parameters(function, facts.parameters) if one.name in facts.parameters]
        text = inspect.getdoc(function) or f"Runs the step {step}."
        given = read_arguments(
            f"python -m {package}.steps.{facts.module}",
            text,
            parameters,
            _options(facts),
            arguments,
            secrets=facts.secrets - facts.given_by.keys(),
        )
        folders = _folders(given)
        if (
            given.own.get("gated")
            and (closed := skips(description, facts, folders.inputs, folders.outputs)) is not None
        ):
            _tell(f"{step}: the gate of `{closed}` does not hold, so it is skipped")
            return
        handover = _handover(description, facts, given, notebook())
        _run_step(handover, _Work(description, facts, function, given.parameters))

    return _guarded(work)


@dataclass(frozen=True, slots=True)
class _Work:
    """A step, and what it is called with."""

    description: Description
    facts: StepFacts
    function: Callable[..., Any]
    parameters: Mapping[str, object]


def _run_step(handover: Handover, work: _Work) -> None:
    """Runs a step from files to files."""
    defaults = {one.name: one.default for one in _parameters(work.function, work.facts.parameters)}
    values = {name: defaults.get(name) if value is UNBOUND else value for name, value in work.parameters.items()}
    known = {name: value for name, value in values.items() if value is not UNBOUND}
    _warn(handover.begin(known))
    try:
        _do_step(handover, work, known)
    except _StepFailedError as error:
        _warn(handover.fail(_failure(work.facts, error)))
        raise
    except KeyboardInterrupt:
        _warn(handover.fail(None))
        raise


def _failure(facts: StepFacts, failed: _StepFailedError) -> Failure:
    """What the record says of an error."""
    error = failed.__cause__
    assert error is not None
    place = traces.place(error)
    return Failure(
        step=facts.name,
        cell=place.cell if place else None,
        line=place.line if place else None,
        kind=type(error).__name__,
        message=_text(error),
    )


def _do_step(handover: Handover, work: _Work, known: Mapping[str, object]) -> None:
    session, watch = handover.session, _Watch(work.facts, work.description.notebook)
    bind(session.namespace, work.parameters)
    file = calling.cells_file(sys.modules[work.function.__module__])
    if file is not None:
        calling.run_early(file, session, lambda early: _within(work.facts, work.description, watch, early))
    session.load(frozenset(name for group in session.spec.inputs for name in group.names))
    loaded = {name: session.namespace[name] for group in session.spec.inputs for name in group.take}
    arguments = calling.arguments_for(calling.asked_by(work.function), {**loaded, **work.parameters})
    began = time.monotonic()
    result = _within(work.facts, work.description, watch, lambda: calling.call(work.function, arguments))
    bind(session.namespace, calling.fields_of(result))
    session.metrics.update(watch.measured)
    session.measured.update(work.facts.metrics)
    _warn(handover.leave(known))
    shown = session.journal.last | session.journal.metrics | watch.measured
    _tell(f"{work.facts.name}: done in {time.monotonic() - began:.1f} s{_shown(shown)}")


def _function(package: str, facts: StepFacts) -> Callable[..., Any]:
    """A step's function; its module and the definitions are imported now."""
    calling.import_definitions(package)
    found: Callable[..., Any] = getattr(calling.import_step(package, facts.module), facts.function)
    return found


def _options(facts: StepFacts) -> list[Own]:
    """The options of a step's program; all steps take folders, since random state goes along with them too."""
    inputs = Own(
        name="inputs",
        metavar="FOLDER",
        type=Path,
        several=True,
        in_examples=bool(facts.inputs or facts.given_by),
        help="a folder that earlier steps wrote into; may be given several times",
    )
    outputs = Own(
        name="outputs", metavar="FOLDER", type=Path, in_examples=True, help="the folder for what the step leaves"
    )
    files = Own(name="files", help="files that steps write go along in the folders; for steps that share no disk")
    gated = Own(name="gated", help="runs nothing where the gate of an earlier step does not hold")
    values = Own(name="parameters", metavar="FILE", type=Path, help="JSON or YAML with values of parameters, by name")
    metrics = Own(name="metrics", metavar="FILE", type=Path, help="writes what was measured, as JSON")
    some = [*([values] if facts.parameters else []), *([gated] if facts.gates else [])]
    return [inputs, outputs, files, *some, metrics, _SEED]


def _folders(given: Given) -> Folders:
    from nb2pipe.runtime.handover import Folders  # noqa: PLC0415  # the whole pipeline in one process needs no store

    outputs: Path | None = given.own["outputs"]
    return Folders(
        inputs=tuple(folder.absolute() for folder in given.own["inputs"]),
        outputs=outputs.absolute() if outputs else None,
        files=given.own["files"],
    )


def _handover(description: Description, facts: StepFacts, given: Given, namespace: dict[str, Any]) -> Handover:
    from nb2pipe.runtime.handover import prepare  # noqa: PLC0415  # as above

    known = description.taking(facts.name, given.parameters)
    return prepare(known, facts.name, _folders(given), seed=given.own["seed"], namespace=namespace)


def _parameters(function: Callable[..., Any], types: Mapping[str, str | None]) -> list[Parameter]:
    """The parameters of a function, with the types that the notebook gave them."""
    signature = inspect.signature(function)
    return [
        Parameter(name=one.name, type=types.get(one.name), default=_default(one.default, types.get(one.name)))
        for one in signature.parameters.values()
        if one.kind is one.KEYWORD_ONLY
    ]


def _default(default: object, kind: str | None) -> object:
    """A default as the help shows it: that of a list and its like is None, and the function makes a new one."""
    return UNBOUND if default is None and kind in {"list", "dict", "set", "tuple"} else default


def _prepare(given: Given) -> None:
    from nb2pipe.runtime.generators import Generators  # noqa: PLC0415  # not needed for `--help`

    use_own_backend()
    if given.own["seed"] is not None:
        Generators(given.own["seed"], {}).begin()


def _root(package: str) -> Path:
    """The folder that a bundle's package lies in."""
    return Path(str(sys.modules[package].__file__)).absolute().parents[1]


def _within(facts: StepFacts, description: Description, watch: _Watch, work: Callable[[], Any]) -> Any:
    """Does a part of a step's work; what the author's code raises is told apart from what ours does."""
    borders.listen(watch)
    try:
        return work()
    except KeyboardInterrupt as error:
        traces.explain(error, description.notebook)
        place = traces.where(error, description.notebook)
        raise KeyboardInterrupt(f"in the step `{facts.name}`" + (f", {place}" if place else "")) from None
    except BaseException as error:
        if traces.is_ours(error):
            raise
        traces.explain(error, description.notebook)
        place = traces.where(error, description.notebook)
        message = f"the step `{facts.name}` failed" + (f" in {place}" if place else "")
        raise _StepFailedError(message) from error
    finally:
        borders.stop_listening(watch)


def _guarded(work: Callable[[], None]) -> int:
    """Does the work; the exit code."""
    _use_streams()
    show_tables_as_in_jupyter()
    try:
        code = _code_of(work)
    except KeyboardInterrupt as error:  # a second one, while the first one is told
        code = _interrupted(error)
    _close_streams()
    return code


def _code_of(work: Callable[[], None]) -> int:
    try:
        work()
    except KeyboardInterrupt as error:
        return _interrupted(error)
    except _StepFailedError as failed:
        return _failed(failed)
    except Nb2pipeError as error:
        _tell(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    except Exception:  # noqa: BLE001  # it is shown as a bug of ours
        traceback.print_exc()
        _tell("error: this is a bug of nb2pipe; please report it with the lines above")
        return _BUG
    return 0


def _failed(failed: _StepFailedError) -> int:
    error = failed.__cause__
    assert error is not None
    if isinstance(error, SystemExit):
        _tell(f"error: {failed}: the cell ended Python: SystemExit({error.code!r})")
        return _FAILED
    if isinstance(error, BrokenPipeError):
        _tell(f"error: {failed}: nobody reads its output any more")
        return _FAILED
    _show(error)
    text = f"{type(error).__name__}: {_text(error)}".rstrip(": ")
    _tell(f"error: {failed}: {text}")
    if isinstance(error, ModuleNotFoundError) and error.name:
        _tell("hint: install what the bundle needs: pip install -r requirements.txt")
    return _FAILED


def _show(error: BaseException) -> None:
    try:
        traceback.print_exception(error)
    except Exception:  # noqa: BLE001  # the author's `__str__` may fail too
        traceback.print_tb(error.__traceback__)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # as above
        return "(its text cannot be made)"


def _interrupted(error: KeyboardInterrupt) -> int:
    """Says so; threads of the author's do not keep the process alive."""
    timer = threading.Timer(_PATIENCE, os._exit, [INTERRUPTED])
    timer.daemon = True
    timer.start()
    _tell(f"interrupted {error}".rstrip())
    return INTERRUPTED


def _shown(metrics: Mapping[str, float]) -> str:
    return "".join(f", {name} {value:g}" for name, value in metrics.items())


def _warn(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        _tell(f"warning: {sentence}")


def _tell(text: str) -> None:
    """Writes a line for people, if anybody reads it."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201  # that is what a program does
    except (OSError, ValueError):
        return


def _use_streams() -> None:
    """Text that a terminal's encoding lacks is written with escapes: it is no error in a notebook either."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _close_streams() -> None:
    """Writes what is left; a reader that went away is no error any more."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None or stream.closed:
            continue
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
