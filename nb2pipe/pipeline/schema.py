"""`pipeline.json`: a pipeline as a file that other programs read, and that `schema_reader` turns into it again.

The steps stand in it flat, those of nested notebooks in the place of theirs, since who runs them wants them so. What
else a nested pipeline is stands under `pipelines`. The notebook's cells stand in it too, so that no `.ipynb` is needed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import NestedTag
from nb2pipe.notebook.tags import tag_text
from nb2pipe.pipeline.graph import edge_json, json_value
from nb2pipe.pipeline.model import SCHEMA
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.values import encode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from nb2pipe.notebook.model import Cell, Notebook, Settings
    from nb2pipe.pipeline.model import Block, Parameter, Pipeline, Port, Resources, Step
    from nb2pipe.pipeline.work import Unit, Work

FILE = "pipeline.json"
"""The file's name in a converted directory."""

_WIDTH = 120

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepModule:
    """How a step stands in the package, which code generation knows and the pipeline does not.

    Attributes:
        module: Path of its module below `steps`, such as `outer.inner`.
        function: The name of its function.
        form: `function` or `namespace`.
        gates: The steps before it whose gates have to hold.
        metrics: The names whose numbers are metrics, by the position of their cell.
        given_by: Parameters of a nested notebook that are variables around it, with the step that gives each.
    """

    module: str
    function: str
    form: str
    gates: tuple[str, ...] = ()
    metrics: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    given_by: Mapping[str, str] = field(default_factory=dict)


def to_text(pipeline: Pipeline, package: str, modules: Mapping[str, StepModule]) -> str:
    """The text of `pipeline.json`; the same for equal pipelines, everywhere.

    Args:
        pipeline: The pipeline, without errors.
        package: The name of the package that holds the steps' modules.
        modules: How each step stands in it, by the step's name in the run.
    """
    return _text(to_json(pipeline, package, modules), 0) + "\n"


def to_json(pipeline: Pipeline, package: str, modules: Mapping[str, StepModule]) -> Json:
    """A pipeline as `pipeline.json` holds it; the arguments are those of `to_text`."""
    work = make_work(pipeline, Path())
    after = _after(work)
    frames = {unit.name: _frame(unit) for unit in work.units if unit.step.nested is not None}
    return {
        "schema": SCHEMA,
        "name": pipeline.name,
        "package": package,
        "notebook": _notebook(pipeline.notebook),
        "parameters": _parameters(pipeline),
        "steps": [_unit(unit, after[unit.name], modules) for unit in work.units if unit.step.nested is None],
        "edges": [edge_json(edge) for edge in pipeline.edges],
        **({"pipelines": frames} if frames else {}),
    }


def _text(value: object, indent: int) -> str:
    """JSON with what fits on a line on one: a list of numbers need not be read from top to bottom."""
    flat = json.dumps(value, allow_nan=False)
    if not isinstance(value, dict | list) or not value or len(flat) + indent <= _WIDTH:
        return flat
    inside = " " * (indent + 1)
    if isinstance(value, dict):
        lines = [f"{inside}{json.dumps(key)}: {_text(item, indent + 1)}" for key, item in value.items()]
    else:
        lines = [f"{inside}{_text(item, indent + 1)}" for item in value]
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return "\n".join([first, ",\n".join(lines), f"{' ' * indent}{last}"])


# -- the notebook


def _notebook(notebook: Notebook) -> Json:
    return {
        "path": Path(notebook.path).name,
        "digest": notebook.digest.hex,
        "kernel": notebook.kernel.name,
        "python": notebook.kernel.version,
        "settings": _settings(notebook.settings),
        "cells": [_cell(cell) for cell in notebook.cells],
        "nested": {path: _notebook(inner) for path, inner in notebook.nested.items()},
    }


def _settings(settings: Settings) -> Json:
    """The settings as the metadata `nb2pipe` of a notebook say them."""
    texts: Json = {
        name: getattr(settings, name)
        for name in ("name", "description", "schedule", "timezone", "owner", "experiment", "on_failure", "run_date")
        if getattr(settings, name) is not None
    }
    defaults = [tag_text(tag) for tag in settings.step_defaults]
    return {**texts, "defaults": defaults} if defaults else texts


def _cell(cell: Cell) -> Json:
    found: Json = {"id": cell.id, "kind": cell.kind.value, "tags": list(cell.raw_tags), "source": cell.source}
    path = next((tag.path for tag in cell.tags_of(NestedTag) if tag.path is not None), None)
    return found if path is None else {**found, "notebook_path": path}


# -- parameters and steps


def _parameters(pipeline: Pipeline) -> list[Json]:
    return [
        {
            **_parameter(parameter),
            "cell": parameter.cell,
            "line": parameter.line,
            "repeatable": parameter.repeatable,
        }
        for parameter in pipeline.parameters
    ]


