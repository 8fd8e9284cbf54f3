"""`nb2pipe verify`: whether a pipeline run computes what the notebook computes when it is run straight."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from nb2pipe import api
from nb2pipe.cli.arguments import EXECUTOR, JOBS, NOTEBOOK, PARAMETER, ParameterCommand
from nb2pipe.cli.compiled import compiled
from nb2pipe.cli.conduct import blamed_cell, display_of
from nb2pipe.cli.diagnostics import failure_text
from nb2pipe.cli.interrupt import interruptible
from nb2pipe.cli.output import shown_path
from nb2pipe.cli.parameters import given_values
from nb2pipe.cli.plain import silent
from nb2pipe.cli.session import common, current, write
from nb2pipe.cli.text import harmless, one_line
from nb2pipe.errors import INTERRUPTED, DifferenceError, StepError, UsageError
from nb2pipe.execution.converted import read_converted
from nb2pipe.execution.options import SEEDS, RunOptions
from nb2pipe.verification.compare import NOT_TAKEN
from nb2pipe.verification.model import Status

if TYPE_CHECKING:
    from nb2pipe.cli.session import Session
    from nb2pipe.execution.model import Package
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.verification.model import Compared, Difference, Verification

_EXECUTORS = ("papermill", "subprocess")
_COLORS = {Status.IDENTICAL: "green", Status.DIFFERENT: "red", Status.FAILED: "red"}
_EPILOG = """\b
Exit code: 0 identical or undetermined; 5 a step fails on both sides; 9 there is a difference.

\b
Examples:
  nb2pipe verify train.ipynb
  nb2pipe verify train.ipynb -p epochs 1 --executor subprocess
  nb2pipe verify train.ipynb --package train_pipeline
  nb2pipe verify train_pipeline --json | tail -1 | jq .first_difference
