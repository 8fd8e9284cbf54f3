"""What `python -m PACKAGE` runs, all steps in one process; and `python -m PACKAGE.steps.STEP`, one, files to files."""

from __future__ import annotations

import inspect
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime import calling
from nb2pipe.runtime.arguments import FILE as VALUES
from nb2pipe.runtime.arguments import Own, read_arguments, whole_number
from nb2pipe.runtime.description import FILE, read_description
from nb2pipe.runtime.figures import use_own_backend
from nb2pipe.runtime.left import skips, write_metrics
from nb2pipe.runtime.modules import UNBOUND, bind, notebook
from nb2pipe.runtime.running.ending import guarded
from nb2pipe.runtime.running.functions import function_of, parameters_of
from nb2pipe.runtime.running.together import Run
from nb2pipe.runtime.running.told import metrics_shown, tell, warn
from nb2pipe.runtime.running.watched import StepFailedError, Watch, failure_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nb2pipe.runtime.arguments import Given
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.handover import Folders, Handover

__all__ = ["Run", "run_pipeline", "run_step"]

_SEED = Own(name="seed", metavar="N", type=whole_number, help="sets the generators of random, NumPy and torch")


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
        parameters = parameters_of(pipeline, description.parameters)
        text = inspect.getdoc(pipeline) or f"Runs the pipeline {description.name}."
        given = read_arguments(
            f"python -m {package}", text, parameters, [_SEED], arguments, secrets=description.secrets
        )
        _prepare(given)
        pipeline(Run(package, description), **given.parameters)

    return guarded(work)


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
        function = within(facts, description, Watch(facts, description.notebook), lambda: function_of(package, facts))
        parameters = [one for one in parameters_of(function, facts.parameters) if one.name in facts.parameters]
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
        closed = skips(description, facts, folders.inputs, folders.outputs) if given.own.get("gated") else None
        measured: Mapping[str, float] = {}
        if closed is not None:
            tell(f"{step}: the gate of `{closed}` does not hold, so it is skipped")
        else:
            handover = _handover(description, facts, given, notebook())
            measured = _run_step(handover, _Work(description, facts, function, given.parameters))
        if given.own["metrics"]:
            write_metrics(given.own["metrics"], measured)

    return guarded(work)


@dataclass(frozen=True, slots=True)
class _Work:
    """A step, and what it is called with."""

    description: Description
    facts: StepFacts
    function: Callable[..., Any]
    parameters: Mapping[str, object]


def _run_step(handover: Handover, work: _Work) -> dict[str, float]:
    """Runs a step from files to files; what it measured."""
    defaults = {one.name: one.default for one in parameters_of(work.function, work.facts.parameters)}
    values = {name: defaults.get(name) if value is UNBOUND else value for name, value in work.parameters.items()}
    known = {name: value for name, value in values.items() if value is not UNBOUND}
    warn(handover.begin(known))
    try:
        return _do_step(handover, work, known)
    except StepFailedError as error:
        warn(handover.fail(failure_of(work.facts, error)))
        raise
    except KeyboardInterrupt:
        warn(handover.fail(None))
        raise


def _do_step(handover: Handover, work: _Work, known: Mapping[str, object]) -> dict[str, float]:
    session, watch = handover.session, Watch(work.facts, work.description.notebook)
    bind(session.namespace, work.parameters)
    file = calling.cells_file(sys.modules[work.function.__module__])
    if file is not None:
        calling.run_early(file, session, lambda early: within(work.facts, work.description, watch, early))
    session.load(frozenset(name for group in session.spec.inputs for name in group.names))
    loaded = {name: session.namespace[name] for group in session.spec.inputs for name in group.take}
    arguments = calling.arguments_for(calling.asked_by(work.function), {**loaded, **work.parameters})
    began = time.monotonic()
    result = within(work.facts, work.description, watch, lambda: calling.call(work.function, arguments))
    bind(session.namespace, calling.fields_of(result))
    session.metrics.update(watch.measured)
    session.measured.update(work.facts.metrics)
    warn(handover.leave(known))
    shown = session.journal.last | session.journal.metrics | watch.measured
    tell(f"{work.facts.name}: done in {time.monotonic() - began:.1f} s{metrics_shown(shown)}")
    return {**session.journal.metrics, **session.metrics}


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
    values = Own(name=VALUES, metavar="FILE", type=Path, help="JSON or YAML with values of parameters, by name")
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


def _prepare(given: Given) -> None:
    from nb2pipe.runtime.generators import Generators  # noqa: PLC0415  # not needed for `--help`

    use_own_backend()
    if given.own["seed"] is not None:
        Generators(given.own["seed"], {}).begin()


def _root(package: str) -> Path:
    """The folder that a bundle's package lies in."""
    return Path(str(sys.modules[package].__file__)).absolute().parents[1]
