"""STAGE 4a, the way back: the author's whole notebook, with the outputs that the step notebooks of a run hold."""

from __future__ import annotations

import datetime as dt
import re
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.notebooks.original import as_text, code_cell, original, read_file
from nb2pipe.errors import RecordsError
from nb2pipe.notebook.model import CellKind, InjectedParametersTag, NestedTag, SkipTag
from nb2pipe.notebook.secret_defaults import masking_of_notebook, without_secret_defaults
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.files import RUN_FILE, read_run, step_path, write_atomically
from nb2pipe.records.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.events import Failure
    from nb2pipe.records.files import RunRecord

NAME = "notebook.ipynb"
"""The file's name in the folder of the run."""

_HAS_NOTEBOOK = {
    StepStatus.RUNNING,
    StepStatus.RAN,
    StepStatus.REUSED,
    StepStatus.FAILED,
    StepStatus.INTERRUPTED,
}
_WIDGETS = "application/vnd.jupyter.widget-state+json"
_CELL_IN = re.compile(r"(Cell (?:\x1b\[[0-9;]*m)*In ?\[)(\d{1,9})(\])")


@dataclass(frozen=True, slots=True)
class _Ran:
    """A cell as a step notebook holds it after the run."""

    step: str
    count: int | None
    outputs: tuple[dict[str, Any], ...]
    metadata: Mapping[str, Any]


@dataclass(slots=True)
class _Found:
    """What the step notebooks of a run hold.

    Attributes:
        own: The runs of the steps' own cells, by position.
        shared: The first run of each repeated cell, by position.
        places: The position of the cell that a step's kernel counted so.
        metadata: Those of the step notebooks.
    """

    own: dict[int, list[_Ran]] = field(default_factory=dict)
    shared: dict[int, _Ran] = field(default_factory=dict)
    places: dict[tuple[str, int], int] = field(default_factory=dict)
    metadata: list[Mapping[str, Any]] = field(default_factory=list)

    def at(self, position: int) -> list[_Ran]:
        """What ran of the cell at a position: the step's own run, else the first of the repeated ones."""
        own = self.own.get(position)
        if own is not None:
            return own
        return [self.shared[position]] if position in self.shared else []


def assemble(run_folder: Path, pipeline: Pipeline) -> Path:
    """Writes the whole notebook of a run.

    All the author's cells stand in it in order, as the author wrote them. Outputs are those of this run; a cell that
    did not run has none. A cell with the values given stands after the parameters cell, as papermill writes it; secret
    ones are masked, as in the record. Cells are numbered as in one run from top to bottom.

    Args:
        run_folder: The folder of the run, with its `run.json` and `steps/STEP.ipynb`.
        pipeline: The pipeline that ran.

    Returns:
        The path of the notebook.

    Raises:
        RecordsError: The notebook cannot be written, or the record cannot be read.
    """
    record = read_run(run_folder) if (run_folder / RUN_FILE).exists() else None
    notebook = original(pipeline.notebook)
    found = _find(run_folder, pipeline, record)
    notebook["cells"] = _cells(notebook["cells"], pipeline, found, record)
    path = run_folder / NAME
    _set_metadata(notebook, pipeline, found, record, path)
    try:
        write_atomically(path, as_text(notebook).encode())
    except OSError as error:
        raise RecordsError(f"cannot write {path}: {error.strerror or error}") from error
    return path


# -- the step notebooks


def _find(run_folder: Path, pipeline: Pipeline, record: RunRecord | None) -> _Found:
    found = _Found()
    shown = without_secret_defaults(pipeline.notebook)
    for step in pipeline.steps:
        path = _step_notebook(run_folder, step.name, record)
        node = read_file(path) if path is not None else None
        if node is None:
            continue
        found.metadata.append(node["metadata"])
        for cell in node["cells"]:
            _note(found, step.name, cell, shown if record and record.resumed else None)
    return found


def _step_notebook(run_folder: Path, step: str, record: RunRecord | None) -> Path | None:
    """Where a step's notebook lies: in this run, or in the one whose results were taken."""
    here = step_path(run_folder, step, ".ipynb")
    if record is None:
        return here
    states = {each.name: each for each in record.steps}
    state = states.get(step)
    if state is None or state.status not in _HAS_NOTEBOOK:
        return None
    if state.status is StepStatus.REUSED and state.source and not here.exists():
        return step_path(run_folder.parent / Path(state.source).name, step, ".ipynb")
    return here