def _parameter(parameter: Parameter) -> Json:
    """A parameter; `exact` is there where JSON has no form for its default."""
    plain, exact = json_value(parameter.default), encode(parameter.default)
    found: Json = {
        "name": parameter.name,
        "type": parameter.type,
        "default": plain,
        "is_literal": parameter.is_literal,
    }
    return found if plain == exact else {**found, "exact": exact}


def _frame(unit: Unit) -> Json:
    """What a nested pipeline is beside its steps."""
    nested, own = unit.step.nested, _own(unit)
    assert nested is not None
    return {
        "name": nested.name,
        "parameters": _parameters(nested),
        "edges": [edge_json(edge) for edge in nested.edges],
        "step": {**_step(own, unit), **_trial(own)},
    }


def _own(unit: Unit) -> Step:
    """The step as its own notebook has it."""
    return unit.pipeline.step(unit.name.rpartition("/")[2])


def _unit(unit: Unit, after: Collection[str], modules: Mapping[str, StepModule]) -> Json:
    own, step = _own(unit), unit.step
    said: Json = {} if _trial(own) == _trial(step) else {"own": _trial(own)}
    return {
        **_step(own, unit),
        **_trial(step),
        **said,
        "after": list(after),
        **(_module(modules[unit.name]) if unit.name in modules else {}),
    }


def _step(step: Step, unit: Unit) -> Json:
    """A step; in the flat list its name, and those of the steps that it takes from, are those of the run."""
    used = [parameter for parameter in unit.pipeline.parameters if parameter.name in step.parameters]
    return {
        "name": unit.name,
        "description": step.description,
        "cells": list(step.cells),
        "notebook": Path(unit.pipeline.notebook.path).name if unit.scope else None,
        "inputs": [_port(port) for port in unit.step.inputs],
        "outputs": [_port(port) for port in unit.step.outputs],
        "parameters": [_parameter(parameter) for parameter in used],
        "gate": step.gate.text if step.gate else None,
        "may_raise": [block.cell for block in step.blocks if block.may_raise],
        "measured": list(step.metrics),
        "draws": sorted(step.draws),
        **({"patched": sorted(step.patched)} if step.patched else {}),
        "cache": step.cache,
        "report": step.report,
        "generated": step.generated,
        "resources": _resources(step.resources),
        "blocks": [_block(block) for block in step.blocks],
    }


def _trial(step: Step) -> Json:
    """How often a step is tried, and for how long."""
    trial: Json = {"retry": step.retry, "timeout": step.timeout}
    return {**trial, "retry_delay": step.retry_delay} if step.retry_delay else trial


def _port(port: Port) -> Json:
    found: Json = {"name": port.name, "kind": port.kind.value}
    return found if port.origin is None else {**found, "origin": port.origin}


def _resources(resources: Resources) -> Json:
    """What a target needs to know; only what is said."""
    found: Json = {
        "limits": [list(pair) for pair in resources.limits],
        "image": resources.image,
        "labels": [list(pair) for pair in resources.labels],
        "annotations": [list(pair) for pair in resources.annotations],
        "environment": [list(pair) for pair in resources.environment],
        "secrets": [tag_text(secret).partition(":")[2] for secret in resources.secrets],
    }
    return {key: value for key, value in found.items() if value}


def _block(block: Block) -> Json:
    found: Json = {"cell": block.cell, "role": block.role.value}
    if block.lines is not None:
        found["lines"] = [list(run) for run in _runs(sorted(block.lines))]
    if block.may_raise:
        found["may_raise"] = True
    if block.injects:
        found["injects"] = list(block.injects)
    return found if block.text is None else {**found, "text": block.text}


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighboring numbers, by their first and last.

    >>> list(_runs([1, 2, 3, 7]))
    [(1, 3), (7, 7)]
    """
    first = 0
    for place, number in enumerate(numbers):
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield numbers[first], number
            first = place + 1


def _after(work: Work) -> dict[str, tuple[str, ...]]:
    """For each step those with an edge to it, in notebook order; for a nested pipeline all that it holds."""
    sources: dict[str, set[str]] = {name: set() for name in work.names}
    for edge in work.edges:
        inner = work.by_name[edge.source].inner
        sources[edge.target] |= {each for each in inner if not work.by_name[each].inner} or {edge.source}
    return {name: tuple(sorted(found, key=work.places.__getitem__)) for name, found in sources.items()}


def _module(module: StepModule) -> Json:
    return {
        "module": module.module,
        "function": module.function,
        "form": module.form,
        "gates": list(module.gates),
        "metrics": {str(cell): list(names) for cell, names in module.metrics.items()},
        **({"given_by": dict(module.given_by)} if module.given_by else {}),
    }
