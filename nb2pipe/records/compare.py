"""Where two runs part: the first step whose outputs differ, and what they were given and made."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.records.model import RunRecord, StepRecord

    T = TypeVar("T")

_OURS = "injected-parameters"
_NO_MATTER = frozenset({"reuse", "trackers", "store"})
"""Surroundings that decide on no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one run has otherwise than the other; None where it has nothing of that name."""

    name: str
    one: Any
    two: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDifference:
    """The first step that left something else.

    Attributes:
        one: How it ended in the first run, `missing` where it was not there.
        two: How it ended in the second.
        values: The variables that differ, with what is recorded of each.
    """

    step: str
    one: str
    two: str
    values: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDifference:
    """A cell that is another one.

    Attributes:
        cells: Its position in each notebook, None where it is not there.
        lines: The differing lines, each after `-`, `+` or a space.
    """

    cells: tuple[int | None, int | None]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """What tells two runs apart."""

    runs: tuple[str, str]
    first: StepDifference | None = None
    parameters: tuple[Change, ...] = ()
    code: tuple[CellDifference, ...] = ()
    data: tuple[Change, ...] = ()
    packages: tuple[Change, ...] = ()
    surroundings: tuple[Change, ...] = ()
    metrics: tuple[Change, ...] = field(default=())


def compare_runs(one: RunRecord, two: RunRecord, folders: tuple[Path, Path]) -> RunComparison:
    """What tells two runs apart.

    Args:
        one: The first run.
        two: The second one.
        folders: Those of the runs, with their executed notebooks.
    """
    return RunComparison(
        runs=(one.run, two.run),
        first=_first(one.steps, two.steps),
        parameters=_changes(one.parameters, two.parameters),
        code=tuple(_code(_cells(folders[0]), _cells(folders[1]))),
        data=_changes(_data(one), _data(two)),
        packages=_changes(one.packages, two.packages),
        surroundings=_changes(_around(one), _around(two)),
        metrics=_changes(one.metrics, two.metrics),
    )


def comparison_json(found: RunComparison) -> dict[str, object]:
    """A comparison as `nb2pipe runs compare --json` prints it."""
    first = found.first
    return {
        "runs": list(found.runs),
        "first_difference": None
        if first is None
        else {"step": first.step, "one": first.one, "two": first.two, "values": _rows(first.values)},
        "parameters": _rows(found.parameters),
        "code": [{"cells": list(each.cells), "lines": list(each.lines)} for each in found.code],
        "data": _rows(found.data),
        "packages": _rows(found.packages),
        "surroundings": _rows(found.surroundings),
        "metrics": _rows(found.metrics),
    }


def _rows(changes: Sequence[Change]) -> list[dict[str, object]]:
    return [{"name": each.name, "one": each.one, "two": each.two} for each in changes]


def _changes(one: Mapping[str, T], two: Mapping[str, T]) -> tuple[Change, ...]:
    names = dict.fromkeys((*one, *two))
    pairs = ((name, one.get(name), two.get(name)) for name in names)
    return tuple(Change(name=name, one=left, two=right) for name, left, right in pairs if not _alike(left, right))


def _alike(one: object, two: object) -> bool:
    return type(one) is type(two) and (one == two or (one != one and two != two))  # noqa: PLR0124 - NaN


# -- steps


def _first(one: Sequence[StepRecord], two: Sequence[StepRecord]) -> StepDifference | None:
    left, right = {step.name: step for step in one}, {step.name: step for step in two}
    for name in dict.fromkeys((*right, *left)):
        found = _step(name, left.get(name), right.get(name))
        if found is not None:
            return found
    return None


def _step(name: str, one: StepRecord | None, two: StepRecord | None) -> StepDifference | None:
    if one is None or two is None or not (one.finished and two.finished):
        left, right = _ended(one), _ended(two)
        return None if left == right else StepDifference(step=name, one=left, two=right)
    left_digests, right_digests = _digests(one), _digests(two)
    differing = [
        each
        for each in dict.fromkeys((*left_digests, *right_digests))
        if left_digests.get(each) != right_digests.get(each)
    ]
    if not differing:
        return None
    values = [Change(name=each, one=one.summaries.get(each), two=two.summaries.get(each)) for each in differing]
    told = [each for each in values if each.one != each.two]
    return StepDifference(step=name, one=_ended(one), two=_ended(two), values=tuple(told or values))


def _ended(step: StepRecord | None) -> str:
    if step is None:
        return "missing"
    return "finished" if step.finished else step.status.value


def _digests(step: StepRecord) -> dict[str, str]:
    return {name: group.digest for group in step.outputs for name in group.names}


def _data(run: RunRecord) -> dict[str, str]:
    return {file.path: file.sha256 for file in run.data}


def _around(run: RunRecord) -> dict[str, object]:
    """What else decides on values."""
    commit = {} if run.git is None else {"git commit": run.git.commit}
    own: dict[str, object] = {
        "notebook": run.notebook,
        "seed": run.seed,
        "executor": run.executor,
        "python": run.python,
        "nb2pipe": run.version,
    }
    rest = {name: value for name, value in run.surroundings.items() if name not in _NO_MATTER}
    return {**commit, **own, "processor": run.machine.processor, **rest}


# -- code


def _cells(folder: Path) -> list[tuple[int, str]]:
    """The code cells of the executed notebook, with their positions in the author's; none where it is not there."""
    try:
        cells = json.loads((folder / "notebook.ipynb").read_bytes())["cells"]
        authors = [cell for cell in cells if not str(cell.get("id", "")).startswith(_OURS)]
        code = ((place, cell) for place, cell in enumerate(authors, 1) if cell["cell_type"] == "code")
        return [(place, "".join(cell["source"])) for place, cell in code]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _code(one: list[tuple[int, str]], two: list[tuple[int, str]]) -> Iterator[CellDifference]:
    matcher = difflib.SequenceMatcher(None, [text for _, text in one], [text for _, text in two], autojunk=False)
    for kind, begin, end, from_, to in matcher.get_opcodes():
        if kind == "equal":
            continue
        for index in range(max(end - begin, to - from_)):
            left = one[begin + index] if begin + index < end else None
            right = two[from_ + index] if from_ + index < to else None
            yield _cell(left, right)


def _cell(one: tuple[int, str] | None, two: tuple[int, str] | None) -> CellDifference:
    left, right = ([] if each is None else each[1].splitlines() for each in (one, two))
    lines = difflib.unified_diff(left, right, lineterm="", n=1)
    kept = tuple(line for line in list(lines)[2:] if not line.startswith("@@"))
    return CellDifference(cells=(one[0] if one else None, two[0] if two else None), lines=kept)
