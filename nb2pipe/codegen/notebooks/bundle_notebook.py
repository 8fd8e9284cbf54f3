"""The step notebooks of a bundle: plain papermill, or JupyterLab, runs them from folder to folder."""

from __future__ import annotations

import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.modules.indent import INDENT, lines_inside_strings
from nb2pipe.codegen.modules.lines import DICT, bracketed, enclosed
from nb2pipe.codegen.modules.parameters import own_parameters
from nb2pipe.codegen.modules.values import formatted, value_text
from nb2pipe.codegen.modules.words import one_line, quoted
from nb2pipe.codegen.notebooks.original import as_text, code_cell
from nb2pipe.codegen.notebooks.step_notebook import injections, joined, loads
from nb2pipe.codegen.templates import Code, render
from nb2pipe.pipeline.blocks import block_text
from nb2pipe.pipeline.work import make_work
from nb2pipe.runtime.spec import GroupSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.codegen.model import PackagePlan
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.pipeline.model import Block, Parameter, Pipeline, Step
    from nb2pipe.pipeline.work import Unit

_CALL = "nb2pipe_step"
"""What our cells call `nb2pipe.runtime.notebooks`; `begin.py.jinja` imports it."""

_PAPERMILLS = frozenset({"parameters", "injected-parameters"})
"""Tags whose meaning for papermill only our cells may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sketch:
    """A step, as the order of a step notebook's cells depends on it."""

    step: Step
    notebook: Notebook
    parameters: Mapping[str, object] = field(default_factory=dict)


def notebook_files(pipeline: Pipeline, plan: PackagePlan, *, templates: Path | None = None) -> tuple[EmittedFile, ...]:
    """The notebooks `notebooks/STEP.ipynb`, one a step; `OUTER.INNER` is the name of a nested notebook's step.

    The first cell, tagged `parameters`, has the step's parameters with their defaults and `nb2pipe_inputs`,
    `nb2pipe_outputs`, `nb2pipe_seed`; papermill puts its own cell after it. Then come the cells of the step as the
    author wrote them. A value that was given is bound after the author's cell that holds its default, so that what is
    derived from the default in that cell keeps it.

    Args:
        pipeline: The pipeline.
        plan: Of the bundle's package.
        templates: A folder of the user's whose templates take the place of ours.

    Returns:
        The files, in notebook order of the steps: the same bytes for the same pipeline.
    """
    units = make_work(pipeline, Path()).units
    return tuple(_file(unit, pipeline, plan, templates) for unit in units if not unit.inner)


def _file(unit: Unit, pipeline: Pipeline, plan: PackagePlan, templates: Path | None) -> EmittedFile:
    kernel = pipeline.notebook.kernel.name or "python3"
    name = unit.name.replace("/", ".")
    cells = list(_cells(unit, pipeline, plan, templates))
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": kernel, "language": "python", "name": kernel},
            "language_info": {"name": "python"},
            "nb2pipe": {"step": unit.name},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return EmittedFile(path=f"notebooks/{name}.ipynb", text=as_text(notebook))


def _cells(unit: Unit, pipeline: Pipeline, plan: PackagePlan, templates: Path | None) -> Iterator[dict[str, Any]]:
    step, notebook = unit.step, unit.pipeline.notebook
    known = {one.name: one for one in unit.pipeline.parameters}
    parameters = [known[name] for name in step.parameters if name in known]
    file = unit.name.replace("/", ".")
    yield _markdown(render("notebook/title.md.jinja", templates, step=unit.name, title=pipeline.name, file=file))
    yield _ours(_defaults(parameters, _around(unit, plan)), "parameters")
    begin = Code(_begin(unit.name, parameters))
    yield _ours(render("notebook/begin.py.jinja", templates, package=plan.name, begin=begin).rstrip("\n"))
    yield from _body(_Sketch(step=step, notebook=notebook, parameters={one.name: None for one in parameters}))
    yield _ours(f"# keeps what the step made\n{_CALL}.leave()")


