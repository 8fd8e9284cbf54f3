"""Compares what was seen of two runs: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.records.values import MASK, is_secret
from nb2pipe.verification.looks import kept_by_nobody
from nb2pipe.verification.model import Compared, Difference, Output, Status, Value, What
from nb2pipe.verification.outputs import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.events import Failure
    from nb2pipe.verification.model import Look, Side
    from nb2pipe.verification.values import Unlike

NOT_TAKEN = "no later step takes it, so the pipeline does not keep it"
"""Why most variables that are not compared are not; whatever they do is seen in outputs and in other variables."""

_LONGEST = 300
_ORDER = tuple(What)
_DEATHS = frozenset({"KernelDied", "ProcessDied"})
_INSTALLS = re.compile(r"^\s*[%!]\s*(?:pip3?|conda|mamba|uv\s+pip|python3?\s+-m\s+pip)\s+install\b", re.MULTILINE)
"""Lines that are requirements in modules, and are not run there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs, side by side.

    Attributes:
        differences: In notebook order.
        steps: What was compared of each step.
        failure: What both failed with, in the same place.
    """

    differences: tuple[Difference, ...]
    steps: tuple[Compared, ...]
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the comparison says, once it is known how far the straight run differs from itself."""

    status: Status
    first: Difference | None
    steps: tuple[Compared, ...]


def compare(
    work: Work,
    looks: Sequence[Look],
    straight: Side,
    other: Side,
    *,
    printed_only: bool,
    alike: frozenset[tuple[str, str]] = frozenset(),
) -> Comparison:
    """Compares a straight run with another run, up to the first step that failed on either side.

    Args:
        work: The steps.
        looks: The variables to compare.
        straight: The straight run.
        other: The pipeline run, or the straight run made again.
        printed_only: Modules ran: what Jupyter alone shows, and what installs packages, is not compared.
        alike: The variables, by step and name, that are known to differ in nothing, though their digests do.
    """
    by_step: dict[str, list[Look]] = {}
    for look in looks:
        by_step.setdefault(look.step, []).append(look)
    sides = _Sides(straight=straight, other=other, printed_only=printed_only, alike=alike)
    found: list[Difference] = []
    steps: list[Compared] = []
    for unit in work.units:
        if unit.inner:
            continue
        pair = straight.failures.get(unit.name), other.failures.get(unit.name)
        of_unit, compared = sides.step(unit, by_step.get(unit.name, ()))
        found += of_unit
        if pair != (None, None):
            failed = _failures(unit.name, *pair)
            status = Status.DIFFERENT if failed or of_unit else Status.FAILED
            steps.append(replace(compared, status=status))
            failure = None if failed else pair[0]
            return Comparison(differences=(*found, *failed), steps=tuple(steps), failure=failure)
        steps.append(compared)
    return Comparison(differences=tuple(found), steps=tuple(steps))