def _note(found: _Found, step: str, cell: dict[str, Any], edited: Notebook | None) -> None:
    """Takes what a cell of a step notebook holds.

    In a run that was gone on with, the notebook may have been `edited` since a step ran that has not run again yet;
    what another cell left there is not taken.
    """
    metadata = cell["metadata"]
    ours = metadata.get("nb2pipe", {})
    position, role = (ours.get("cell"), ours.get("role")) if isinstance(ours, dict) else (None, None)
    if not isinstance(position, int) or cell.get("cell_type") != "code":
        return
    outputs = tuple(cell.get("outputs", ()))
    count = cell.get("execution_count")
    if (count is None and not outputs) or (edited and not _is_of(edited, position, str(cell.get("source", "")))):
        return
    if isinstance(count, int):
        found.places[step, count] = position
    ran = _Ran(step, count, outputs, {key: metadata[key] for key in ("papermill", "execution") if key in metadata})
    if role == "code":
        found.own.setdefault(position, []).append(ran)
    else:
        found.shared.setdefault(position, ran)


def _is_of(notebook: Notebook, position: int, source: str) -> bool:
    """Whether a text is the cell at a position, or some lines of it."""
    if not 1 <= position <= len(notebook.cells):
        return False
    theirs = notebook.cell(position).source.split("\n")
    ours = source.rstrip().split("\n")
    return len(ours) <= len(theirs) and all(line.strip() in own for line, own in zip(ours, theirs, strict=False))


# -- the cells


def _cells(
    originals: Iterable[dict[str, Any]], pipeline: Pipeline, found: _Found, record: RunRecord | None
) -> list[dict[str, Any]]:
    given = _given(pipeline, record)
    secrets = masking_of_notebook(pipeline.notebook)
    shown = without_secret_defaults(pipeline.notebook)
    failures = {step.failure.cell: step.failure for step in record.steps if step.failure} if record else {}
    numbers = _numbers(pipeline, found, record, given)
    counts = {key: numbers[position] for key, position in found.places.items() if position in numbers}
    cells: list[dict[str, Any]] = []
    for cell, model in zip(originals, shown.cells, strict=True):
        position = model.position
        if not _is_replaced(model, given):
            _clear(cell)
            if secrets.values:
                cell["source"] = secrets.text(model.source)
            _fill(cell, found.at(position), numbers.get(position), counts)
            _name_failure(cell, failures.get(position))
            cells.append(cell)
        if position in given:
            number = numbers.get(position, 0) + (0 if _is_replaced(model, given) else 1)
            cells.append(_injected(given[position], number, f"injected-parameters-{position}"))
    return cells


def _numbers(pipeline: Pipeline, found: _Found, record: RunRecord | None, given: Mapping[int, str]) -> dict[int, int]:
    """The number of each cell that ran, by position, as one run from top to bottom counts them."""
    whole = record is None or all(step.finished for step in record.steps)
    owned = {position for step in pipeline.steps for position in step.cells}
    numbers: dict[int, int] = {}
    number = 0
    for model in pipeline.notebook.cells:
        replaced = _is_replaced(model, given)
        repeated = whole and model.position not in owned and _is_run(model)
        if (found.at(model.position) or repeated) and not replaced:
            number += 1
            numbers[model.position] = number
        if model.position in given:
            number += 1
            numbers.setdefault(model.position, number)
    return numbers


def _is_replaced(model: Cell, given: Mapping[int, str]) -> bool:
    """Papermill's own cell makes room for the values that are given now."""
    return bool(given) and model.has(InjectedParametersTag)


def _is_run(model: Cell) -> bool:
    """Whether a run from top to bottom runs the cell; one without code is passed over by Jupyter too."""
    return model.kind is CellKind.CODE and bool(model.source.strip()) and not model.has(SkipTag, NestedTag)


def _given(pipeline: Pipeline, record: RunRecord | None) -> dict[int, str]:
    """The assignments of the values given, by the position of the parameters cell that they follow."""
    texts: dict[int, str] = {}
    for parameter in pipeline.parameters if record else ():
        if record and parameter.name in record.given and parameter.name in record.parameters:
            line = f"{parameter.name} = {_literal(record.parameters[parameter.name])}"
            texts[parameter.cell] = f"{texts.get(parameter.cell, '# Parameters')}\n{line}"
    return texts


