"""What is checked before anything runs, and what follows from it: parameters, secrets, kernel, folders."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.errors import NotebookError, UsageError
from nb2pipe.execution.kernels import choose_kernel
from nb2pipe.notebook.secret_defaults import masking_of_notebook
from nb2pipe.pipeline.parameters import check_values
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.masking import Masking, masking_of, masking_of_environment
from nb2pipe.records.values import secrets_to_give

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.execution.options import RunOptions
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.events import Noted

HASH_SEED = "PYTHONHASHSEED"
WAIT_POLICY = "OMP_WAIT_POLICY"
THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a run works with, checked.

    Attributes:
        parameters: The values given, fitted to the types of the defaults.
        folder: Working directory of the steps.
        kernel: The kernel's name.
        jobs: How many places there are.
        variables: Environment variables that kernels get.
        notes: What the user should know before it begins.
        masking: Replaces secrets: given ones, those in the notebook and those in the environment.
    """

    parameters: Mapping[str, object]
    folder: Path
    kernel: str
    jobs: int
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Noted, ...] = ()
    masking: Masking = field(default_factory=Masking)

    @property
    def surroundings(self) -> dict[str, object]:
        """What else decides on values, for the record."""
        return {
            "hash_seed": self.variables[HASH_SEED],
            "threads": os.environ.get(THREADS) or processors(),
            "wait_policy": self.variables.get(WAIT_POLICY) or os.environ.get(WAIT_POLICY),
            "folder": str(self.folder),
        }


def prepare(pipeline: Pipeline, options: RunOptions) -> Prepared:
    """Checks everything that can be checked before a run.

    Raises:
        NotebookError: The notebook has errors; its report holds them all.
        UsageError: A parameter, the kernel, a secret or a folder is wrong.
    """
    if errors := pipeline.report.errors:
        text = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        message, hint = f"{pipeline.notebook.path} has {text}", f"nb2pipe check {pipeline.notebook.path}"
        raise NotebookError(message, hint=hint, report=pipeline.report)
    parameters = check_values(pipeline, options.parameters)
    _check_given(pipeline, parameters)
    folder = _folder(pipeline, options)
    _check_output(pipeline, options.output)
    _check_secrets(pipeline, folder)
    kernel, note = choose_kernel(pipeline.notebook, options.kernel)
    jobs = options.jobs or processors()
    return Prepared(
        parameters=parameters,
        folder=folder,
        kernel=kernel,
        jobs=jobs,
        variables=_variables(jobs),
        notes=(note,) if note else (),
        masking=_masking(pipeline, folder, parameters),
    )


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _variables(jobs: int) -> dict[str, str]:
    """Steps side by side must not spin while they wait: it costs three times the time, and changes no bit."""
    variables = {HASH_SEED: os.environ.get(HASH_SEED) or "0"}
    if jobs > 1 and WAIT_POLICY not in os.environ:
        variables[WAIT_POLICY] = "passive"
    return variables


def _folder(pipeline: Pipeline, options: RunOptions) -> Path:
    folder = options.folder or Path(pipeline.notebook.path).absolute().parent
    if not folder.is_dir():
        raise UsageError(f"the working directory {folder} is no folder", hint="--cwd takes a folder that exists")
    return folder.resolve()


def _check_output(pipeline: Pipeline, output: Path | None) -> None:
    if output is None:
        return
    if output.resolve() == Path(pipeline.notebook.path).resolve():
        raise UsageError(f"{output} is the notebook itself", hint="give another name for the executed notebook")
    if output.is_dir():
        raise UsageError(f"{output} is a folder", hint=f"give a file in it, such as {output / 'OUT.ipynb'}")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"the folder of {output} does not exist", hint=f"mkdir -p {output.absolute().parent}")


def _check_given(pipeline: Pipeline, given: Mapping[str, object]) -> None:
    """A converted directory does not keep what the author wrote as a secret's default."""
    known = ((each.name, each.default, each.is_literal) for each in pipeline.parameters)
    missing = [name for name in secrets_to_give(known) if name not in given]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise UsageError(f"the secret value of {names} is not kept here", hint=f"give it with -p {missing[0]} VALUE")


def _masking(pipeline: Pipeline, folder: Path, given: Mapping[str, object]) -> Masking:
    units = make_work(pipeline, folder).units
    declared = {secret.variable for unit in units for secret in unit.step.resources.secrets}
    known = masking_of(given) | masking_of_notebook(pipeline.notebook)
    return known | masking_of_environment(os.environ, declared)


def _check_secrets(pipeline: Pipeline, folder: Path) -> None:
    """Names all environment variables at once that secrets stand for and that are not set."""
    missing: dict[str, list[str]] = {}
    for unit in make_work(pipeline, folder).units:
        for secret in unit.step.resources.secrets:
            if secret.variable not in os.environ:
                missing.setdefault(secret.variable, []).append(unit.name)
    if missing:
        named = ", ".join(f"`{name}` (step `{'`, `'.join(dict.fromkeys(steps))}`)" for name, steps in missing.items())
        hint = "set it in the environment of this run: here a secret is an environment variable"
        raise UsageError(f"a secret is not set: {named}", hint=hint)
