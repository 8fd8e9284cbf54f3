"""A pipeline as Kubeflow Pipelines has it: components with typed inputs and outputs, wired to each other, in groups."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.pipeline.model import PortKind
from nb2pipe.targets.kfp.types import ARTIFACT, artifact_types
from nb2pipe.targets.model import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.kfp.parameters import Given
    from nb2pipe.targets.model import Material

GATE = "Output"
"""What KFP calls the value that a component returns: whether its gate holds."""
STATE, METRICS, NOTEBOOK, CREATED = "state", "metrics", "notebook", "created"
"""Outputs and an input that are no variables: all else that a step leaves, what it measured, its executed notebook, the
moment that the run was created at."""

_GROUP = re.compile(r"(condition|condition-branches|exit-handler|for-loop)-\d+")
"""Names that KFP gives to groups of tasks."""

TAKEN = frozenset({"kfp", "dsl", "compiler", "kubernetes", "pipeline", "run_step", "tell_failure", "os", "sys"}) | {
    *("bool", "dict", "float", "int", "isinstance", "list", "str", "Output", "IMAGE", "status"),
    *(STATE, METRICS, NOTEBOOK, CREATED),
}
"""Names that stand for something else in the definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """An artifact that a component leaves.

    Attributes:
        task: The task that leaves it.
        output: Its name there.
        kind: The class of artifacts, such as `Dataset`.
    """

    task: str
    output: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A step as a component, and the one task that it is.

    Attributes:
        job: The step.
        function: The name of the function.
        task: The name of the task.
        variable: What holds the task in the definition.
        parameters: What it is given, in the pipeline's order.
        created: The name of the input that has the moment of the run; None where it does not take the run's date.
        inputs: The artifacts that it takes, by the names of its inputs; the state of the steps right before it first.
        outputs: The names of its outputs by variable, sorted.
        kinds: The class of artifacts of each of them.
        metrics: It measures something.
        gates: The tasks whose gates have groups that it is in, the outermost first.
        gated: It has to look at gates itself, since their groups would not lie in each other.
        code: Digest of all that its work depends on, but for what it takes.
        notebook: It runs as its notebook, which is kept.
        note: What the step does, for people; empty where nobody says.
    """

    job: Job
    function: str
    task: str
    variable: str
    parameters: tuple[Given, ...] = ()
    created: str | None = None
    inputs: Mapping[str, Channel] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    metrics: bool = False
    gates: tuple[str, ...] = ()
    gated: bool = False
    code: str = ""
    notebook: bool = False
    note: str = ""


def components_of(material: Material, jobs: Sequence[Job], given: Sequence[Given]) -> tuple[Component, ...]:
    """The components of a pipeline, in notebook order.

    Args:
        material: Its package, and what was read around it.
        jobs: Its jobs.
        given: Its parameters.
    """
    names = _function_names(jobs, {one.name for one in given})
    digests = {file.path: str(Digest.of_bytes(file.text.encode())) for file in material.package}
    digests |= {copy.path: str(copy.digest) for copy in material.copies}
    kinds = artifact_types(material)
    paths = group_paths(jobs)
    notes = {
        plan.name: next(iter(plan.docstring.strip().splitlines()), "").lstrip("# ") for plan in material.plan.steps
    }
    made: dict[str, Component] = {}
    for job in jobs:
        own = tuple(one for one in given if one.option in job.parameters)
        taken = {one.name for one in own}
        outputs = _outputs(job, taken)
        taken |= {STATE, METRICS, NOTEBOOK, *outputs.values()}
        above = [made[name] for name in job.needs]
        inputs = dict(_inputs(job, above, taken))
        created = CREATED if any(one.is_run_date for one in own) else None
        made[job.name] = Component(
            job=job,
            function=names[job.name],
            task=names[job.name].replace("_", "-"),
            variable=_free(f"{names[job.name]}_task", {*names.values(), *(one.name for one in given)}),
            parameters=own,
            created=created and _free(created, taken | inputs.keys()),
            inputs=inputs,
            outputs=outputs,
            kinds={output: kinds.get(f"{job.name}.{name}", ARTIFACT) for name, output in outputs.items()},
            metrics=bool(job.step.metrics),
            gates=tuple(names[gate].replace("_", "-") for gate in paths[job.name]),
            gated=bool(set(job.gates) - set(paths[job.name])),
            code=_code(job, digests),
            notebook=material.flags.mode is Mode.NOTEBOOK,
            note=notes[job.name],
        )
    return tuple(made.values())


def group_paths(jobs: Sequence[Job]) -> dict[str, tuple[str, ...]]:
    """The gates that have groups around each job, the outermost first.

    What lies in a group hands nothing on to what lies outside of it. A gate has groups unless that would keep a job
    from what it takes, as where a job has two gates that do not lie in each other; then steps look at it themselves.
    """
    chosen: list[str] = []
    gates = dict.fromkeys(gate for job in jobs for gate in job.gates)
    for gate in gates:
        if _is_nested(jobs, [*chosen, gate]):
            chosen.append(gate)
    return {job.name: _path(job, chosen) for job in jobs}


def _path(job: Job, chosen: Collection[str]) -> tuple[str, ...]:
    return tuple(gate for gate in chosen if gate in job.gates)


def _is_nested(jobs: Sequence[Job], chosen: Sequence[str]) -> bool:
    """Whether all that a job needs lies in groups that it lies in, too."""
    paths = {job.name: _path(job, chosen) for job in jobs}
    wiring = ((name, paths[job.name]) for job in jobs for name in job.needs)
    gates = ((gate, path[:place]) for path in paths.values() for place, gate in enumerate(path))
    return all(paths[name] == path[: len(paths[name])] for name, path in (*wiring, *gates))


def _function_names(jobs: Iterable[Job], parameters: Collection[str]) -> dict[str, str]:
    """The name of each job's function; with dashes, it is the name of its task."""
    found: dict[str, str] = {}
    for job in jobs:
        name = job.slug.replace("-", "_")
        taken = keyword.iskeyword(name) or name in TAKEN or name in parameters
        if taken or _GROUP.fullmatch(job.slug):
            name = f"{name}_step"
        number, plain = 1, name
        while name in {*found.values(), *parameters, *TAKEN}:
            number += 1
            name = f"{plain}_{number}"
        found[job.name] = name
    return found


