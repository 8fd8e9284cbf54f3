"""Folders that steps hand over what they make in: `FOLDER/STEP.json`, and a store beside it.

Modules use it (`python -m PACKAGE.steps.STEP --inputs FOLDER --outputs FOLDER`), and so do step notebooks that plain
papermill runs: `begin` in their first cell, `take` after the definitions, `leave` in the last one.
"""

from __future__ import annotations

import errno
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import StepError, StoreError, UsageError
from nb2pipe.records.masking import masking_of, masking_of_environment
from nb2pipe.records.series import SERIES
from nb2pipe.records.values import encode
from nb2pipe.runtime.description import read_description
from nb2pipe.runtime.elsewhere.named import RUN, run_id, seed_of_run
from nb2pipe.runtime.files import is_repeatable, keep_files, lay_out, to_lay_out
from nb2pipe.runtime.folder_store import FolderStore
from nb2pipe.runtime.journal import POINTS
from nb2pipe.runtime.left import earlier_of, gate_of, record_of, refuse_missing, write_record
from nb2pipe.runtime.modules import UNBOUND
from nb2pipe.runtime.new_secrets import NewSecrets
from nb2pipe.runtime.observing.observer import Observer
from nb2pipe.runtime.resuming import CHECKPOINTS, seed_of
from nb2pipe.runtime.session import Session
from nb2pipe.runtime.spec import GroupSpec, StepSpec
from nb2pipe.runtime.versions import take_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nb2pipe.records.events import Failure
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.elsewhere.mirror import Mirror
    from nb2pipe.runtime.elsewhere.passage import Passage
    from nb2pipe.runtime.elsewhere.step import StepElsewhere
    from nb2pipe.runtime.versions import Taken

