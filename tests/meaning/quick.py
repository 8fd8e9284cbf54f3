"""The quick oracle: a notebook run straight and in each way that it becomes a pipeline, in one process.

The ways, all of them the product's own code around steps that run in this process:

- `steps`: the driver with step notebooks, each in a fresh `__main__`; what it learns while steps run counts.
- `edges`: the same step notebooks, each given only what steps made that it has edges from: a missed edge shows.
- `modules`: the package, as `python -m PACKAGE` runs it, all steps in one process.
- `namespace`: the same with all steps in namespace form.
- `files`: as `python -m PACKAGE.steps.STEP` runs steps, from folders of those that they have edges from.

Compared are what each cell prints, warns of and raises, every value that a step leaves at its end, and the last values.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from as_modules import as_files, as_modules
from as_steps import by_driver, by_edges
from kernels import in_thread
from trials import Seen, Trial, straight, trial_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nb2pipe.pipeline.model import Step

__all__ = ["WAYS", "Compared", "Seen", "Trial", "compare", "in_thread", "straight", "trial_of"]

WAYS = ("steps", "edges", "modules", "namespace", "files")
MEMORY = Path("/dev/shm")
"""For many small files; where it is not there, folders for temporary files do."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came of a trial.

    Attributes:
        straight: The straight run.
        found: Where the ways differ from it, by the name of the way; empty where none does.
        refused: Why ways did not come to an end, by the name of the way; what `check` refuses is not run.
    """

    straight: Seen
    found: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]


def compare(trial: Trial, ways: Iterable[str] = WAYS) -> Compared:
    """Runs a notebook straight and in some ways as a pipeline."""
    with tempfile.TemporaryDirectory(prefix="quick-", dir=MEMORY if MEMORY.is_dir() else None) as place:
        around = Path(place).resolve()
        one = in_thread(lambda: straight(trial, around))
        errors = trial.pipeline.report.errors
        runs = {} if errors else {way: RUNS[way](trial, around) for way in ways}
    found = {way: tuple(differences(trial, one, two) + _last_values(trial, one, two, way)) for way, two in runs.items()}
    return Compared(
        straight=one,
        found={way: lines for way, lines in found.items() if lines},
        refused={way: two.refused for way, two in runs.items() if two.refused}
        | ({"check": f"{errors[0].code}: {errors[0].message}"} if errors else {}),
    )


def differences(trial: Trial, one: Seen, two: Seen) -> list[str]:
    """What a pipeline run shows otherwise than the straight run."""
    own = {cell: step.name for step in trial.pipeline.steps for cell in step.cells}
    stop = one.failed[0] if one.failed else None
    cells = [cell for cell in one.printed if cell in own and (stop is None or cell < stop)]
    if two.refused:
        return []
    found = [] if _same_end(one, two) else [f"failed: straight {one.failed}, pipeline {two.failed}"]
    for cell in cells:
        shown = [seen.printed.get(cell, "") + seen.raised.get(cell, "") for seen in (one, two)]
        if shown[0] != shown[1]:
            found.append(f"cell {cell}: straight {shown[0]!r}, pipeline {shown[1]!r}")
    for step in filter(_stands_together, trial.pipeline.steps):
        values, then = two.values.get(step.name, {}), one.values.get(step.name, {})
        wrong = sorted(name for name in values.keys() & then.keys() if values[name] != then[name])
        found += [f"value of {name} after {step.name}" for name in wrong]
    return found


def _stands_together(step: Step) -> bool:
    """Whether no other step runs between the cells of a step, as where one goes on later."""
    return not step.cells or step.cells[-1] - step.cells[0] == len(step.cells) - 1


def _last_values(trial: Trial, one: Seen, two: Seen, way: str) -> list[str]:
    """Where the last version of a variable is an older one.

    What shares objects with what a step changes, and nobody takes later, goes along where all that was made is known.
    """
    if one.failed or two.failed or two.refused or way in {"edges", "files"}:
        return []
    left = {name: value for step in trial.pipeline.steps for name, value in two.values.get(step.name, {}).items()}
    last, end = left | dict(two.values.get("", {})), one.values[""]
    wrong = sorted(name for name in last.keys() & end.keys() if last[name] != end[name])
    return [f"last value of {name}" for name in wrong if name not in _dropped(trial)]


def _dropped(trial: Trial) -> frozenset[str]:
    """The names that a step binds or deletes without handing them on, and those that definition cells bind."""
    assert trial.pipeline.dataflow is not None
    facts = {fact.cell: fact for fact in trial.pipeline.dataflow.facts}
    found = {name for definition in trial.pipeline.dataflow.definitions for name in definition.names}
    for step in trial.pipeline.steps:
        own = [facts[cell] for cell in step.cells if cell in facts]
        bound = {name for fact in own for name in fact.definitions | fact.deletions}
        found |= bound - {port.name for port in step.outputs}
    return frozenset(found)


def _same_end(one: Seen, two: Seen) -> bool:
    """Whether both ended alike; modules import before their cells, so there no cell may be to blame."""
    if one.failed is None or two.failed is None:
        return one.failed == two.failed
    kind, text = one.failed[1].partition(": ")[0], _squeezed(one.failed[1])
    same = text == _squeezed(two.failed[1]) or (kind == "ModuleNotFoundError" and two.failed[1].startswith(kind))
    return same and two.failed[0] in (one.failed[0], None)


def _squeezed(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip()


RUNS: Mapping[str, Callable[[Trial, Path], Seen]] = {
    "steps": by_driver,
    "edges": by_edges,
    "modules": as_modules,
    "namespace": lambda trial, around: as_modules(trial, around, in_functions=False),
    "files": as_files,
}
