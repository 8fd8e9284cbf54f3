"""The tasks of an Airflow DAG and the order between them, as lines of Python."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.lines import LIST, bracketed
from nb2pipe.codegen.modules.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.targets.jobs import Job

_LONGEST = 200
_INDENT = "    "
_TAKEN = frozenset(
    (
        "gate",
        "given",
        "holds",
        "json",
        "k8s",
        "limits",
        "mask_secret",
        "os",
        "pathlib",
        "pendulum",
        "run_date",
        "run_step",
        "secret",
        "secrets",
        "send_notice",
        "step",
        "subprocess",
        "sys",
        "timedelta",
        "values",
    )
)
"""Names of ours in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of Airflow.

    Attributes:
        job: What it runs.
        id: Its name in Airflow, within its group.
        variable: Its name in the file.
        gate: The variable of the task that looks at its gate, and `gate_id` its name; empty where it has none.
        above: The variables of the tasks right above it.
        patient: It also runs where a task above it was skipped.
    """

    job: Job
    id: str
    variable: str
    gate: str = ""
    gate_id: str = ""
    above: tuple[str, ...] = ()
    patient: bool = False


def tasks_of(jobs: Sequence[Job]) -> tuple[Task, ...]:
    """The tasks of a pipeline, in notebook order.

    Above a task stand as few others as lead to the same order. A task is skipped when one above it was; where that may
    happen without its own gates being closed, it waits for the others only, and is skipped by its gates alone.

    Args:
        jobs: In notebook order.
    """
    variables: dict[str, str] = {}
    for job in jobs:
        variables[job.name] = _free(re.sub(r"\W", "_", job.name, flags=re.ASCII), {*_TAKEN, *variables.values()})
    gated = [job for job in jobs if job.step.gate is not None]
    gates: dict[str, str] = {}
    for job in gated:
        gates[job.name] = _free(f"{variables[job.name]}_gate", {*_TAKEN, *variables.values(), *gates.values()})
    known = _Known({job.name: job for job in jobs}, variables, gates)
    return tuple(known.task(job) for job in jobs)


@dataclass(frozen=True, slots=True)
class _Known:
    """All jobs of a pipeline, and what their tasks are called."""

    jobs: Mapping[str, Job]
    variables: Mapping[str, str]
    gates: Mapping[str, str]

    def task(self, job: Job) -> Task:
        parents = [each for each in job.needs if not self._is_behind(each, job.needs)]
        patient = any(set(self.jobs[each].gates) - set(job.gates) for each in parents)
        covered = {gate for each in parents for gate in self.jobs[each].gates}
        closing = [gate for gate in job.gates if patient or gate not in covered]
        above = [self.variables[each] for each in parents if each not in closing]
        return Task(
            job=job,
            id=_id(job),
            variable=self.variables[job.name],
            gate=self.gates.get(job.name, ""),
            gate_id=self._gate_id(job),
            above=(*above, *(self.gates[gate] for gate in closing)),
            patient=patient,
        )

    def _gate_id(self, job: Job) -> str:
        name = f"{job.name}_gate"
        while name in self.jobs:
            name += "_"
        return name.rpartition("/")[2]

    def _is_behind(self, name: str, needs: Sequence[str]) -> bool:
        """Whether one of the jobs that are needed needs another one, so that the order is kept without it."""
        return any(name in self.jobs[each].needs for each in needs)


def _id(job: Job) -> str:
    name = job.name.rpartition("/")[2]
    return name if len(name) <= _LONGEST else job.slug


def _free(name: str, taken: set[str]) -> str:
    word = name if len(name) <= _LONGEST else name[:_LONGEST]
    word = word if word.isidentifier() and word not in taken and not _is_word(word) else f"{word}_"
    number, found = 1, word
    while found in taken:
        number += 1
        found = f"{word}{number}"
    return found


def _is_word(name: str) -> bool:
    return keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name)


# ------------------------------------------------------------------------------------------------ as Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The statement that makes a task, and its options as Python, in the order of the file."""

    task: Task
    module: str
    options: Mapping[str, str] = field(default_factory=dict)


def body(calls: Sequence[Call]) -> str:
    """The lines within `with DAG(...)`: tasks in their groups, and the order between them."""
    rows: list[str] = []
    inside: list[str] = []
    for call in calls:
        *groups, _ = call.task.job.name.split("/")
        while inside != groups[: len(inside)]:
            inside.pop()
        for group in groups[len(inside) :]:
            inside.append(group)
            rows.append(f"{_INDENT * len(inside)}with TaskGroup({quoted(group[:_LONGEST])}):")
        rows += _statements(call, _INDENT * (len(inside) + 1))
    order = list(_order([call.task for call in calls]))
    return "\n".join([*rows, *([""] if order else []), *order])


def _statements(call: Call, indent: str) -> Iterator[str]:
    task = call.task
    options = [f"{name}={text}" for name, text in call.options.items()]
    module = [] if call.module == task.id else [f"module={quoted(call.module)}"]
    yield bracketed(f"{task.variable} = step", [quoted(task.id), *module, *options], "", indent=indent)
    if task.gate:
        yield bracketed(f"{task.gate} = gate", [quoted(task.gate_id), task.variable], "", indent=indent)


def _order(tasks: Sequence[Task]) -> Iterator[str]:
    """A statement for each task that others come right after."""
    below: dict[str, list[str]] = {}
    for task in tasks:
        for each in task.above:
            below.setdefault(each, []).append(task.variable)
    for above, later in below.items():
        if len(later) == 1:
            yield f"{_INDENT}{above} >> {later[0]}"
        else:
            yield bracketed(f"{above} >> ", later, "", indent=_INDENT, brackets=LIST)
