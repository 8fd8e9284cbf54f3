"""One step in this process: from files to files, or from a store and back to it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.runtime import calling
from nb2pipe.runtime.arguments import FILE as VALUES
from nb2pipe.runtime.arguments import SEED, Own, read_arguments
from nb2pipe.runtime.figures import use_own_backend
from nb2pipe.runtime.left import skips, write_gate, write_metrics
from nb2pipe.runtime.modules import UNBOUND, bind, notebook
from nb2pipe.runtime.running.functions import described, function_of, parameters_of, text_of
from nb2pipe.runtime.running.reference import reference, tell_reference
from nb2pipe.runtime.running.told import metrics_shown, tell, warn
from nb2pipe.runtime.running.watched import StepFailedError, Watch, failure_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nb2pipe.runtime.arguments import Given
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.handover import Folders, Handover

NOTEBOOK: Final = "notebook"
"""The option of ours that has the step run as its notebook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A step that is to run, and what its command line says.

    Attributes:
        description: The pipeline, as the step takes its parameters.
        facts: The step.
        given: What its command line says.
    """

    description: Description
    facts: StepFacts
    given: Given

    def run(self, work: Callable[[Folders], Mapping[str, float]]) -> None:
        """Runs it, unless a gate keeps it from running, and tells what it left.

        Args:
            work: Runs it, from folders to folders; gives what it measured.
        """
        with self._folders() as folders:
            closed = self._closed(folders)
            measured: Mapping[str, float] = {}
            if closed is not None:
                tell(f"{self.facts.name}: the gate of `{closed}` does not hold, so it is skipped")
            else:
                measured = work(folders)
            self._hand_over(folders)
            if self.given.own["metrics"]:
                write_metrics(self.given.own["metrics"], measured)
            if self.given.own.get("gate") and folders.outputs is not None:
                write_gate(self.given.own["gate"], self.facts, folders.outputs)
            if self.given.own["told"]:
                tell_reference(self.given.own["told"], reference(self.facts, folders, measured))

    @contextmanager
    def _folders(self) -> Iterator[Folders]:
        from nb2pipe.runtime.handover import Folders  # noqa: PLC0415  # the whole pipeline in one process needs no store

        own = self.given.own
        outputs: Path | None = own["outputs"]
        folders = Folders(
            inputs=tuple(folder.absolute() for folder in own["inputs"]),
            outputs=outputs.absolute() if outputs else None,
            files=own["files"],
        )
        if not own["through-store"]:
            yield folders
            return
        from nb2pipe.runtime.elsewhere.passage import passage_of  # noqa: PLC0415  # most steps do without

        with passage_of(os.environ, (*folders.inputs, *([folders.outputs] if folders.outputs else ()))) as passage:
            gated = bool(own.get("gated"))
            passage.fetch(self.description, self.facts.name, files=folders.files, gated=gated)
            yield replace(folders, inputs=(passage.inputs,), outputs=passage.outputs, passage=passage)

    def _hand_over(self, folders: Folders) -> None:
        """Puts values into folders of their own, and what earlier steps left beside what this one did."""
        own, outputs = self.given.own, folders.outputs
        if outputs is None or not (own["port"] or own["carry"]):
            return
        from nb2pipe.runtime import ports  # noqa: PLC0415  # most steps do without

        around = (outputs, *folders.inputs)
        if own["port"]:
            ports.split(self.description, self.facts.name, around, dict(own["port"]))
        if own["carry"]:
            ports.carry(self.description, self.facts.name, around)

    def _closed(self, folders: Folders) -> str | None:
        """The step whose gate keeps this one from running, if there is one; that is told to those below it."""
        if not self.given.own.get("gated"):
            return None
        closed = skips(self.description, self.facts, folders.inputs, folders.outputs)
        if closed is not None and folders.passage is not None:
            folders.passage.deliver(self.description, self.facts)
        return closed


def run_module(package: str, description: Description, facts: StepFacts, arguments: Sequence[str] | None) -> None:
    """Runs a step as its module.

    Args:
        package: The name of the package.
        description: The pipeline.
        facts: The step.
        arguments: The command line; None for that of this process.
    """
    given = read_command_line(package, facts, arguments)
    use_own_backend()
    known = description.taking(facts.name, given.parameters)
    alone = Alone(description=known, facts=known.step(facts.name), given=given)
    alone.run(lambda folders: _run(alone, package, folders))


def read_command_line(package: str, facts: StepFacts, arguments: Sequence[str] | None) -> Given:
    """What the command line of a step's program says; nothing of the author's is imported for it.

    Args:
        package: The name of the package.
        facts: The step.
        arguments: The command line; None for that of this process.
    """
    return read_arguments(
        f"python -m {package}.steps.{facts.module}",
        text_of(package, facts),
        described(facts),
        options_of(facts),
        arguments,
        secrets=facts.secrets - facts.given_by.keys(),
    )


def options_of(facts: StepFacts) -> list[Own]:
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
    through = Own(
        name="through-store",
        help="instead of folders: values come from and go to the store that NB2PIPE_STORE names, under the run that "
        "NB2PIPE_RUN names",
    )
    files = Own(name="files", help="files that steps write go along with the values; for steps that share no disk")
    port = Own(
        name="port",
        metavar="NAME=FOLDER",
        type=_port,
        several=True,
        help="a folder for this variable alone; what has none goes to the folder of the outputs; may be given several "
        "times",
    )
    carry = Own(
        name="carry", help="the folder of the outputs holds what earlier steps left, too, but for such variables"
    )
    gated = Own(name="gated", help="runs nothing where the gate of an earlier step does not hold")
    values = Own(name=VALUES, metavar="FILE", type=Path, help="JSON or YAML with values of parameters, by name")
    metrics = Own(name="metrics", metavar="FILE", type=Path, help="writes what was measured, as JSON")
    told = Own(
        name="told",
        metavar="FILE",
        help="writes what the step left as a line of JSON, values by reference; - for the last line of the output",
    )
    gate = Own(name="gate", metavar="FILE", type=Path, help="writes whether the step's gate holds: true or false")
    as_notebook = Own(
        name=NOTEBOOK,
        metavar="OUT.ipynb",
        help="runs the step as its notebook, through papermill, and keeps that as it was executed",
    )
    some = [*([values] if facts.parameters else []), *([gated] if facts.gates else []), *([gate] if facts.gate else [])]
    return [inputs, outputs, port, carry, through, files, *some, as_notebook, metrics, told, SEED]


def _port(text: str) -> tuple[str, Path]:
    from nb2pipe.runtime.ports import port_of  # noqa: PLC0415  # most steps do without

    return port_of(text)


def _run(alone: Alone, package: str, folders: Folders) -> dict[str, float]:
    """Runs a step from files to files; what it measured."""
    from nb2pipe.runtime.handover import initial_state, prepare  # noqa: PLC0415  # as above

    facts, given = alone.facts, alone.given
    seed = initial_state(alone.description, facts.name, folders, given.own["seed"])
    watch = Watch(facts, alone.description.notebook)
    function = within(facts, alone.description, watch, lambda: function_of(package, facts))
    handover = prepare(
        alone.description,
        facts.name,
        folders,
        seed=seed,
        given=given.parameters,
        namespace=notebook(),
    )
    defaults = {one.name: one.default for one in parameters_of(function, facts.parameters)}
    values = {name: defaults.get(name) if value is UNBOUND else value for name, value in given.parameters.items()}
    known = {name: value for name, value in values.items() if value is not UNBOUND}
    warn(handover.begin(known))
    try:
        return _do(handover, alone, function, known)
    except StepFailedError as error:
        warn(handover.fail(failure_of(facts, error)))
        raise
    except KeyboardInterrupt:
        warn(handover.fail(None))
        raise


def _do(
    handover: Handover, alone: Alone, function: Callable[..., Any], known: Mapping[str, object]
) -> dict[str, float]:
    facts, parameters, session = alone.facts, alone.given.parameters, handover.session
    watch = Watch(facts, alone.description.notebook)

    def author(work: Callable[[], Any]) -> Any:
        return within(facts, alone.description, watch, work)

    bind(session.namespace, parameters)
    file = calling.cells_file(sys.modules[function.__module__])
    if file is not None:
        calling.run_early(file, session, author)
    session.load(frozenset(name for group in session.spec.inputs for name in group.names))
    loaded = {name: session.namespace[name] for group in session.spec.inputs for name in group.take}
    arguments = calling.arguments_for(calling.asked_by(function), {**loaded, **parameters})
    began = time.monotonic()
    result = author(lambda: calling.call(function, arguments))
    bind(session.namespace, calling.fields_of(result))
    session.metrics.update(watch.measured)
    session.measured.update(facts.metrics)
    warn(handover.leave(known))
    shown = session.journal.last | session.journal.metrics | watch.measured
    tell(f"{facts.name}: done in {time.monotonic() - began:.1f} s{metrics_shown(shown)}")
    return {**session.journal.metrics, **session.metrics}