def _outputs(job: Job, taken: Collection[str]) -> dict[str, str]:
    """The name of the output of each variable that the step leaves."""
    names = sorted(port.name for port in job.step.outputs if port.kind is PortKind.VARIABLE)
    found: dict[str, str] = {}
    for name in names:
        found[name] = _free(_plain(name), {*taken, *found.values(), *TAKEN, STATE, METRICS, NOTEBOOK})
    return found


def _inputs(job: Job, above: Sequence[Component], taken: Collection[str]) -> Iterator[tuple[str, Channel]]:
    """What the step takes: the state of the steps right before it, which carries on that of others, and variables."""
    used = {*taken, *TAKEN}
    for each in above:
        if not any(each.job.name in other.job.needs for other in above):
            name = _free(f"{each.function}_{STATE}", used)
            used.add(name)
            yield name, Channel(task=each.task, output=STATE, kind=ARTIFACT)
    for name in sorted({port.name for port in job.step.inputs}):
        maker = next((each for each in reversed(above) if name in {port.name for port in each.job.step.outputs}), None)
        if maker is not None and name in maker.outputs:
            output = maker.outputs[name]
            own = _free(_plain(name), used, "given_{}")
            used.add(own)
            yield own, Channel(task=maker.task, output=output, kind=maker.kinds[output])


def _plain(name: str) -> str:
    """A name of a variable in letters that all parts of KFP take.

    >>> _plain("größe"), _plain("_x")
    ('gr_e', 'x')
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "value"
    return f"v{plain}" if plain[0].isdigit() or keyword.iskeyword(plain) else plain


def _free(name: str, taken: Collection[str], form: str = "{}_value") -> str:
    """A name that nothing else has.

    >>> _free("net", {"net"}), _free("net", {"net"}, "given_{}"), _free("net", {"net", "net_value"})
    ('net_value', 'given_net', 'net_value_2')
    """
    if name not in taken:
        return name
    number, plain = 1, form.format(name)
    found = plain
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    return found


def _code(job: Job, digests: Mapping[str, str]) -> str:
    """KFP reuses what a component with the same text made, and the text says only which module is run."""
    files = [[path, digests.get(path, "")] for path in (*job.sources, *job.data)]
    gate = job.step.gate.text if job.step.gate else ""
    return Digest.of("component", [files, gate, list(job.step.metrics)]).hex[:16]