_SEEDS = 2**32
_AFTER_FAILURE, _AFTER_INTERRUPT = 30.0, 5.0
"""Seconds that the last checkpoints get."""
_KEPT = (
    "outputs",
    "unchanged",
    "state",
    "metrics",
    "series",
    "checkpoints",
    "parameters",
    "data",
    "types",
    "summaries",
)
_begun: list[Handover] = []
"""The step that this notebook is, once it has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where a step takes from and leaves.

    Attributes:
        inputs: The folders that hold what the steps above it left.
        outputs: The folder for what it leaves; None where nothing is to be kept.
        files: Files of the working directory are handed on, too: those of earlier steps are put there as it begins.
        passage: Brings what it leaves to a store; None where folders are handed on.
    """

    inputs: tuple[Path, ...] = ()
    outputs: Path | None = None
    files: bool = False
    passage: Passage | None = None

    @property
    def apart(self) -> tuple[Path, ...]:
        """Folders of ours, whose files are not handed on."""
        own = (*self.inputs, self.outputs) if self.outputs else self.inputs
        return (*own, *self.passage.apart()) if self.passage else own


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A step that takes from folders and leaves in one.

    Attributes:
        session: The step that runs.
        folders: Where it takes from and leaves.
        deliver: Brings what it left to whoever wants it.
        mirror: Keeps checkpoints in a store; None where nobody does.
        noted: Records it in a store; None where no store is named.
        store: Holds what is taken and left.
        work: What sees the files that it writes keeps its notes in it; None where files are not handed on.
        gate: Whether the step's gate holds, given its own metrics; None where that cannot be told.
        repeatable: Whether the step makes the same again, given what was seen of it.
    """

    session: Session
    folders: Folders
    deliver: Callable[[], None] = lambda: None
    mirror: Mirror | None = None
    noted: StepElsewhere | None = None
    store: FolderStore
    work: tempfile.TemporaryDirectory[str] | None = None
    gate: Callable[[Mapping[str, float]], bool | None] = lambda _metrics: None
    repeatable: Callable[[Mapping[str, Any]], bool] = lambda _seen: False

    def begin(self, parameters: Mapping[str, object]) -> list[str]:
        """Sets hidden state and random generators; from now on the step is observed, where it is recorded.

        Args:
            parameters: The values that are known by now.

        Returns:
            What went wrong that the step can do without, as sentences.
        """
        told = []
        if self.noted is not None:
            told = self.noted.begin(parameters)
            self.session.observer = self.noted.observer()
        elif self.work is not None:
            self.session.observer = Observer(tuple(map(str, self.folders.apart)), self.work.name)
        self.session.begin()
        return told

    def fail(self, failure: Failure | None) -> list[str]:
        """The step failed, or was interrupted where there is no failure; what went wrong with telling so."""
        if self.noted is None:
            return []
        told = self.session.failed([])
        if self.mirror is not None:
            self.mirror.end(done=False, seconds=_AFTER_FAILURE if failure else _AFTER_INTERRUPT)
        return self.noted.fail(failure, {**told["logged"], "seen": told.get("seen"), "unrecorded": told["unrecorded"]})

    def leave(self, parameters: Mapping[str, object]) -> list[str]:
        """Stores what the step leaves, and writes `STEP.json`.

        Args:
            parameters: The values of its parameters.

        Returns:
            What could not be kept, and nobody needs, as sentences.

        Raises:
            StepError: Something that a later step takes cannot be passed on.
            StoreError: The folder, or the store, cannot be written.
        """
        if self.folders.outputs is None:
            return self.noted.finish(self.session.close(), parameters) if self.noted else []
        told = self.session.leave()
        for error in told["unstorable"]:
            if error["name"] in self.session.spec.required:
                raise StepError(error["message"], hint=error["hint"])
        left_out = [error["message"] for error in told["unstorable"]]
        left_out += [f"the state `{kind}` cannot be handed on: {reason}" for kind, reason in told["lost"].items()]
        spec = self.session.spec
        hidden = masking_of(parameters) | masking_of_environment(os.environ)
        kept = {key: told[key] for key in _KEPT if key in told}
        kept["parameters"] = hidden.value(kept.get("parameters", {}))
        run = {"run": self.noted.run.run} if self.noted else {}
        if self.work is not None:
            left = keep_files(told["seen"], Path(spec.folder), self.store, self.folders.apart)
            left_out += [f"`{path}` is not in the working directory, and stays where it is" for path in left.elsewhere]
            kept |= left.told() | {"repeatable": self.repeatable(told["seen"])}
        holds = self.gate(told["metrics"])
        if holds is not None:
            kept["gate"] = holds
        write_record(self.folders.outputs, spec.step, {"seed": spec.seed, **run, **kept})
        self.deliver()
        if self.mirror is not None:
            self.mirror.end(done=True)
        return left_out + (self.noted.finish(told, parameters) if self.noted else [])


def prepare(
    description: Description,
    step: str,
    folders: Folders,
    *,
    seed: int,
    given: Mapping[str, object],
    namespace: dict[str, Any],
) -> Handover:
    """A step that is about to begin.

    Args:
        description: The pipeline.
        step: The step's name.
        folders: Where it takes from and leaves.
        seed: The initial random state.
        given: The values of parameters that are given.
        namespace: The dictionary that stands for the notebook.

    Raises:
        UsageError: A folder is not there, or what the step takes is in none of them.
        StoreError: A folder cannot be read, or the working directory not be written.
    """
    facts = description.step(step)
    inputs, outputs = folders.inputs, folders.outputs
    records = _records(description, facts, folders)
    earlier = [earlier_of(each, records[each.name]) for each in description.earlier(step)]
    taken = take_from(frozenset(facts.inputs), facts.scope, earlier)
    place = _checkpoints(facts, folders)
    spec = _spec(facts, taken, description.wanted(step), seed)
    points = outputs / f"{facts.file}.{POINTS}" if outputs else None
    series = outputs / f"{facts.file}.{SERIES}" if outputs else None
    noted = _noted(description, facts, spec, _runs(records), _own(folders, points, series))
    if noted is not None:
        noted.series = str(series) if series else noted.series
        points = points or Path(noted.points)
        noted.points = str(points)
    folder = noted.series if noted else str(series) if series else ""
    key = _key(description, spec, given)
    spec = replace(spec, series=folder, checkpoints=str(place) if place else "", key=key)
    store = FolderStore(inputs, outputs)
    left = [record for record in records.values() if record]
    handed = [Path.cwd() / path for path in to_lay_out(left)]
    if folders.files:
        lay_out(left, Path.cwd(), store)
    session = Session(spec, namespace, store, points)
    mirror = _mirrored(session, noted, _runs(records), place)
    return Handover(
        session=session,
        mirror=mirror,
        folders=folders,
        deliver=lambda: folders.passage.deliver(description, facts) if folders.passage else None,
        noted=noted,
        store=store,
        work=_work() if folders.files and outputs else None,
        gate=gate_of(facts, records),
        repeatable=lambda seen: is_repeatable(seen, handed, Path(description.folder)),
    )


def _records(description: Description, facts: StepFacts, folders: Folders) -> dict[str, dict[str, Any] | None]:
    """What the steps above one left; its own folder is made."""
    missing = next((folder for folder in folders.inputs if not folder.is_dir()), None)
    if missing is not None:
        raise UsageError(f"there is no folder `{missing}`", hint="it is the folder that earlier steps wrote into")
    if folders.outputs is not None:
        _make(folders.outputs)
    records = {each.name: record_of(each, folders.inputs) for each in description.earlier(facts.name)}
    refuse_missing(facts, records, folders)
    return records


def _work() -> tempfile.TemporaryDirectory[str]:
    """A folder for notes; where something still writes into it as the process ends, it stays."""
    return tempfile.TemporaryDirectory(prefix="nb2pipe-", ignore_cleanup_errors=True)


def _checkpoints(facts: StepFacts, folders: Folders) -> Path | None:
    return folders.outputs / f"{facts.file}.{CHECKPOINTS}" if folders.outputs else None


def initial_state(description: Description, step: str, folders: Folders, given: int | None) -> int:
    """The initial random state of a step.

    That of the steps above it; where there are none, as it began, if it did once; else the run's, or a new one.

    Args:
        description: The pipeline.
        step: The step's name.
        folders: Where it takes from and leaves.
        given: What the user says.

    Raises:
        UsageError: A folder is not there, or what the step takes is in none of them.
        StoreError: A folder cannot be read or written.
    """
    if given is not None:
        return given
    facts = description.step(step)
    records = _records(description, facts, folders).values()
    seeds = [record["seed"] for record in records if record and isinstance(record.get("seed"), int)]
    if seeds:
        return int(seeds[0])
    kept = seed_of(_checkpoints(facts, folders))
    if kept is not None:
        return kept
    run = os.environ.get(RUN, "").strip()
    return seed_of_run(run_id(run, ())) if run else secrets.randbelow(_SEEDS)


def _mirrored(session: Session, noted: StepElsewhere | None, runs: Sequence[str], folder: Path | None) -> Mirror | None:
    """Has the checkpoints of a step kept in the store, too; None where nobody could find them there again."""
    if noted is None or session.journal.resuming is None:
        return None
    from nb2pipe.runtime.elsewhere.mirror import mirror_of  # noqa: PLC0415  # most steps do without

    mirror = mirror_of(noted, runs, folder, Path.cwd(), lambda sentence: _warn([sentence]))
    session.journal.resuming = replace(session.journal.resuming, mirror=mirror)
    return mirror


def _key(description: Description, spec: StepSpec, given: Mapping[str, object]) -> str:
    """Digest of what a training of the step depends on: it goes on only in a process for which that is equal."""
    parameters = {name: None if value is UNBOUND else encode(value) for name, value in given.items()}
    taken = [[list(group.names), group.digest] for group in spec.inputs]
    content = [description.digest, spec.step, spec.seed, taken, dict(spec.state), parameters]
    return str(Digest.of("handover", content))


def _spec(facts: StepFacts, taken: Taken, wanted: frozenset[str], seed: int) -> StepSpec:
    homes = {name: str(group.digest) for name, (_, group) in taken.variables.items()}
    groups = (
        GroupSpec(
            names=group.names,
            digest=str(group.digest),
            take=tuple(name for name in group.names if homes.get(name) == str(group.digest)),
        )
        for group in taken.groups
    )
    return StepSpec(
        step=facts.name,
        folder=str(Path.cwd()),
        store="",
        result="",
        seed=seed,
        inputs=tuple(group for group in groups if group.take),
        outputs=facts.outputs,
        required=tuple(sorted(wanted)),
        state={kind: digest for kind, (_, digest) in taken.state.items()},
        metrics=facts.metrics,
        patched=facts.patched,
    )


def _noted(
    description: Description, facts: StepFacts, spec: StepSpec, runs: Sequence[str], own: Sequence[Path]
) -> StepElsewhere | None:
    """Records the step in the store that the environment names; None where it names none."""
    if not os.environ.get("NB2PIPE_STORE"):
        return None
    from nb2pipe.runtime.elsewhere.step import elsewhere  # noqa: PLC0415  # most steps do without

    return elsewhere(description, facts, spec, runs, own)


def _runs(records: Mapping[str, Any]) -> list[str]:
    """The runs that earlier steps say they were part of."""
    return [record["run"] for record in records.values() if record and isinstance(record.get("run"), str)]


def _own(folders: Folders, *files: Path | None) -> list[Path]:
    """What a step reads and writes on its own account: no data."""
    own = [folder / "store" for folder in (*folders.inputs, folders.outputs) if folder]
    return [each for each in files if each] + own + (folders.passage.apart() if folders.passage else [])


def _make(folder: Path) -> None:
    """Makes the folder of the outputs, before the step takes its time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as cause:
        hint = "look at space and permissions of the folder of the outputs"
        raise StoreError(f"`{folder}` cannot be written: {cause.strerror or cause}", hint=hint) from cause


