"""Why a step runs though an earlier run has its results: what changed since, the smallest thing first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError
from nb2pipe.execution.keys import part
from nb2pipe.execution.options import FORCED, NO_CACHE, REUSE
from nb2pipe.records.events import StepStatus
from nb2pipe.records.files import read_run, step_path
from nb2pipe.records.index import RUNS, list_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.execution.model import StepCall
    from nb2pipe.records.model import RunRecord, StepRecord, StepTrace

_RUNS_LOOKED_AT = 20
_WORDS = {
    "takes": "it takes other variables",
    "outputs": "later steps take other variables of it",
    "injected": "another parameter is given",
    "draws": "it draws from other random generators",
    "seed": "the initial random state is another one",
    "kernel": "the kernel is another one",
    "folder": "the working directory is another one",
    "executor": "the executor is another one",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a step's code, at its place in the notebook."""

    cell: int
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a step runs.

    Attributes:
        message: In words.
        difference: The lines that changed, each marked with `-` or `+`, under their place.
        step: The step whose new result is the reason.
    """

    message: str
    difference: tuple[str, ...] = ()
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two runs of a step.

    Attributes:
        parts: What its key is made of.
        lines: Its code.
        parameters: The values of parameters, masked.
        trace: What it was seen to depend on.
        makers: The step that made what it takes, by the digest that stands for that in `parts`.
    """

    parts: Mapping[str, str]
    lines: tuple[Line, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    trace: StepTrace | None = None
    makers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a step of a run ran, or was reused.

    Attributes:
        before: The earlier run that it is compared with; None if there is none.
        source: The run whose results it took.
        reasons: The smallest first; empty where it was reused.
    """

    step: str
    status: StepStatus
    before: str | None = None
    source: str | None = None
    reasons: tuple[Reason, ...] = ()


def explain_step(home: Path, record: RunRecord, name: str) -> tuple[Explanation, ...]:
    """Why a step of a run ran, or was reused, and after it why those steps ran that its reasons name.

    Args:
        home: The folder `.nb2pipe`.
        record: The run.
        name: The step.

    Raises:
        KeyError: The run has no such step.
    """
    found: dict[str, Explanation] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop(0)
        if each not in found:
            found[each] = _explain(home, record, each)
            waiting += [reason.step for reason in found[each].reasons if reason.step]
    return tuple(found.values())


def _explain(home: Path, record: RunRecord, name: str) -> Explanation:
    step = record.step(name)
    if step.status is StepStatus.REUSED or not step.attempt:
        return Explanation(step=name, status=step.status, source=step.source)
    before = earlier(home, record.notebook, name, record.started, record.run)
    reasons = tuple(_reasons_in(home, record, step, before))
    return Explanation(step=name, status=step.status, before=before[0].run if before else None, reasons=reasons)


def _reasons_in(
    home: Path, record: RunRecord, step: StepRecord, before: tuple[RunRecord, StepRecord] | None
) -> Iterator[Reason]:
    if before is None:
        yield Reason(message="it had not run to its end before")
        return
    found = differences(recorded_side(home, *before), recorded_side(home, record, step))
    said = record.surroundings.get(REUSE)
    if said == FORCED:
        yield Reason(message="the run was told to run all steps again (--force)")
    elif said == NO_CACHE:
        yield Reason(message="the run was told to take nothing of earlier runs (--no-cache)")
    yield from found
    if not found and said is None:
        yield each_time(before[1]) or Reason(message="no difference shows to its earlier run")


def each_time(step: StepRecord) -> Reason | None:
    """Why a step runs each time, if it does."""
    if step.trace is None or not step.trace.reasons:
        return None
    told = "; ".join(step.trace.reasons)
    return Reason(message=f"it runs each time, since {told}; the tag cache:enabled says that it may be reused")


def earlier(
    home: Path, notebook: str, name: str, started: float | None = None, run: str | None = None
) -> tuple[RunRecord, StepRecord] | None:
    """The newest earlier run of a notebook in which a step came to its end, with the record of that step."""
    try:
        rows = [row for row in list_runs(home) if row.notebook == notebook and row.problem is None and row.run != run]
    except RecordsError:
        return None
    older = [row.run for row in rows if started is None or (row.started or 0.0) < started]
    for each in older[:_RUNS_LOOKED_AT]:
        try:
            record = read_run(home / RUNS / each)
        except RecordsError:
            continue
        found = next((step for step in record.steps if step.name == name and step.finished and step.parts), None)
        if found is not None:
            return record, found
    return None


def recorded_side(home: Path, record: RunRecord, step: StepRecord) -> Side:
    """One side, of a step's record."""
    makers = {part(group.digest): each.name for each in record.steps for group in each.outputs}
    makers |= {part(digest): each.name for each in record.steps for digest in each.state.values()}
    return Side(
        parts=step.parts,
        lines=_lines_of_file(step_path(home / RUNS / record.run, step.name, ".ipynb")),
        parameters=record.parameters,
        trace=step.trace,
        makers=makers,
    )


def call_side(call: StepCall, parameters: Mapping[str, object], makers: Mapping[str, str]) -> Side:
    """One side, of a call that has not run.

    Args:
        call: The call.
        parameters: The values of parameters, masked.
        makers: The steps that made what the call takes, as `Side` has them.
    """
    lines: list[Line] = []
    for block in call.step.blocks:
        rows = call.notebook.cell(block.cell).source.split("\n")
        kept = (number for number in range(1, len(rows) + 1) if block.lines is None or number in block.lines)
        lines += [Line(block.cell, number, rows[number - 1]) for number in kept]
    return Side(parts=call.parts, lines=_written(lines), parameters=parameters, makers=makers)


def differences(old: Side, new: Side) -> tuple[Reason, ...]:
    """What changed from one run of a step to another, the smallest thing first."""
    changed = [name for name in {**new.parts, **old.parts} if new.parts.get(name) != old.parts.get(name)]
    kinds = {kind: [name for name in changed if name.startswith(f"{kind} ")] for kind in ("code", "input")}
    found = [*_code(old, new)] if kinds["code"] else []
    given = any(name.startswith("parameter ") for name in changed)
    for name in changed:
        if not (given and name == "injected"):  # it follows from the value
            found += _part(name, old, new)
    if new.trace is not None and old.trace is not None:
        found += _traces(old.trace, new.trace)
    return (*found, *_inputs(kinds["input"], new))


def _code(old: Side, new: Side) -> Iterator[Reason]:
    yield Reason(message="its code changed", difference=code_difference(old.lines, new.lines))


def code_difference(old: Sequence[Line], new: Sequence[Line]) -> tuple[str, ...]:
    """The lines that changed, under the places where they stand now.

    >>> code_difference([Line(3, 1, "x = 1"), Line(3, 2, "y = 2")], [Line(4, 1, "x = 1"), Line(4, 2, "y = 3")])
    ('cell 4, line 2', '- y = 2', '+ y = 3')
    """
    found: list[str] = []
    matcher = SequenceMatcher(None, [line.text for line in old], [line.text for line in new], autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag == "equal":
            continue
        place = new[min(begin, len(new) - 1)] if new else old[first]
        found.append(f"cell {place.cell}, line {place.line}")
        found += [f"- {line.text}" for line in old[first:last]] + [f"+ {line.text}" for line in new[begin:end]]
    return tuple(found)


def _part(name: str, old: Side, new: Side) -> list[Reason]:
    kind, _, rest = name.partition(" ")
    match kind:
        case "parameter":
            values = [side.parameters.get(rest) for side in (new, old)]
            return [Reason(message=f"the parameter `{rest}` is {values[0]!r}, was {values[1]!r}")]
        case "module":
            return [Reason(message=f"the module `{rest}` beside the notebook changed")]
        case "variable":
            return [Reason(message=f"the environment variable `{rest}` changed")]
        case "state":
            maker = new.makers.get(new.parts.get(name, ""))
            return [Reason(message=f"the state of `{rest}` that it begins with is another one", step=maker)]
        case "code" | "input":
            return []
        case _:
            pass
    return [Reason(message=_WORDS.get(kind, f"`{kind}` changed"))]


def _traces(old: StepTrace, new: StepTrace) -> Iterator[Reason]:
    for path in (path for path in new.reads if path in old.reads and new.reads[path] != old.reads[path]):
        yield Reason(message=f"the file `{path}` changed")
    for name in (name for name in new.packages if new.packages[name] != old.packages.get(name)):
        yield Reason(message=f"{name} is {new.packages[name]}, was {old.packages.get(name, 'not imported')}")
    for name in (name for name in new.variables if new.variables[name] != old.variables.get(name)):
        yield Reason(message=f"the environment variable `{name}` changed")


def _inputs(names: Sequence[str], new: Side) -> Iterator[Reason]:
    for name in (name for name in names if name in new.parts):
        variables = name.partition(" ")[2]
        maker = new.makers.get(new.parts[name])
        by = f", made by `{maker}`" if maker else ""
        yield Reason(message=f"`{variables}`{by}, is another one", step=maker)


def _lines_of_file(path: Path) -> tuple[Line, ...]:
    """The code that a step notebook holds of the author's."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        found: list[Line] = []
        for cell in cells:
            place = cell["metadata"].get("nb2pipe", {})
            if "cell" in place and place.get("role") != "injected":
                text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
                found += [Line(int(place["cell"]), n, row) for n, row in enumerate(text.split("\n"), 1)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    return _written(found)


def _written(lines: Sequence[Line]) -> tuple[Line, ...]:
    return tuple(replace(line, text=line.text.rstrip()) for line in lines if line.text.strip())
