"""What `python -m PACKAGE` runs, all steps in one process; and `python -m PACKAGE.steps.STEP`, one, files to files."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.runtime.arguments import SEED, Own, read_arguments
from nb2pipe.runtime.description import FILE, read_description
from nb2pipe.runtime.figures import use_own_backend
from nb2pipe.runtime.running.alone import run_module
from nb2pipe.runtime.running.by_notebook import is_asked_for, run_notebook
from nb2pipe.runtime.running.ending import guarded
from nb2pipe.runtime.running.functions import parameters_of
from nb2pipe.runtime.running.notice import send_notice
from nb2pipe.runtime.running.together import Run
from nb2pipe.runtime.running.told import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nb2pipe.runtime.arguments import Given

_FAILED = Own(
    name="failed", help="alone: runs nothing, and tells the webhook that the notebook names that a run failed"
)

__all__ = ["Run", "run_pipeline", "run_step"]


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
        own = [SEED, _FAILED] if description.on_failure else [SEED]
        words = sys.argv[1:] if arguments is None else arguments
        if _FAILED in own and list(words) == [
            f"--nb2pipe-{_FAILED.name}"
        ]:  # no value of a parameter is needed for that
            tell(f"told: {send_notice(description)}")
            return
        given = read_arguments(f"python -m {package}", text, parameters, own, words, secrets=description.secrets)
        if given.own.get(_FAILED.name):
            tell(f"told: {send_notice(description)}")
            return
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
        run = run_notebook if is_asked_for(sys.argv[1:] if arguments is None else arguments, facts) else run_module
        run(package, description, facts, arguments)

    return guarded(work)


def _prepare(given: Given) -> None:
    from nb2pipe.runtime.generators import Generators  # noqa: PLC0415  # not needed for `--help`

    use_own_backend()
    if given.own["seed"] is not None:
        Generators(given.own["seed"], {}).begin()


def _root(package: str) -> Path:
    """The folder that a bundle's package lies in."""
    return Path(str(sys.modules[package].__file__)).absolute().parents[1]