# In the cells of a step notebook


def begin(
    step: str,
    folders: Folders,
    *,
    pipeline: str | Path,
    seed: int | None = None,
    given: Mapping[str, object] | None = None,
    secrets_to: Path | None = None,
) -> Handover:
    """Begins the step that a notebook is: sets hidden state and random generators.

    Args:
        step: The step's name.
        folders: Where it takes from and leaves.
        pipeline: The path of `pipeline.json`.
        seed: The initial random state.
        given: The values of parameters that are given.
        secrets_to: The pipe that takes the secrets of the author's own code; None where nobody listens.

    Raises:
        UsageError: What the step takes is not there.
        StoreError: It cannot be read.
    """
    known = given or {}
    description = read_description(Path(pipeline)).taking(step, known)
    namespace = vars(sys.modules["__main__"])
    state = initial_state(description, step, folders, seed)
    handover = prepare(description, step, folders, seed=state, given=known, namespace=namespace)
    if secrets_to is not None:
        handover.session.secrets = NewSecrets(secrets_to)
    _warn(handover.begin({}))
    _begun[:] = [handover]
    return handover


def take(*names: str) -> None:
    """Gives the notebook what the step takes; `names` only where some of it is needed before the rest.

    Raises:
        StoreError: It cannot be loaded.
    """
    session = _begun[-1].session
    every = (name for group in session.spec.inputs for name in group.names)
    session.load(frozenset(names or every))


def measure(cell: int) -> None:
    """Takes the metrics of the cell of a position, which has just run; those not taken are taken at the end."""
    _begun[-1].session.measure(cell)


def leave() -> None:
    """Ends the step: keeps what it leaves.

    Raises:
        StepError: Something that a later step takes cannot be passed on.
        StoreError: The folder cannot be written.
    """
    handover = _begun[-1]
    namespace, noted = handover.session.namespace, handover.noted
    names = noted.facts.parameters if noted else ()
    _warn(handover.leave({name: namespace[name] for name in names if name in namespace}))


def _warn(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print(f"nb2pipe: {sentence}", file=sys.stderr)  # noqa: T201  # the notebook shows it