def judge(found: Comparison, itself: Comparison | None, work: Work) -> Judged:
    """What a comparison says.

    Args:
        found: Of the straight run with the pipeline run.
        itself: Of the straight run with itself, made again; None where that was not needed.
        work: The steps.
    """
    own = {each.place for each in itself.differences} if itself else set()
    ends = [each.step for each in itself.differences if each.what is What.FAILURE] if itself else []
    reach = min((work.places[step] for step in ends), default=len(work.units))

    def is_own(each: Difference) -> bool:
        return each.place in own or work.places[each.step] >= reach

    real = [each for each in found.differences if not is_own(each)]
    unclear = {each.step for each in found.differences} - {each.step for each in real}
    steps = tuple(replace(each, status=Status.UNDETERMINED) if each.step in unclear else each for each in found.steps)
    if real:
        return Judged(status=Status.DIFFERENT, first=real[0], steps=steps)
    first = found.differences[0] if found.differences else None
    if found.failure is not None:
        return Judged(status=Status.FAILED, first=first, steps=steps)
    return Judged(status=Status.UNDETERMINED if first else Status.IDENTICAL, first=first, steps=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    straight: Side
    other: Side
    printed_only: bool
    alike: frozenset[tuple[str, str]]

    def step(self, unit: Unit, looks: Sequence[Look]) -> tuple[list[Difference], Compared]:
        """What differs in a step, from its first cell on, and what was compared."""
        cells = [cell for cell in unit.step.cells if self._both_ran(unit, cell)]
        outputs = [each for cell in cells for each in self._output(unit.name, cell)]
        values = _Values(alike=self.alike, left_out=dict.fromkeys(sorted(kept_by_nobody(unit)), NOT_TAKEN))
        for look in looks:
            values.add(
                look, self.straight.values.get((look.step, look.name)), self.other.values.get((look.step, look.name))
            )
        found = sorted([*outputs, *values.found], key=_place)
        done = bool(cells or values.count)
        status = (Status.DIFFERENT if found else Status.IDENTICAL) if done else None
        compared = Compared(
            step=unit.name, status=status, values=values.count, cells=len(cells), left_out=values.left_out
        )
        return found, compared

    def _both_ran(self, unit: Unit, cell: int) -> bool:
        """Whether a cell ran to its end on both sides, and has to show the same."""
        failed = {side.failures[unit.name].cell for side in (self.straight, self.other) if unit.name in side.failures}
        key = unit.name, cell
        if cell in failed or key not in self.straight.outputs or key not in self.other.outputs:
            return False
        return not (self.printed_only and _INSTALLS.search(unit.pipeline.notebook.cell(cell).source))

    def _output(self, step: str, cell: int) -> Iterator[Difference]:
        one, two = self.straight.outputs[step, cell], self.other.outputs[step, cell]
        if self.printed_only:
            one, two = replace(one, rich=()), replace(two, rich=())
        if one != two:
            where, straight, pipeline = _first_unlike(_pieces(one), _pieces(two))
            yield Difference(
                what=What.OUTPUT,
                step=step,
                cell=cell,
                line=None,
                name=None,
                path=where,
                straight=straight,
                pipeline=pipeline,
            )


@dataclass(slots=True)
class _Values:
    """The variables of a step, compared one after the other."""

    alike: frozenset[tuple[str, str]]
    found: list[Difference] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def add(self, look: Look, one: Value | None, two: Value | None) -> None:
        """Compares a variable; a side that was not asked for it says nothing."""
        if one is None or two is None:
            return
        problem = one.problem or two.problem
        if problem:
            self.left_out[look.name] = problem
            return
        if one.digest is None and (two.digest is None or look.given):  # bound by neither, or taken away
            return
        self.count += 1
        if one.digest != two.digest and (look.step, look.name) not in self.alike:
            texts = shown_pair(look.name, one, two)
            self.found.append(
                Difference(
                    what=What.VALUE,
                    step=look.step,
                    cell=look.cell,
                    line=look.line,
                    name=look.name,
                    straight=texts[0],
                    pipeline=texts[1],
                )
            )


def shown_pair(name: str, one: Value, two: Value) -> tuple[str, str]:
    """Two values as texts that differ.

    >>> shown_pair("x", Value(digest="ab" * 32, shown="1"), Value())
    ('1', '(not bound)')
    >>> shown_pair("x", Value(digest="ab" * 32, shown="1"), Value(digest="cd" * 32, shown="1"))
    ('1 (content abababababab)', '1 (content cdcdcdcdcdcd)')
    """
    if is_secret(name):
        return tuple(MASK if value.digest else "(not bound)" for value in (one, two))  # type: ignore[return-value]  # two
    texts = [value.shown if value.digest else "(not bound)" for value in (one, two)]
    if texts[0] == texts[1]:
        texts = [f"{value.shown} (content {(value.digest or '')[:12]})".strip() for value in (one, two)]
    return texts[0], texts[1]


def placed(first: Difference, found: Unlike | None) -> Difference:
    """A difference of a variable, with the place in it where the two differ, if that is known."""
    if found is None:
        return first
    if is_secret(found.path):
        return replace(first, path=found.path, straight=MASK, pipeline=MASK)
    return replace(first, path=found.path, straight=found.straight, pipeline=found.pipeline)


def _failures(step: str, one: Failure | None, two: Failure | None) -> tuple[Difference, ...]:
    """The difference of two ends of a step, at least one of which is a failure."""
    if one is not None and two is not None and _said(one) == _said(two) and one.cell == two.cell:
        return ()
    at = two or one
    assert at is not None
    return (
        Difference(
            what=What.FAILURE,
            step=step,
            cell=at.cell,
            line=at.line,
            name=None,
            straight=_said(one),
            pipeline=_said(two),
        ),
    )


def _said(failure: Failure | None) -> str:
    if failure is None:
        return "no error"
    if failure.kind in _DEATHS:  # what ended differs, a kernel or a process
        return "it died"
    return scrubbed(f"{failure.kind}: {failure.message}").rstrip(": ")


def _place(found: Difference) -> tuple[int, int, bool, int, str]:
    """The order in which differences of a step are told: a variable that a line names before others that hold it."""
    return found.cell or 0, _ORDER.index(found.what), found.line is None, found.line or 0, found.name or ""


def _pieces(output: Output) -> Mapping[str, str]:
    rich = {f"displayed output {number}": text for number, text in enumerate(output.rich, start=1)}
    return {**output.texts, **rich, "error": output.error}


def _first_unlike(one: Mapping[str, str], two: Mapping[str, str]) -> tuple[str, str, str]:
    """Where the first lines are that are not the same, and the lines."""
    for key in dict.fromkeys([*one, *two]):
        pair = one.get(key, ""), two.get(key, "")
        if pair[0] != pair[1]:
            lines = pair[0].splitlines(), pair[1].splitlines()
            same = 0
            while same < min(map(len, lines)) and lines[0][same] == lines[1][same]:
                same += 1
            found = ["".join(side[same : same + 1]) for side in lines]
            if found[0] == found[1]:  # a line more or less, or its end
                found = list(pair)
            where = f"{key}, line {same + 1}" if max(map(len, lines)) > 1 else key
            return where, *_short(found[0], found[1])
    return "output", "", ""


def _short(one: str, two: str) -> tuple[str, str]:
    """Two texts that differ; long ones from a little before the place where they do.

    >>> _short("", "x")
    ('(nothing)', 'x')
    """
    same = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    begin = max(0, same - _LONGEST // 2) if max(len(one), len(two)) > _LONGEST else 0
    texts = [f"{'...' if begin else ''}{text[begin : begin + _LONGEST]}" for text in (one, two)]
    ends = [f"... ({len(text)} characters)" if len(text) > begin + _LONGEST else "" for text in (one, two)]
    return (f"{texts[0]}{ends[0]}" if one else "(nothing)"), (f"{texts[1]}{ends[1]}" if two else "(nothing)")
