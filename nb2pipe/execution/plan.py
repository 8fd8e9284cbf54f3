"""What a run would do, without doing it: `run --dry-run`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError
from nb2pipe.execution.expect import expect
from nb2pipe.execution.home import Home, find_home
from nb2pipe.execution.prepare import prepare
from nb2pipe.execution.shared import Shared
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.files import read_run
from nb2pipe.records.index import RUNS, list_runs
from nb2pipe.records.values import masked, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.execution.expect import Expected
    from nb2pipe.execution.options import RunOptions
    from nb2pipe.execution.reasons import Reason
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.events import Noted
    from nb2pipe.records.model import StepRecord

_RUNS_LOOKED_AT = 3
"""Older runs tell little of how long a step takes now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step that would run.

    Attributes:
        name: The step; `OUTER/INNER` for a step of a nested pipeline.
        cells: Positions of the author's cells that it would run.
        after: The steps that it waits for, in notebook order.
        parameters: Those that it uses, with the values that would hold; a default that is no literal as its text,
            secret ones masked.
        seconds: How long it took last time, or None.
        source: The run whose results would be taken; None where the step would run.
        why: Why it would run.
        skipped: It would not run, since the user chose others.
        gate: What has to hold for the steps after it to run.
    """

    name: str
    cells: tuple[int, ...]
    after: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    seconds: float | None = None
    source: str | None = None
    why: Reason | None = None
    skipped: bool = False
    gate: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do.

    Attributes:
        notebook: As the user gave it.
        kernel: The kernel's name.
        folder: Working directory of the steps.
        home: The folder `.nb2pipe`.
        jobs: How many places there are.
        steps: In notebook order.
        notes: What the user should know before the run.
    """

    pipeline: str
    notebook: str
    kernel: str
    folder: Path
    home: Path
    jobs: int
    steps: tuple[PlannedStep, ...]
    notes: tuple[Noted, ...] = ()


def plan(pipeline: Pipeline, options: RunOptions) -> Plan:
    """What a run would do.

    Raises:
        NotebookError: The notebook has errors.
        UsageError: A parameter, the kernel, a secret or a folder is wrong.
    """
    prepared = prepare(pipeline, options)
    home = find_home(Path(pipeline.notebook.path), options.home)
    work = make_work(pipeline, prepared.folder)
    shared, options = _shared(Home(home), options)
    expected = expect(pipeline, work, prepared, options, Home(home), shared)
    seconds = seconds_of(earlier_steps(home, pipeline.notebook.path))
    return Plan(
        pipeline=pipeline.name,
        notebook=pipeline.notebook.path,
        kernel=prepared.kernel,
        folder=prepared.folder,
        home=home,
        jobs=prepared.jobs,
        steps=tuple(
            _planned(unit, work, prepared.parameters, seconds.get(unit.name), expected[unit.name])
            for unit in work.units
        ),
        notes=prepared.notes,
    )


def plan_json(plan: Plan) -> dict[str, object]:
    """A plan as `run --dry-run --json` prints it."""
    return {
        "pipeline": plan.pipeline,
        "notebook": plan.notebook,
        "kernel": plan.kernel,
        "folder": str(plan.folder),
        "home": str(plan.home),
        "jobs": plan.jobs,
        "steps": [
            {
                "name": step.name,
                "cells": list(step.cells),
                "after": list(step.after),
                "parameters": {name: plain(value) for name, value in step.parameters.items()},
                "seconds": step.seconds,
                "source": step.source,
                "skipped": step.skipped,
                "why": step.why.message if step.why else None,
                "difference": list(step.why.difference) if step.why else [],
                "gate": step.gate,
                "description": step.description,
            }
            for step in plan.steps
        ],
    }


def earlier_steps(home: Path, notebook: str) -> list[tuple[StepRecord, ...]]:
    """The steps of a notebook's last runs, oldest run first; what cannot be read is not known."""
    path = str(Path(notebook).absolute())
    found: list[tuple[StepRecord, ...]] = []
    with suppress(RecordsError):
        runs = [row.run for row in list_runs(home) if row.notebook == path and row.problem is None]
        for run in reversed(runs[:_RUNS_LOOKED_AT]):
            found.append(read_run(home / RUNS / run).steps)  # noqa: PERF401  # what was read before an error counts
    return found


def seconds_of(runs: Iterable[tuple[StepRecord, ...]]) -> dict[str, float]:
    """How long each step took when it ran last."""
    finished = (step for steps in runs for step in steps if step.finished)
    return {step.name: step.seconds for step in finished if step.seconds is not None}


def _shared(home: Home, options: RunOptions) -> tuple[Shared | None, RunOptions]:
    """The store that others use too, and the options with the initial random state of its users; it is left as it is.

    What is read of it is kept in the home.
    """
    if options.store is None:
        return None, options
    home.create()
    shared = Shared(home, options.store)
    seed = shared.known_seed() if options.seed is None else options.seed
    return shared, replace(options, seed=seed)


def _planned(
    unit: Unit, work: Work, given: Mapping[str, object], seconds: float | None, expected: Expected
) -> PlannedStep:
    sources = {edge.source for edge in work.edges if edge.target == unit.name}
    values = {each.name: each.default for each in unit.pipeline.parameters} | (dict(given) if not unit.scope else {})
    return PlannedStep(
        name=unit.name,
        cells=unit.step.cells,
        after=tuple(name for name in work.names if name in sources),
        parameters=masked({name: values[name] for name in unit.step.parameters if name in values}),
        seconds=seconds,
        source=expected.source,
        why=expected.why,
        skipped=expected.skipped,
        gate=unit.step.gate.text if unit.step.gate else None,
        description=unit.step.description,
    )