def _around(unit: Unit, plan: PackagePlan) -> dict[str, Code]:
    """The defaults that parameters of a nested notebook have from around it; `give` puts them in its own's place."""
    step = next((each for each in plan.steps if each.name == unit.name), None) if unit.scope else None
    if step is None:
        return {}
    pairs = zip(own_parameters(step, plan.parameters), step.parameters, strict=True)
    return {one.name: Code(formatted(one.default)) for one, inner in pairs if one.default != inner.default}


def _begin(step: str, parameters: list[Parameter]) -> str:
    defaults = [f"{quoted(one.name)}: {_default(one)}" for one in parameters]
    mapping = enclosed("", defaults, "", indent=INDENT, brackets=DICT).lstrip()
    return bracketed(f"{_CALL}.begin", [quoted(step), "_bundle", mapping], "")


def _body(sketch: _Sketch) -> Iterator[dict[str, Any]]:
    """The step's cells, with ours between them: what it takes is loaded as late as possible."""
    step = sketch.step
    blocks = joined(step.blocks)
    groups = tuple(GroupSpec(names=(port.name,), digest="", take=(port.name,)) for port in step.inputs)
    takes, gives = loads(sketch, blocks, groups), injections(sketch, blocks)
    last = max(takes, default=0)
    for index, block in enumerate([None, *blocks]):
        if index in takes:
            yield _take([] if index == last else takes[index])
        if block is not None:
            yield from _block(block, sketch)
        if names := gives.get(index):
            yield _ours(f"# what was given takes the place of the default\n{_call('give', names)}")
    if len(blocks) + 1 in takes:
        yield _take([])


def _block(block: Block, sketch: _Sketch) -> Iterator[dict[str, Any]]:
    cell = sketch.notebook.cell(block.cell)
    if block.may_raise:
        yield _ours(f"# the next cell may raise\n{_CALL}.expect_error()")
    yield _authors(cell, block)
    if block.cell in sketch.step.metrics:
        yield _ours(f"# takes the metrics\n{_CALL}.measure({block.cell})")


def _take(names: list[str]) -> dict[str, Any]:
    return _ours(f"# takes what earlier steps left\n{_call('take', names)}")


def _call(function: str, names: list[str]) -> str:
    return bracketed(f"{_CALL}.{function}", [quoted(name) for name in sorted(set(names))], "")


def _defaults(parameters: list[Parameter], around: Mapping[str, Code]) -> str:
    rows = [
        'nb2pipe_inputs = ""  # the folder that earlier steps wrote into, or a list of folders',
        'nb2pipe_outputs = ""  # the folder for what this step leaves',
        "nb2pipe_seed = None  # a number sets the generators of random, NumPy and torch",
        'nb2pipe_bundle = ""  # the folder of the bundle, if it is not found',
    ]
    return "\n".join([*rows, *(_assignment(one, around.get(one.name)) for one in parameters)])


def _assignment(one: Parameter, around: Code | None) -> str:
    text = around or _default(one)
    return f"{one.name} = {text}" + (f"  # unless given: {one_line(str(one.default))}" if text == "..." else "")


def _default(one: Parameter) -> Code:
    """The default as a literal; `...` where it is none."""
    return Code(value_text(one.default) if one.is_literal else "...")


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.strip()}


def _ours(source: str, *tags: str) -> dict[str, Any]:
    return code_cell(source, {"tags": [*tags], "nb2pipe": {"role": "ours"}})


def _authors(cell: Cell, block: Block) -> dict[str, Any]:
    tags = [tag for tag in cell.raw_tags if tag not in _PAPERMILLS]
    ours = {"cell": cell.position, "role": block.role.value}
    text = block_text(cell, block)
    return code_cell(text if block.lines is None else _closed_up(text), {"tags": tags, "nb2pipe": ours})


def _closed_up(text: str) -> str:
    """Without the blank lines that stand for what was left out."""
    try:
        inside = lines_inside_strings(text)
    except (SyntaxError, tokenize.TokenError):
        return text.strip("\n")
    kept: list[str] = []
    for number, row in enumerate(text.split("\n"), start=1):
        if row.strip() or number in inside or kept[-2:] != ["", ""]:
            kept.append(row)
    return "\n".join(kept).strip("\n")
