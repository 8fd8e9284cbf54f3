"""A step's command as lines of a script for `sh`, for platforms whose definitions hold scripts.

Values of parameters stand in variables, and come into the command only where they are not empty: what users type into a
form is never part of a script.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.targets.model import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.targets.jobs import Job

_KILLED_AFTER = 30
"""Seconds that a step has to end itself once its time is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where things lie in the folder that a step runs in.

    Attributes:
        values: The folder of what it leaves.
        above: The folders of what the steps above it left.
        notebook: Where its executed notebook goes.
        more: More options of the step's program, as words of the script.
    """

    values: str
    above: tuple[str, ...] = ()
    notebook: str = ""
    more: tuple[str, ...] = ()

    @property
    def metrics(self) -> str:
        """The file with what it measured."""
        return f"{self.values}/told/metrics.json"

    @property
    def gate(self) -> str:
        """The file that says whether its gate holds."""
        return f"{self.values}/told/gate"


def place_of(job: Job, jobs: Mapping[str, Job], mode: Mode) -> Place:
    """Folders below `values`, one for each step.

    Args:
        job: The step.
        jobs: All of them, by name.
        mode: What is run for it.
    """
    values = _folder(job)
    return Place(
        values=values,
        above=tuple(_folder(jobs[name]) for name in job.needs),
        notebook=f"{values}/told/{job.file}.ipynb" if mode is Mode.NOTEBOOK else "",
        more=("--nb2pipe-gated",) if job.gated else (),
    )


def _folder(job: Job) -> str:
    return f"values/{job.slug}"


def word(text: str) -> str:
    """A text as one word of a script, without what platforms replace in scripts.

    >>> print(word("a.csv"), word("it's"), word("${{ x }}"))
    a.csv 'it'"'"'s' '$''{{ x }}'
    """
    return shlex.quote(text).replace("${{", "$''{{")


def step_script(job: Job, place: Place, variables: Mapping[str, str], *, python: str = "python") -> str:
    """The lines that run a step: as often and as long as the notebook asks for.

    Args:
        job: The step.
        place: Where things lie.
        variables: The variable of the environment that holds the value of each parameter, by the parameter's name.
        python: The interpreter, a word of the script.
    """
    limit = job.step.timeout
    words = [f"timeout -k {_KILLED_AFTER} {limit:g}"] if limit is not None else []
    lines = [*words, *_command(job, place, variables, python)]
    if not job.step.retry:
        return _broken(lines, "")
    return "\n".join(_until(_broken(lines, "  "), job.step.retry, job.step.retry_delay)) + "\n"


def step_command(job: Job, place: Place, variables: Mapping[str, str], *, python: str = "python") -> str:
    """As `step_script`, for platforms that themselves try again and look at the time."""
    return _broken(_command(job, place, variables, python), "")


def _command(job: Job, place: Place, variables: Mapping[str, str], python: str) -> list[str]:
    return [f"{python} -m {job.module}", *_options(job, place), *_parameters(job, variables)]


def _options(job: Job, place: Place) -> Iterator[str]:
    yield from (f"--nb2pipe-inputs={folder}" for folder in place.above)
    yield f"--nb2pipe-outputs={place.values}"
    yield "--nb2pipe-files"
    yield f"--nb2pipe-metrics={place.metrics}"
    if job.step.gate is not None:
        yield f"--nb2pipe-gate={place.gate}"
    if place.notebook:
        yield f"--nb2pipe-notebook={place.notebook}"
    yield from place.more


def _parameters(job: Job, variables: Mapping[str, str]) -> Iterator[str]:
    for name in job.parameters:
        if name in variables:
            yield f'${{{variables[name]}:+"--{name}=${variables[name]}"}}'


def _broken(lines: Iterable[str], indent: str) -> str:
    """A command over several lines."""
    first, *rest = lines
    return f"{indent}{first}" + "".join(f" \\\n{indent}  {each}" for each in rest) + "\n"


def _until(command: str, times: int, delay: float) -> Iterator[str]:
    yield "tries=0"
    yield f"until\n{command.rstrip()}\ndo"
    yield "  code=$?"
    yield f'  if [ "$tries" -eq {times} ]; then exit "$code"; fi'
    yield "  tries=$((tries + 1))"
    yield f'  echo "it ended with $code; it is tried again ($tries of {times})"'
    if delay:
        yield f"  sleep {delay:g}"
    yield "done"


def install_script(python: str = "python") -> str:
    """The line that installs what the steps need."""
    return f"{python} -m pip install --disable-pip-version-check --requirement requirements.lock\n"


def quoted_words(texts: Sequence[str]) -> str:
    r"""Texts as words of a command, a line each.

    >>> print(quoted_words(["a", "b c"]))
    a \
        'b c'
    """
    return " \\\n    ".join(map(word, texts))
