"""The jobs of a pipeline, as platforms want them: what each runs, what it needs, and what was asked for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import SourceKind
from nb2pipe.pipeline.work import make_work
from nb2pipe.targets.model import Mode
from nb2pipe.targets.reads import reads_of_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.codegen.model import StepPlan
    from nb2pipe.pipeline.model import Pipeline, Step
    from nb2pipe.targets.model import Material

_LONGEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A step as a platform runs it: `python -m MODULE`, with folders of values from other jobs.

    Attributes:
        name: The step's, in the run: `STEP`, or `OUTER/INNER` in a nested notebook.
        slug: The name as platforms take it: small letters, digits and dashes, a letter first; unique.
        module: What Python runs, dotted.
        needs: The jobs above it from which anything reaches it, in notebook order, the farthest included: hidden state
            passes over jobs that do not change it.
        parameters: The pipeline's parameters that it takes on its command line.
        gates: The jobs whose gates have to hold, so that it runs.
        conditions: Those of them that the platform looks at before it starts the job; none where the job is started
            always, since one behind fewer gates takes a random generator from it, and looks at its gates itself.
        sources: Files of the bundle that its code stands in, sorted: what it does depends on nothing else there.
        data: Files of the bundle that it is seen to read, sorted.
        step: What the notebook says of it.
    """

    name: str
    slug: str
    module: str
    needs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    step: Step

    @property
    def file(self) -> str:
        """The step's name as a file's name, without an ending."""
        return self.name.replace("/", ".")

    @property
    def gated(self) -> bool:
        """Whether it has to look at its gates itself: `--nb2pipe-gated`."""
        return bool(self.gates) and not self.conditions


def jobs_of(pipeline: Pipeline, material: Material) -> tuple[Job, ...]:
    """The jobs of a pipeline, in notebook order, which is an order in which they can run.

    Args:
        pipeline: Without errors.
        material: Its package, and what was read around it.
    """
    work = make_work(pipeline, Path())
    plans = {plan.name: plan for plan in material.plan.steps}
    above = _above(work.names, ((edge.source, edge.target) for edge in work.edges))
    slugs = _slugs(plans)
    reads = reads_of_steps(pipeline)
    always = _started_always(plans, above)
    return tuple(
        Job(
            name=name,
            slug=slugs[name],
            module=f"{material.plan.name}.steps.{plan.module}",
            needs=tuple(each for each in plans if each in above[name]),
            parameters=_parameters(plan),
            gates=plan.gates,
            conditions=() if name in always else plan.gates,
            sources=_sources(plan, material),
            data=tuple(copy.path for copy in material.copies if not copy.module and copy.path in reads.get(name, ())),
            step=work.by_name[name].step,
        )
        for name, plan in plans.items()
    )


def _above(names: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """All steps above each one; `names` are in an order in which they can run."""
    direct: dict[str, set[str]] = {}
    for source, target in edges:
        direct.setdefault(target, set()).add(source)
    found: dict[str, frozenset[str]] = {}
    for name in names:
        sources = direct.get(name, set())
        found[name] = frozenset(sources).union(*(found[each] for each in sources))
    return found


def _started_always(plans: Mapping[str, StepPlan], above: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The jobs that one behind fewer gates needs: where they were not started, that one would not be either."""
    gates = {name: frozenset(plan.gates) for name, plan in plans.items()}
    pairs = ((name, needed) for name in plans for needed in above[name] & plans.keys())
    return frozenset(needed for name, needed in pairs if not gates[needed] <= gates[name])


def _parameters(plan: StepPlan) -> tuple[str, ...]:
    """The parameters of the pipeline that a step takes under their own names."""
    return tuple(one.name for one in plan.arguments if one.kind is SourceKind.PARAMETER and one.source == one.name)


def _sources(plan: StepPlan, material: Material) -> tuple[str, ...]:
    """The modules of a step, or its notebook; the definitions; all of the author's modules, imported or not."""
    package, path = material.plan.name, plan.module.replace(".", "/")
    modules = {f"{package}/steps/{path}.py", f"{package}/cells/{path}.py"}
    code = {f"notebooks/{plan.name.replace('/', '.')}.ipynb"} if material.flags.mode is Mode.NOTEBOOK else modules
    emitted = {file.path for file in material.package} & {*code, f"{package}/definitions.py"}
    return tuple(sorted(emitted | {copy.path for copy in material.copies if copy.module}))


def _slugs(names: Iterable[str]) -> Mapping[str, str]:
    """Each name as platforms take it.

    >>> _slugs(["load", "outer/Load_2", "outer-load-2"])
    {'load': 'load', 'outer/Load_2': 'outer-load-2', 'outer-load-2': 'outer-load-2-2'}
    """
    slugs: dict[str, str] = {}
    for name in names:
        plain = slug_of(name)
        number, slug = 1, plain
        while slug in slugs.values():
            number += 1
            slug = f"{plain}-{number}"
        slugs[name] = slug
    return slugs


def slug_of(name: str) -> str:
    """A name as platforms take it: small letters, digits and dashes, a letter first; at most some 50 of them.

    >>> slug_of("My Pipeline (2)"), slug_of("2024"), slug_of("größe")
    ('my-pipeline-2', 'step-2024', 'gr-e')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST].strip("-") or "step"
    return plain if plain[0].isalpha() else f"step-{plain}"
