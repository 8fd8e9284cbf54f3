"""A notebook with its pipeline, to be run in several ways in one process; and the straight run."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kernels import Shown, fresh_kernel, import_libraries, run_code

from nb2pipe.analysis.analyze import analyze
from nb2pipe.codegen.magics.text import module_text
from nb2pipe.diagnostics import Report
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.interpolation import bound_names
from nb2pipe.notebook.model import ParametersTag, RaisesExceptionTag, SkipTag
from nb2pipe.pipeline.build import build
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import UnstorableError, load
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.serializers.groups import Group

SEED = 11


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run showed.

    Attributes:
        printed: What each cell printed, by its position.
        raised: The error of each cell that raised and may do so.
        values: Digests of variables by name, at the end of each step, and under no name at that of the run.
        failed: The cell that ended the run, with its error; the position is None where no cell is to blame.
        refused: Why a step's value cannot be passed on, which is no difference: the author is told.
    """

    printed: Mapping[int, str]
    raised: Mapping[int, str]
    values: Mapping[str, Mapping[str, str]]
    failed: tuple[int | None, str] | None = None
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A notebook that is to be run in several ways.

    Attributes:
        given: The values of parameters.
        files: Texts of files beside the notebook.
    """

    notebook: Notebook
    pipeline: Pipeline
    environment: Environment
    given: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def folder(self, around: Path, name: str) -> Path:
        """A working directory of its own for a way to run."""
        place = around / name / "work"
        place.mkdir(parents=True)
        for file, text in self.files.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(text, encoding="utf-8")
        return place


def trial_of(
    notebook: Notebook,
    environment: Environment | None = None,
    *,
    given: Mapping[str, object] | None = None,
    files: Mapping[str, str] | None = None,
    read: Report | None = None,
) -> Trial:
    """A notebook with its pipeline; `read` is what was found as it was read."""
    around = environment or Environment()
    dataflow, report = analyze(notebook, around)
    pipeline = build(dataflow, Report.of(read or Report(), report))
    known = {parameter.name for parameter in pipeline.parameters}
    values = {name: value for name, value in (given or {}).items() if name in known}
    places = frozenset[str]().union(*(step.patched for step in pipeline.steps))
    import_libraries("\n".join(cell.source for cell in notebook.cells), places)
    return Trial(notebook=notebook, pipeline=pipeline, environment=around, given=values, files=files or {})


def ancestors(pipeline: Pipeline) -> dict[str, frozenset[str]]:
    """The steps that there is a way from, by step."""
    found: dict[str, frozenset[str]] = {}
    for step in pipeline.steps:
        before = pipeline.before(step.name)
        found[step.name] = frozenset(before).union(*(found[name] for name in before))
    return found


def digests(values: Mapping[str, object]) -> dict[str, str]:
    """The digests of variables, whatever other names mean; what cannot be stored has none."""
    found = {}
    for name, value in values.items():
        if name.startswith("__") or isinstance(value, ModuleType) or type(value).__module__.startswith("matplotlib"):
            continue  # drawing changes a figure's caches
        try:
            found[name] = str(digest(value, namespace={"__name__": "__main__"}))
        except UnstorableError:
            continue
    return found


def stored(groups: Iterable[Group], home: Path, folder: Path) -> dict[str, str]:
    """The values of groups as a later step in a folder gets them."""
    found: dict[str, str] = {}
    with fresh_kernel(folder, SEED):
        for group in groups:
            namespace: dict[str, Any] = {"__name__": "__main__"}
            found |= digests(load(group, store=LocalStore(home / "store"), namespace=namespace))
    return found


# ---------------------------------------------------------------------------------------------- the straight run


def straight(trial: Trial, around: Path) -> Seen:
    """Runs the cells in order in one namespace."""
    folder = trial.folder(around, "straight")
    ends = {step.cells[-1]: step.name for step in trial.pipeline.steps if step.cells}
    outputs = {step.name: frozenset(port.name for port in step.outputs) for step in trial.pipeline.steps}
    every = frozenset[str]().union(*outputs.values())
    shown, values, failed = Shown(folders=(str(folder),)), {}, None
    with fresh_kernel(folder, SEED) as main:
        for cell in trial.notebook.cells:
            if cell.has(SkipTag) or not cell.python:
                continue
            error = run_cell(cell, plain(cell, trial.notebook, cell.source), main, shown)
            if error is not None and not cell.has(RaisesExceptionTag):
                failed = (cell.position, error)
                break
            vars(main).update(_given_after(trial, cell))
            if cell.position in ends:
                names = outputs[ends[cell.position]]
                values[ends[cell.position]] = digests({name: vars(main)[name] for name in names & vars(main).keys()})
        values[""] = digests({name: vars(main)[name] for name in every & vars(main).keys()})
    return Seen(printed=shown.cells, raised=may_have(trial, shown), values=values, failed=failed)


def _given_after(trial: Trial, cell: Cell) -> dict[str, object]:
    if not cell.has(ParametersTag):
        return {}
    here = [one.name for one in trial.pipeline.parameters if one.cell == cell.position]
    return {name: copy.deepcopy(trial.given[name]) for name in here if name in trial.given}


def plain(cell: Cell, notebook: Notebook, source: str) -> str:
    """Text of a cell as Python; magics are what they are in modules, which have tests of their own."""
    if not cell.magics:
        return source
    bound = bound_names(each.python for each in notebook.cells)
    found = module_text(cell, bound, notebook=notebook.path, source=source)
    helpers = "; ".join(f"from nb2pipe.runtime.magics import {name}" for name in found.helpers)
    first, separator, rest = found.text.partition("\n")
    return f"{helpers}; {first}{separator}{rest}" if helpers else found.text


def may_have(trial: Trial, shown: Shown) -> dict[int, str]:
    """The errors of cells that may raise."""
    return {cell: text for cell, text in shown.errors.items() if trial.notebook.cell(cell).has(RaisesExceptionTag)}


def run_cell(cell: Cell | None, text: str, main: ModuleType, shown: Shown) -> str | None:
    """Runs the text of a cell; its error, if it raises one."""
    position = cell.position if cell is not None else None
    with shown.of_cell(position):
        try:
            run_code(text, vars(main), f"<cell {position}>")
        except Exception as error:
            if position is None:
                raise
            return shown.fail(position, error)
    return None
