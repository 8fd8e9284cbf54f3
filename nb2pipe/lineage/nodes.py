"""The nodes of a lineage that belong to one step: itself, its cells, parameters, commit and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.lineage.model import Node, NodeKind
from nb2pipe.records.files import DIFFERENCE
from nb2pipe.records.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nb2pipe.records.model import RunRecord, StepRecord

_MODELS = (
    ".pt",
    ".pth",
    ".safetensors",
    ".onnx",
    ".joblib",
    ".pkl",
    ".pickle",
    ".h5",
    ".hdf5",
    ".keras",
    ".ckpt",
    ".pt2",
    ".tflite",
    ".cbm",
    ".ubj",
    ".gguf",
)
"""Endings of files that mostly hold a trained model."""

VALUE = "value:"
"""Begins what stands in a record for a value that passed from step to step in memory."""
_PARAMETER = "parameter "
_USED = {"file": NodeKind.DATA, "data": NodeKind.DATA, "module": NodeKind.MODULE, "state": NodeKind.STATE}
_MADE = {
    "file": NodeKind.FILE,
    "data": NodeKind.FILE,
    "module": NodeKind.MODULE,
    "checkpoint": NodeKind.CHECKPOINT,
    "state": NodeKind.STATE,
}


def content_id(sha256: str) -> str:
    """The id of some content; a value that was never stored has one of its own."""
    return sha256 if sha256.startswith(VALUE) else f"sha256:{sha256}"


def step_id(run: str, step: str) -> str:
    """The id of a step of a run."""
    return f"step:{run}/{step}"


def content(sha256: str, kind: str, name: str, run: str | None) -> Node:
    """Some content, as a link tells of it.

    Args:
        sha256: The content.
        kind: The link's.
        name: A path, or names of variables.
        run: The run that made it; None where it came from outside.
    """
    known = (_USED if run is None else _MADE).get(kind, NodeKind.ARTIFACT)
    if known is NodeKind.FILE and name.lower().endswith(_MODELS):
        known = NodeKind.MODEL
    digest = None if sha256.startswith(VALUE) else sha256
    return Node(id=content_id(sha256), kind=known, sha256=digest, run=run, name=name)


def step_node(record: RunRecord, step: StepRecord) -> Node:
    """A step of a run."""
    facts: dict[str, object] = {
        "step": step.name,
        "status": step.status.value,
        "notebook": record.notebook,
        "cells": list(step.cells),
        "started": step.started,
        "seconds": step.seconds,
        "user": step.user or record.user,
        "host": step.host or record.machine.host,
    }
    if step.source:
        facts["source"] = step.source
    if step.trace is not None and step.trace.reasons:
        facts["unseen"] = list(step.trace.reasons)
    name = f"{step.name} of {record.run}"
    return Node(id=step_id(record.run, step.name), kind=NodeKind.STEP, run=record.run, name=name, facts=facts)


def around(record: RunRecord, step: StepRecord, folder: Path) -> Iterator[Node]:
    """What a step used beside data: the texts of its cells, parameters, commit and difference, packages.

    Args:
        record: The run.
        step: The step.
        folder: The run's.
    """
    yield from _cells(record, step)
    yield from _parameters(record, step)
    git = record.git
    if git is not None and git.commit is not None:
        yield Node(
            id=f"commit:{git.commit}",
            kind=NodeKind.COMMIT,
            name=git.commit,
            facts={"commit": git.commit, "dirty": git.dirty},
        )
    if git is not None and git.dirty and (folder / DIFFERENCE).is_file():
        digest = str(Digest.of_file(folder / DIFFERENCE))
        name = f"{DIFFERENCE} of {record.run}"
        facts = {"path": str(folder / DIFFERENCE), "truncated": git.truncated}
        yield Node(
            id=content_id(digest), kind=NodeKind.DIFFERENCE, sha256=digest, run=record.run, name=name, facts=facts
        )
    yield _environment(record)


def _cells(record: RunRecord, step: StepRecord) -> Iterator[Node]:
    scope = step.name.rpartition("/")[0]
    place = f"{record.run}/{scope}" if scope else record.run
    for cell in sorted({*step.cells, *step.code}):
        facts = {"cell": cell, "notebook": record.notebook}
        yield Node(
            id=f"cell:{place}/{cell}",
            kind=NodeKind.CELL,
            sha256=step.code.get(cell),
            run=record.run,
            name=f"cell {cell}",
            facts=facts,
        )


def _parameters(record: RunRecord, step: StepRecord) -> Iterator[Node]:
    """The parameters that a step used: those of its call, and those that its code noted."""
    used = [part.removeprefix(_PARAMETER) for part in step.parts if part.startswith(_PARAMETER)]
    scope = step.name.rpartition("/")[0]
    place = f"{record.run}/{scope}" if scope else record.run
    for name in dict.fromkeys((*used, *step.parameters)):
        known = name in record.parameters and not scope
        value = plain(record.parameters[name]) if known else plain(step.parameters.get(name))
        yield Node(
            id=f"parameter:{place}/{name}",
            kind=NodeKind.PARAMETER,
            run=record.run,
            name=name,
            facts={"value": value} if known or name in step.parameters else {},
        )


def _environment(record: RunRecord) -> Node:
    packages = dict(record.packages)
    digest = str(Digest.of("environment", {"python": record.python, "packages": packages}))
    name = f"Python {record.python}, {len(packages)} packages"
    facts = {"python": record.python, "packages": packages}
    return Node(id=f"environment:{digest}", kind=NodeKind.ENVIRONMENT, sha256=digest, name=name, facts=facts)