"""


@click.command("verify", cls=ParameterCommand, short_help="Compare a pipeline run with the notebook.", epilog=_EPILOG)
@NOTEBOOK
@PARAMETER
@JOBS
@EXECUTOR
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    metavar="N",
    envvar="NB2PIPE_SEED",
    show_envvar=True,
    help="The initial state of random, NumPy and torch on both sides; by default the home's.",
)
@click.option(
    "--package",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Compare NOTEBOOK with the modules of a folder that `nb2pipe convert` made.",
)
@common
@click.pass_context
def command(ctx: click.Context, /, notebook: Path, *, package: Path | None, **more: Any) -> None:
    """Run NOTEBOOK straight, top to bottom in one kernel, and as a pipeline, and compare.

    Compared are the variables that each step leaves, bit by bit, and what each cell prints; with papermill also what
    it displays. Where the two differ, the notebook is run straight once more: what differs from run to run by itself,
    such as the time, is `undetermined`. Gates are not applied.

    Both run in the notebook's folder, one after the other: files that the notebook writes are overwritten.

    NOTEBOOK may be a folder that `nb2pipe convert` made: then its modules are compared with the notebook that it was
    made from.
    """
    session = current(ctx)
    pipeline, found = _to_verify(notebook, package, session)
    options = RunOptions(
        parameters=given_values(more["given"]),
        jobs=more["jobs"],
        home=session.home,
        seed=more["seed"],
        executor=_executor(ctx, found),
        package=found,
    )
    ctx.exit(_conduct(session, pipeline, options))


def _to_verify(notebook: Path, package: Path | None, session: Session) -> tuple[Pipeline, Package | None]:
    """The pipeline, and the package that is compared with it, if one is."""
    if not notebook.is_dir():
        pipeline = compiled(notebook, session)
        return pipeline, api.package_of(pipeline, package) if package is not None else None
    if package is not None:
        raise UsageError(f"{notebook} is a folder already", hint="give the notebook and --package DIR, or DIR alone")
    converted = read_converted(notebook)
    return converted.pipeline, converted.package


def _executor(ctx: click.Context, package: Package | None) -> str:
    said = ctx.get_parameter_source("executor") is ParameterSource.COMMANDLINE
    name: str = ctx.params["executor"]
    chosen = name if said or package is None else api.default_executor(package)
    if chosen not in _EXECUTORS:
        raise UsageError(f"`verify` knows no executor `{chosen}`", hint=f"there are: {', '.join(_EXECUTORS)}")
    return chosen


def _conduct(session: Session, pipeline: Pipeline, options: RunOptions) -> int:
    display = display_of(session)

    def tell(text: str) -> None:
        if not session.quiet:
            with contextlib.suppress(BrokenPipeError):  # the reader has gone; the comparison goes on
                display.tell(one_line(text))

    try:
        with interruptible(display.tell, display.close) as cancel:
            found = api.start_verify(pipeline, options, listeners=(silent(display.handle),), tell=tell, cancel=cancel)
    finally:
        display.close()
    if session.json:
        session.emit(verification_json(found))
    return _tell_end(session, found, pipeline)


def verification_json(found: Verification) -> dict[str, object]:
    """What was found, as the last line of `verify --json`."""
    first = found.first_difference
    return {
        "status": str(found.status),
        "steps": [_step_json(step) for step in found.steps],
        "first_difference": _difference_json(first) if first else None,
        "run": found.run or None,
        "certificate": shown_path(found.certificate) if found.certificate else None,
    }


def _step_json(step: Compared) -> dict[str, object]:
    status = str(step.status) if step.status else "not compared"
    return {
        "name": step.step,
        "status": status,
        "values": step.values,
        "cells": step.cells,
        "not_compared": dict(step.left_out),
    }


def _difference_json(first: Difference) -> dict[str, object]:
    return {
        "step": first.step,
        "cell": first.cell,
        "line": first.line,
        "name": first.name,
        "what": str(first.what),
        "path": first.path,
        "straight": first.straight,
        "pipeline": first.pipeline,
    }


def _tell_end(session: Session, found: Verification, pipeline: Pipeline) -> int:
    if found.status is Status.INTERRUPTED:
        write("interrupted", sys.stderr)
        return INTERRUPTED
    for step in found.steps:
        for name, reason in step.left_out.items():
            if reason != NOT_TAKEN or session.verbose:
                session.say(harmless(f"step `{step.step}`: `{name}` was not compared: {reason}"))
    status = session.styled(str(found.status), session.people, fg=_COLORS.get(found.status, "yellow"), bold=True)
    values, cells = sum(step.values for step in found.steps), sum(step.cells for step in found.steps)
    session.say(f"\n{status}: {values} values and the outputs of {cells} cells were compared (run {found.run})")
    if found.certificate is not None:
        session.say(f"certificate: {shown_path(found.certificate)}")
    if found.first_difference is not None:
        session.say(_difference_text(found.first_difference), result=found.status is Status.DIFFERENT)
    return _code(session, found, pipeline)


def _difference_text(first: Difference) -> str:
    words = [f"step `{first.step}`"]
    words += [f"cell {first.cell}"] if first.cell else []
    words += [f"line {first.line}"] if first.line else []
    words.append(f"variable `{first.name}`" if first.name else first.path or str(first.what))
    words += [f"at {first.path}"] if first.name and first.path not in {None, first.name} else []
    place = f"first difference: {', '.join(words)}"
    return harmless(f"{place}\n  straight: {first.straight}\n  pipeline: {first.pipeline}")


def _code(session: Session, found: Verification, pipeline: Pipeline) -> int:
    if found.status is Status.DIFFERENT:
        first = found.first_difference
        where = f" in step `{first.step}`" if first else ""
        raise DifferenceError(f"the pipeline computed something else than the notebook{where}")
    if found.status is Status.FAILED and found.failure is not None:
        path, source = blamed_cell(Path(pipeline.notebook.path), found.failure)
        text = failure_text(found.failure, shown_path(path), source, color=session.colorful(sys.stderr))
        write(f"\n{text}\n", sys.stderr)
        raise StepError(f"step `{found.failure.step}` fails, straight and as a pipeline", hint="mend the notebook")
    if found.status is Status.UNDETERMINED:
        session.say("two straight runs differ there too: the notebook draws on the clock, the system or the network")
    return 0
