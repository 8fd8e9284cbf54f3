"""Makes rows of what training loops are seen to do: one for each step of an optimizer.

The loss of a step is the sum of what `backward` was called on since the step before: gradients add up, so that this is
what the step goes down on. Of a step with a closure it is what `backward` was first called on within the step.
"""

from __future__ import annotations

import math
import sys
import time
import weakref
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from nb2pipe.records.blocks import Rows
from nb2pipe.records.series import COLUMNS
from nb2pipe.runtime.recording.names import variable_of
from nb2pipe.runtime.recording.values import Device, in_memory, modes_are_on, plain_tensor, without_modes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from nb2pipe.records.blocks import Table

_MOST_LOOPS = 200
"""Optimizers that are followed in one step of a pipeline; one that makes more is seeking something."""
_MOST_GROUPS = 16
"""Groups of parameters whose learning rates are kept."""
_MOST_SCALED = 16
_MOST_PASSES = 64


@dataclass(slots=True)
class _Pass:
    """A pass over a data loader.

    Attributes:
        data: What stands for the data set.
        batch: The number of the batch that was given last, from 1.
        examples: How many examples were given so far.
        open: Whether there may be more.
        epochs: The number of this pass, from 1, for each optimizer that stepped in it.
    """

    data: Callable[[], int | None]
    batch: int = 0
    examples: int = 0
    open: bool = True
    epochs: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Losses:
    """What `backward` was called on since the last step.

    Attributes:
        total: The sum of those that are known.
        count: How many there were.
        coming: Those that lie on a device yet: blocks and places in them.
        spent: A step was made with them.
        where: The pass that they belong to.
    """

    total: float = 0.0
    count: int = 0
    coming: list[tuple[Any, int]] = field(default_factory=list)
    spent: bool = False
    where: _Pass | None = None

    def clear(self) -> None:
        """There are none yet."""
        self.total, self.count, self.spent, self.where = 0.0, 0, False, None
        if self.coming:
            self.coming = []


class _Followed:
    """An optimizer, and the rows of its steps."""

    def __init__(self, optimizer: Any, number: int, rows: Rows, rates: int) -> None:
        self.is_still = weakref.ref(optimizer)
        self.number = number
        self.rows = rows
        self.rates = rates
        self.steps = 0
        self.last: _Pass | None = None
        self.seen = 0
        self.first = 1
        self._passes: list[tuple[Callable[[], int | None], int]] = []

    def epoch(self, where: _Pass) -> int:
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
        number = before[1] + 1 if before is not None else self.first
        self._passes.append((where.data, number))
        where.epochs[self.number] = number
        return number


