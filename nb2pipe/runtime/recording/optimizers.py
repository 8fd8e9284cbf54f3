"""Rows of the steps that optimizers make: a file for each optimizer, a row for each step."""

from __future__ import annotations

import math
import weakref
from itertools import islice
from typing import TYPE_CHECKING, Any

from nb2pipe.records.blocks import Rows
from nb2pipe.records.series import COLUMNS, LOGGED
from nb2pipe.runtime.recording.names import variable_of
from nb2pipe.runtime.recording.values import in_memory, plain_tensor, without_modes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.records.blocks import Table
    from nb2pipe.runtime.recording.losses import Losses
    from nb2pipe.runtime.recording.passes import Pass, Where

_MOST = 200
"""Optimizers that are followed in one step of a pipeline; one that makes more is seeking something."""
_FIRST_LATE = 1000
"""The number of the first file of such learning rates as come later; what code logs has smaller ones."""
_MOST_GROUPS = 16
"""Groups of parameters whose learning rates are kept."""


class Stepping:
    """The rows of one optimizer.

    Args:
        number: Tells it from others.
        rows: Where they go.
        rates: How many learning rates a row has.
        late: Makes the rows of the learning rate of a group that comes later, by its place.
    """

    def __init__(self, number: int, rows: Rows, rates: int, late: Callable[[int], Rows]) -> None:
        self.number = number
        self._made_late = late
        self._late: dict[int, Rows] = {}
        self.steps = 0
        self._rows = rows
        self._rates = rates
        self._last: Pass | None = None
        self._seen = 0
        self._first = 1
        self._passes: list[tuple[Callable[[], int | None], int]] = []

    def add(self, optimizer: Any, losses: Losses, where: Where | None, now: float) -> int | None:
        """Adds a row.

        Args:
            optimizer: What stepped; None where parameters were changed by hand.
            losses: What it stepped with.
            where: The batch that it stepped in.
            now: When it stepped.

        Returns:
            The number of the pass.

        Raises:
            OSError: There is no more space.
        """
        epoch = batch = examples = 0
        if where is not None:
            passing, batch, seen = where
            epoch = self._epoch(passing)
            examples = seen - (self._seen if passing is self._last else 0)
            self._last, self._seen = passing, seen
        if self._rates and len(optimizer.param_groups) > self._rates:
            self._add_late(optimizer.param_groups, now)
        total, known, coming = losses.of(id(optimizer))
        rates = _rates(optimizer.param_groups, self._rates) if self._rates else ()
        place = self._rows.add((now, total, known, epoch, batch, examples, *rates))
        for block, number in coming:
            block.sinks.append((number, (*self._rows.cells[1:3], place)))
        self.steps += 1
        return epoch or None

    def _add_late(self, groups: Any, now: float) -> None:
        """Adds the learning rates of groups that came after the first step: each has a file of its own."""
        for number in range(self._rates, min(len(groups), _MOST_GROUPS)):
            if number not in self._late:
                self._late[number] = self._made_late(number)
            self._late[number].add((now, self.steps + 1, _rate(groups[number])))

    def add_earlier(self, table: Table, until: float, *, middle: bool) -> None:
        """Adds the rows that an earlier process made of it, after those that were made again.

        Args:
            table: The rows; those with other columns are left out.
            until: What came after this time is done again.
            middle: The first row that follows lies in the pass of the last one.
        """
        columns = (*COLUMNS, *_rate_names(self._rates))
        if set(table.columns) != set(columns):
            return
        for row in islice(zip(*(table.columns[name] for name in columns), strict=True), self.steps, None):
            if row[0] > until:
                break
            self._rows.add(row)
            self.steps += 1
            self._first = int(row[3]) + (not middle)

    def _epoch(self, where: Pass) -> int:
        """The number of a pass, from 1, among those over the same data in which this optimizer stepped.

        Data that is made anew for each pass counts as the same.
        """
        known = where.epochs.get(self.number)
        if known is not None:
            return known
        before = next((each for each in self._passes if each[0]() == where.data()), None)
        before = before or next((each for each in self._passes if each[0]() is None), None)
        if before is not None:
            self._passes.remove(before)
        number = before[1] + 1 if before is not None else self._first
        self._passes.append((where.data, number))
        where.epochs[self.number] = number
        return number


