"""What steps left, as `FOLDER/STEP.json` says; and which steps the gates of others keep from running."""

from __future__ import annotations

import os
from json import dumps, loads
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import StepError, StoreError, UsageError
from nb2pipe.runtime.gates import gate_holds, seen_by_gate
from nb2pipe.runtime.versions import Earlier
from nb2pipe.serializers.groups import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.handover import Folders

_SCHEMA = 1


def _file(step: str) -> str:
    return step.replace("/", ".")


def record_of(facts: StepFacts, folders: Sequence[Path]) -> dict[str, Any] | None:
    """What a step left, as the first folder that knows it says."""
    for folder in folders:
        file = folder / f"{facts.file}.json"
        try:
            data = loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as cause:
            raise StoreError(f"`{file}` cannot be read: {cause}", hint="run that step again") from cause
        if not isinstance(data, dict) or data.get("schema") != _SCHEMA or "outputs" not in data or "state" not in data:
            hint = "run that step again, with the same version of nb2pipe"
            raise StoreError(f"`{file}` is nothing that a step of this version left", hint=hint)
        return data
    return None


def earlier_of(facts: StepFacts, record: Mapping[str, Any] | None) -> Earlier:
    """A step as one below it takes from it.

    Args:
        facts: The step.
        record: What it left; None where nobody has that.
    """
    outputs = frozenset(facts.outputs)
    if record is None:
        return Earlier(name=facts.name, scope=facts.scope, outputs=outputs)
    groups = tuple(Group(names=tuple(one["names"]), digest=Digest(one["digest"])) for one in record["outputs"])
    return Earlier(name=facts.name, scope=facts.scope, outputs=outputs, groups=groups, state=record["state"])


def refuse_missing(facts: StepFacts, records: Mapping[str, Any], folders: Folders) -> None:
    """Raises where a step takes something from one that left nothing.

    Args:
        facts: The step.
        records: What the steps above it left, by name.
        folders: Where that was looked for.

    Raises:
        UsageError: It does.
    """
    lacking = {name: maker for name, maker in facts.origins.items() if maker in records and records[maker] is None}
    if not lacking:
        return
    name, maker = next(iter(sorted(lacking.items())))
    file, passage = f"{_file(maker)}.json", folders.passage
    where = ", ".join(f"`{folder}`" for folder in folders.inputs) or "no folder of inputs was given"
    found = f"there is no `{file}` in {where}" if folders.inputs else where
    hint = f"run the step `{maker}` first, and name the folder that it wrote into"
    if passage is not None:
        found = f"there is no `{file}` of the run `{passage.run}` in the store {passage.url}"
        hint = f"run the step `{maker}` first, with the same values of NB2PIPE_STORE and NB2PIPE_RUN"
    raise UsageError(f"the step `{facts.name}` takes `{name}` from the step `{maker}`; {found}", hint=hint)


def skips(description: Description, facts: StepFacts, inputs: Sequence[Path], outputs: Path | None) -> str | None:
    """The step whose gate keeps another one from running, if there is one; then that is left in the folder, too.

    Args:
        description: The pipeline.
        facts: The step that is about to run.
        inputs: The folders that hold what the steps above it left.
        outputs: The folder for what it leaves.

    Raises:
        UsageError: What the step with the gate left is in none of the folders.
        StepError: Its gate asks for a metric that it was not given.
        StoreError: A folder cannot be read, or written.
    """
    closed = next((name for name in facts.gates if not _is_open(description.step(name), inputs)), None)
    if closed is not None and outputs is not None:
        write_record(outputs, facts.name, {"skipped": closed, "outputs": [], "state": {}, "metrics": {}})
    return closed


def _is_open(gate: StepFacts, folders: Sequence[Path]) -> bool:
    record = record_of(gate, folders)
    if record is None:
        hint = "run it first, and name the folder that it wrote into with --inputs, where values go through folders"
        raise UsageError(f"the gate of the step `{gate.name}` is to hold; what it left is not there", hint=hint)
    if "skipped" in record or gate.gate is None:
        return "skipped" not in record
    if "gate" not in record:
        message = f"the gate `{gate.gate}` of the step `{gate.name}` asks for a metric that it did not get"
        raise StepError(message, hint=f"run `{gate.name}` with --inputs of the steps that measure it")
    return bool(record["gate"])


def gate_of(
    facts: StepFacts, records: Mapping[str, Mapping[str, Any] | None]
) -> Callable[[Mapping[str, float]], bool | None]:
    """Tells whether a step's gate holds, from what earlier steps measured and it itself did."""

    def holds(metrics: Mapping[str, float]) -> bool | None:
        measured = [(name, record["metrics"]) for name, record in records.items() if record and "metrics" in record]
        if facts.gate is None:
            return None
        try:
            return gate_holds(facts.gate, seen_by_gate(facts.name, [*measured, (facts.name, metrics)]))
        except KeyError:  # another step measures it, and what that one left was not given
            return None

    return holds


def write_record(folder: Path, step: str, content: Mapping[str, Any]) -> None:
    """Says what a step left.

    Raises:
        StoreError: The folder cannot be written.
    """
    path = folder / f"{_file(step)}.json"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        told = {"schema": _SCHEMA, "step": step, **content}
        temporary.write_text(dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as cause:
        hint = "look at space and permissions of the folder of the outputs"
        raise StoreError(f"`{path}` cannot be written: {cause.strerror or cause}", hint=hint) from cause


def write_metrics(path: Path, metrics: Mapping[str, float]) -> None:
    """What a step measured as a file of its own, for platforms that show such.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dumps(dict(metrics), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as cause:
        message = f"`{path}` cannot be written: {cause.strerror or cause}"
        raise StoreError(message, hint="look at space and permissions of its folder") from cause


def write_gate(path: Path, facts: StepFacts, folder: Path) -> None:
    """Whether a step's gate holds as a file of its own, `true` or `false`, for platforms with conditions of their own.

    Args:
        path: The file.
        facts: The step; it has run.
        folder: Where it left what it made.

    Raises:
        StepError: Its gate asks for a metric that it was not given.
        StoreError: The file cannot be written.
    """
    text = "true" if _is_open(facts, [folder]) else "false"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as cause:
        message = f"`{path}` cannot be written: {cause.strerror or cause}"
        raise StoreError(message, hint="look at space and permissions of its folder") from cause