class Loop:
    """Follows the loops of one step.

    Args:
        folder: Where rows go.

    Attributes:
        steps: The number of steps of the optimizer that stepped last.
        epoch: The pass that it was in.
    """

    def __init__(self, folder: Path) -> None:
        self.steps: int | None = None
        self.epoch: int | None = None
        self._folder = folder
        self._followed: dict[int, _Followed] = {}
        self._names: set[str] = set()
        self._made = 0
        self._earlier: dict[int, Table] = {}
        self._until = 0.0
        self._middle = False
        self._losses = _Losses()
        self._own = _Losses()
        self._within: list[int] = []
        self._devices: dict[Any, Device] = {}
        self._scaled: dict[int, tuple[weakref.ref[Any], Any]] = {}
        self._passes: dict[int, _Pass] = {}
        self._pass: _Pass | None = None

    def go_on(self, earlier: Mapping[int, Table], until: float, *, middle: bool) -> None:
        """The step goes on with a training: what was recorded of it before is part of its series.

        Args:
            earlier: The rows of its optimizers, by their numbers.
            until: What came after this time is done again.
            middle: It goes on within a pass.
        """
        self._earlier = dict(earlier)
        self._until = until
        self._middle = middle
        for followed in self._followed.values():
            self._add_earlier(followed)

    # -- what hooks tell

    def backward(self, tensors: Any, gradients: Any) -> None:
        """A backward pass begins."""
        losses = self._losses
        if self._within:
            self._leave_broken_steps()
            if self._within:
                losses = self._own
                if losses.count:
                    return  # a closure is called more than once
        if losses.spent:
            losses.clear()
        if isinstance(tensors, list | tuple):
            weights = gradients if isinstance(gradients, list | tuple) else (gradients,) * len(tensors)
            for tensor, weight in zip(tensors, weights, strict=False):
                self._take(losses, tensor, weight)
        else:
            self._take(losses, tensors, gradients)
        where = self._pass
        losses.where = where if where is not None and (where.open or where.epochs) else None

    def scaled(self, outputs: Any, result: Any) -> Any:
        """A loss was scaled, so that small gradients are not lost; the loss itself is what counts."""
        if result is not outputs and hasattr(result, "detach"):
            if len(self._scaled) >= _MOST_SCALED:
                self._scaled.clear()
            self._scaled[id(result)] = weakref.ref(result), outputs.detach()

    def begins_step(self, optimizer: Any) -> None:
        """An optimizer is about to step."""
        if self._within:
            self._leave_broken_steps()
        self._within.append(id(optimizer))

    def ends_step(self, optimizer: Any) -> None:
        """An optimizer has stepped."""
        if self._within:
            self._within.pop()
        if self._within:
            return  # one optimizer that uses another
        losses = self._own if self._own.count else self._losses
        now = time.time()
        followed = self._follow(optimizer)
        if followed is not None and len(optimizer.param_groups):
            self._write(followed, optimizer, losses, now)
        self._own.spent = losses.spent = True
        if self._own.count:
            self._own.clear()
        if self._devices:
            with without_modes():
                for device in self._devices.values():
                    device.tick(now)

    def gives(self, iterator: Any, data: Any) -> None:
        """A data loader gives a batch."""
        where = self._passes.get(id(iterator))
        if where is None or iterator._num_yielded == 1:  # noqa: SLF001  # there is no other way
            if len(self._passes) > _MOST_PASSES:
                self._passes.clear()
            where = self._passes[id(iterator)] = _Pass(_referred(iterator._dataset))  # noqa: SLF001
        where.batch += 1
        where.examples += _length(data)
        where.open = True
        self._pass = where

    def asks(self, iterator: Any) -> None:
        """A data loader is asked for a batch; if it gives none, the pass is over."""
        where = self._passes.get(id(iterator))
        if where is not None:
            where.open = False

    def finish(self) -> None:
        """Waits for what lies on devices."""
        for device in self._devices.values():
            device.finish()

    def _leave_broken_steps(self) -> None:
        """Forgets steps that ended in an exception, of whose end nobody told."""
        while self._within and not _is_under_way(self._within[-1]):
            self._within.pop()

    # -- losses

    def _take(self, losses: _Losses, tensor: Any, weight: Any) -> None:
        if self._scaled:
            scaled = self._scaled.pop(id(tensor), None)
            if scaled is not None and scaled[0]() is tensor:
                tensor = scaled[1]
        if modes_are_on():
            with without_modes():
                self._read(losses, tensor, weight)
        else:
            self._read(losses, tensor, weight)

    def _read(self, losses: _Losses, tensor: Any, weight: Any) -> None:
        if not plain_tensor(tensor) or not (weight is None or plain_tensor(weight)):
            return
        if tensor.is_cpu:
            value = in_memory(tensor)
            factor = 1.0 if weight is None else in_memory(weight)
            if value is not None and factor is not None:
                losses.total += value * factor
                losses.count += 1
            return
        device = self._devices.get(tensor.device) or self._devices.setdefault(tensor.device, Device(tensor.device))
        found = device.add(tensor, weight)
        if found is not None:
            losses.coming.append(found)
            losses.count += 1

    # -- rows

    def _write(self, followed: _Followed, optimizer: Any, losses: _Losses, now: float) -> None:
        where = losses.where
        if not losses.count and self._pass is not None and self._pass.open:
            where = self._pass  # gradients come from elsewhere
        epoch = batch = examples = 0
        if where is not None:
            epoch, batch = followed.epoch(where), where.batch
            examples = where.examples - (followed.seen if where is followed.last else 0)
            followed.last, followed.seen = where, where.examples
        rates = _rates(optimizer.param_groups, followed.rates)
        known = losses.count - len(losses.coming)
        place = followed.rows.add((now, losses.total, known, epoch, batch, examples, *rates))
        for block, number in losses.coming:
            block.sinks.append((number, (*followed.rows.cells[1:3], place)))
        followed.steps += 1
        self.steps, self.epoch = followed.steps, epoch or None

    def _follow(self, optimizer: Any) -> _Followed | None:
        found = self._followed.get(id(optimizer))
        if found is not None and found.is_still() is optimizer:
            return found
        if self._made >= _MOST_LOOPS:
            return None
        self._made += 1
        rates = min(len(optimizer.param_groups), _MOST_GROUPS)
        columns = (*COLUMNS, *_rate_names(rates))
        facts = {"name": self._name(optimizer), "optimizer": type(optimizer).__name__}
        rows = Rows(self._folder / f"loop-{self._made}.rows", columns, facts)
        found = self._followed[id(optimizer)] = _Followed(optimizer, self._made, rows, rates)
        self._add_earlier(found)
        return found

    def _add_earlier(self, followed: _Followed) -> None:
        """Adds the rows that an earlier process made of an optimizer, after those that were made again."""
        columns = (*COLUMNS, *_rate_names(followed.rates))
        earlier = self._earlier.pop(followed.number, None)
        if earlier is None or set(earlier.columns) != set(columns):
            return
        values = [earlier.columns[name] for name in columns]
        for row in islice(zip(*values, strict=True), followed.steps, None):
            if row[0] > self._until:
                break
            followed.rows.add(row)
            followed.steps += 1
            followed.first = int(row[3]) + (not self._middle)

    def _name(self, optimizer: Any) -> str:
        """What tells the series of an optimizer from those of the first one."""
        if self._made == 1:
            return ""
        named = variable_of(optimizer)
        name = named if named and named not in self._names else str(self._made)
        self._names.add(name)
        return name


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
    if plain_tensor(rate) and rate.is_cpu:
        found = in_memory(rate)
        return math.nan if found is None else found
    return math.nan


def _length(data: Any) -> int:
    """The number of examples of a batch.

    >>> _length(["a", "b"]), _length({"x": [1, 2, 3]}), _length(5)
    (1, 3, 0)
    """
    for _ in range(4):
        if isinstance(data, dict):
            data = next(iter(data.values()), None)
        elif isinstance(data, tuple | list) and data and not isinstance(data[0], int | float):
            data = data[0]
        else:
            break
    shape = getattr(data, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else 1
    return len(data) if isinstance(data, tuple | list | str) else 0


def _referred(data: Any) -> Callable[[], int | None]:
    """What tells which data set it is, and None once that is gone."""
    number = id(data)
    try:
        still = weakref.ref(data)
    except TypeError:  # a list, for one
        return lambda: number
    return lambda: None if still() is None else number


def _is_under_way(optimizer: int) -> bool:
    """Whether a step of an optimizer is being made, further up."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # there is no other way
    while frame is not None:
        if frame.f_code.co_name == "wrapper" and id(frame.f_locals.get("self")) == optimizer:
            return True
        frame = frame.f_back
    return False
