"""Makes rows of what training loops are seen to do: one for each step of an optimizer.

The loss of a step is the sum of what `backward` was called on since the optimizer stepped last, or cleared its
gradients if that was later: gradients add up, so that this is what the step goes down on. Of a step with a closure it
is what the first evaluation within the step gave. Where no optimizer steps, a change of parameters is a step.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.recording.by_hand import ByHand
from nb2pipe.runtime.recording.losses import Apart, Losses, Reader
from nb2pipe.runtime.recording.optimizers import Optimizers
from nb2pipe.runtime.recording.passes import Passes
from nb2pipe.runtime.recording.values import comes_again

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import FrameType

    from nb2pipe.records.blocks import Table
    from nb2pipe.runtime.recording.optimizers import Stepping

_FEWEST_BY_HAND = 3
"""Changes of parameters without an optimizer that are a loop."""


class _Thread:
    """What one thread is doing.

    Attributes:
        losses: What `backward` was called on, outside of steps of optimizers.
        apart: What gradients were computed of that only who asked for them was given, and for which parameter.
        own: What it was called on within the step that is under way.
        adds: Whether further losses within the step belong to the first evaluation of its closure.
        within: The optimizers that are stepping, the innermost last.
        by_hand: Looks for steps without an optimizer; None once one has stepped.
        held: Steps without an optimizer, until it is clear that they are a loop.
        stepping: The rows of these.
    """

    def __init__(self) -> None:
        self.losses = Losses()
        self.apart = Apart()
        self.own = Losses()
        self.adds = False
        self.within: list[int] = []
        self.by_hand: ByHand | None = ByHand()
        self.held: list[tuple[Losses, float]] = []
        self.stepping: Stepping | None = None


class _Threads(threading.local):
    """Each thread sees its own."""

    def __init__(self) -> None:
        self.here = _Thread()


class Loop:
    """Follows the loops of one step of a pipeline.

    Args:
        folder: Where rows go.

    Attributes:
        steps: The number of steps of the optimizer that stepped last.
        epoch: The pass that it was in.
    """

    def __init__(self, folder: Path) -> None:
        self.steps: int | None = None
        self.epoch: int | None = None
        self._threads = _Threads()
        self._passes = Passes()
        self._reader = Reader()
        self._optimizers = Optimizers(folder)
        self._lock = threading.RLock()
        self.asks = self._passes.asks
        self.gives = self._passes.gives
        self.scaled = self._reader.scaled

    def go_on(self, earlier: Mapping[int, Table], until: float, *, middle: bool) -> None:
        """The step goes on with a training: what was recorded of it before is part of its series.

        Args:
            earlier: The rows of its optimizers, by their numbers.
            until: What came after this time is done again.
            middle: It goes on within a pass.
        """
        self._optimizers.go_on(earlier, until, middle=middle)

    def backward(self, tensors: Any, gradients: Any) -> None:
        """A backward pass begins."""
        here = self._threads.here
        if here.within:
            _leave_broken_steps(here.within)
        if here.within:
            losses = here.own
            if losses.values and not here.adds:
                return  # a closure is called more than once
        else:
            if here.losses.spent:
                here.losses.clear()
            elif here.by_hand is not None and not comes_again(tensors):
                self._look_for_steps(here, here.by_hand, tensors)
            losses = here.losses
        self._reader.take(losses, tensors, gradients)
        losses.where = self._passes.current()

    def apart(self, tensors: Any, inputs: Any, gradients: Any, graph: Any) -> None:
        """Gradients are computed that no parameter gets; who asked for them may give them to it.

        Those that have a graph are a part of what a loss is computed from.
        """
        here = self._threads.here
        if graph or here.within or comes_again(tensors):
            return
        if here.apart.asked_for(inputs):
            self._reader.take(here.apart.losses, tensors, gradients)
            here.apart.losses.where = self._passes.current()

    def zeroes(self, optimizer: Any) -> None:
        """An optimizer clears its gradients: what went into them does not count any more."""
        here = self._threads.here
        if here.within:
            here.adds = not here.own.values
        elif here.losses.values and not here.losses.spent:
            here.losses.zeroed[id(optimizer)] = len(here.losses.values)

    def begins_step(self, optimizer: Any) -> None:
        """An optimizer is about to step."""
        here = self._threads.here
        if here.within:
            _leave_broken_steps(here.within)
        if not here.within:
            here.adds = False
            here.own.clear()
        here.within.append(id(optimizer))

    def ends_step(self, optimizer: Any) -> None:
        """An optimizer has stepped."""
        here = self._threads.here
        if here.within:
            here.within.pop()
        if here.within:
            return  # one optimizer that uses another
        here.by_hand = None
        here.held.clear()
        losses, now = here.own if here.own.values else here.losses, time.time()
        if here.apart.losses.values:
            losses = here.apart.given_to(optimizer) or losses
        with self._lock:
            stepping = self._optimizers.rows_of(optimizer)
            if stepping is not None:
                self._write(stepping, optimizer, losses, now)
        here.losses.spent = True
        here.apart.losses.spent = True
        self._reader.tick(now)

    def finish(self) -> None:
        """Waits for what lies on devices."""
        here = self._threads.here
        if here.by_hand is not None and here.by_hand.has_stepped():
            self._step_by_hand(here)
        self._reader.finish()

    def _write(self, stepping: Stepping, optimizer: Any, losses: Losses, now: float) -> None:
        where = losses.where
        if not losses.values:
            current = self._passes.current()
            where = current if current is not None and current[0].open else where  # gradients come from elsewhere
        self.epoch = stepping.add(optimizer, losses, where, now)
        self.steps = stepping.steps

    # -- loops without an optimizer

    def _look_for_steps(self, here: _Thread, by_hand: ByHand, tensors: Any) -> None:
        """Takes what went before for a step, if parameters have changed."""
        if here.losses.values and by_hand.has_stepped():
            self._step_by_hand(here)
        by_hand.look(tensors)

    def _step_by_hand(self, here: _Thread) -> None:
        here.held.append((here.losses, time.time()))
        here.losses = Losses()
        if here.stepping is None and len(here.held) < _FEWEST_BY_HAND:
            return
        with self._lock:
            here.stepping = here.stepping or self._optimizers.make(None, 0)
            for losses, now in here.held:
                self._write(here.stepping, None, losses, now)
        here.held.clear()
        self._reader.tick(time.time())


def _leave_broken_steps(within: list[int]) -> None:
    """Forgets steps that ended in an exception, of whose end nobody told."""
    while within and not _is_under_way(within[-1]):
        within.pop()


def _is_under_way(optimizer: int) -> bool:
    """Whether a step of an optimizer is being made, further up."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # there is no other way
    while frame is not None:
        code = frame.f_code
        # what the author's frames hold would stay alive for being looked at
        is_step = code.co_name == "wrapper" and code.co_filename.endswith("optimizer.py")
        if is_step and id(frame.f_locals.get("self")) == optimizer:
            return True
        frame = frame.f_back
    return False