class Optimizers:
    """All optimizers of a step.

    Args:
        folder: Where their rows go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[int, tuple[weakref.ref[Any], Stepping]] = {}
        self._names: set[str] = set()
        self._made: list[Stepping] = []
        self._earlier: dict[int, Table] = {}
        self._until = 0.0
        self._middle = False

    def go_on(self, earlier: Mapping[int, Table], until: float, *, middle: bool) -> None:
        """As `Loop.go_on`."""
        self._earlier = dict(earlier)
        self._until = until
        self._middle = middle
        for stepping in self._made:
            self._add_earlier(stepping)

    def rows_of(self, optimizer: Any) -> Stepping | None:
        """The rows of an optimizer; None where there are too many of them, or it has nothing to train.

        Raises:
            OSError: They cannot be made.
        """
        known = self._known.get(id(optimizer))
        if known is not None and known[0]() is optimizer:
            return known[1]
        if len(self._made) >= _MOST or not len(optimizer.param_groups):
            return None
        found = self.make(optimizer, min(len(optimizer.param_groups), _MOST_GROUPS))
        self._known[id(optimizer)] = weakref.ref(optimizer), found
        return found

    def make(self, optimizer: Any, rates: int) -> Stepping:
        """New rows.

        Args:
            optimizer: Whose they are.
            rates: How many learning rates a row has.

        Raises:
            OSError: They cannot be made.
        """
        number = len(self._made) + 1
        facts = {"name": self._name(optimizer, number), "optimizer": type(optimizer).__name__ if rates else None}
        rows = Rows(self._folder / f"loop-{number}.rows", (*COLUMNS, *_rate_names(rates)), facts)
        ending = f"/{facts['name']}" if facts["name"] else ""

        def late(place: int) -> Rows:
            path = self._folder / f"logged-{_FIRST_LATE + number * _MOST_GROUPS + place}.rows"
            return Rows(path, LOGGED, {"name": f"lr/group{place + 1}{ending}"})

        found = Stepping(number, rows, rates, late)
        self._made.append(found)
        self._add_earlier(found)
        return found

    def _add_earlier(self, stepping: Stepping) -> None:
        earlier = self._earlier.pop(stepping.number, None)
        if earlier is not None:
            stepping.add_earlier(earlier, self._until, middle=self._middle)

    def _name(self, optimizer: Any, number: int) -> str:
        """What tells the series of an optimizer from those of the first one."""
        named = variable_of(optimizer) if optimizer is not None else None
        name = named if named and named not in self._names else str(number)
        self._names.add(name)
        return name if number > 1 else ""


def _rate_names(count: int) -> Sequence[str]:
    """The columns of the learning rates.

    >>> _rate_names(1), _rate_names(2)
    (('lr',), ('lr', 'lr/group2'))
    """
    return tuple("lr" if number == 1 else f"lr/group{number}" for number in range(1, count + 1))


def _rates(groups: Any, count: int) -> tuple[float, ...]:
    """The learning rates of the first groups of parameters."""
    if count == 1:
        return (_rate(groups[0]),)
    found = tuple(_rate(group) for group in groups[:count])
    return found + (math.nan,) * (count - len(found))


def _rate(group: Any) -> float:
    """The learning rate of a group of parameters; not a number where that is not known without waiting."""
    rate = group.get("lr")
    if type(rate) is float or isinstance(rate, int):
        return rate
    with without_modes():
        found = in_memory(rate) if plain_tensor(rate) and rate.is_cpu else None
    return math.nan if found is None else found