def _literal(value: object) -> str:
    try:
        return literal(value)
    except ValueError:
        return repr(repr(value))


def _clear(cell: dict[str, Any]) -> None:
    """Takes out what an earlier run left."""
    for key in ("papermill", "execution"):
        cell["metadata"].pop(key, None)
    if cell["cell_type"] == "code":
        cell["outputs"] = []
        cell["execution_count"] = None


def _fill(cell: dict[str, Any], ran: list[_Ran], number: int | None, counts: Mapping[tuple[str, int], int]) -> None:
    if number is None or cell["cell_type"] != "code":
        return
    cell["execution_count"] = number
    for each in ran:
        cell["metadata"].update(each.metadata)
        cell["outputs"].extend(_numbered(output, number, each.step, counts) for output in each.outputs)


def _numbered(output: dict[str, Any], number: int, step: str, counts: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    """An output with the number of the whole notebook, where it names one."""
    if output.get("output_type") == "execute_result":
        return {**output, "execution_count": number}
    if output.get("output_type") != "error":
        return output

    def renumber(match: re.Match[str]) -> str:
        return f"{match[1]}{counts.get((step, int(match[2])), match[2])}{match[3]}"

    return {**output, "traceback": [_CELL_IN.sub(renumber, str(line)) for line in output.get("traceback", ())]}


def _name_failure(cell: dict[str, Any], failure: Failure | None) -> None:
    """Shows the end of a kernel, or of the time, in the cell that it hit; an exception stands there already."""
    if failure is None or cell["cell_type"] != "code":
        return
    if any(each.get("output_type") == "error" for each in cell["outputs"]):
        return
    lines = (failure.traceback or f"{failure.kind}: {failure.message}").splitlines()
    error = {"output_type": "error", "ename": failure.kind, "evalue": failure.message, "traceback": lines}
    cell["outputs"].append(error)


def _injected(source: str, number: int, identity: str) -> dict[str, Any]:
    return {**code_cell(source, {"tags": ["injected-parameters"]}, count=number), "id": identity}


# -- the notebook's metadata


def _set_metadata(
    notebook: dict[str, Any], pipeline: Pipeline, found: _Found, record: RunRecord | None, path: Path
) -> None:
    metadata = notebook["metadata"] = masking_of_notebook(pipeline.notebook).value(notebook["metadata"])
    metadata.pop("papermill", None)
    metadata.pop("widgets", None)
    first: Mapping[str, Any] = found.metadata[0] if found.metadata else {}
    if "kernelspec" in first:
        metadata.setdefault("kernelspec", first["kernelspec"])
    if "language_info" in first:
        metadata["language_info"] = first["language_info"]
    if widgets := _widgets(found.metadata):
        metadata["widgets"] = widgets
    if record is not None:
        metadata["papermill"] = _papermill(pipeline, record, path)


def _papermill(pipeline: Pipeline, record: RunRecord, path: Path) -> dict[str, Any]:
    """What papermill writes of an execution."""
    ended = record.finished or time.time()
    failed = any(step.failure for step in record.steps) or record.status is RunStatus.FAILED
    return {
        "default_parameters": {},
        "duration": round(max(0.0, ended - record.started), 6),
        "end_time": _iso(ended),
        "environment_variables": {},
        "exception": True if failed else None,
        "input_path": pipeline.notebook.path,
        "output_path": str(path),
        "parameters": {name: plain(record.parameters.get(name)) for name in record.given},
        "start_time": _iso(record.started),
        "version": _papermill_version(),
    }


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).isoformat()


def _papermill_version() -> str:
    try:
        return version("papermill")
    except PackageNotFoundError:
        return ""


def _widgets(metadata: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The states of all widgets of all steps, so that progress bars and the like can be drawn."""
    states: dict[str, Any] = {}
    for each in metadata:
        kept = each.get("widgets", {}).get(_WIDGETS, {}).get("state", {})
        states.update(kept if isinstance(kept, dict) else {})
    return {_WIDGETS: {"state": states, "version_major": 2, "version_minor": 0}} if states else {}
