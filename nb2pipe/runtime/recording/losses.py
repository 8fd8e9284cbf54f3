"""What `backward` was called on and no step was made with yet, and how its numbers are read."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.recording.values import Device, comes_again, in_memory, plain_tensor, without_modes

if TYPE_CHECKING:
    from nb2pipe.runtime.recording.passes import Where

_MOST_SCALED = 16
_MOST_LOSSES = 4096
"""Losses without a step that are told apart."""

Coming = tuple[Any, int]
"""A number that lies on a device yet: the block, and its place there."""


@dataclass(slots=True)
class Losses:
    """What `backward` was called on since the last step.

    Attributes:
        values: The losses, those that are not known yet as 0.
        coming: Those that lie on a device yet, each with its place in `values`.
        zeroed: How many there were when optimizers last cleared their gradients, by what tells one from another.
        spent: A step was made with them.
        where: The batch that the last of them came of.
    """

    values: list[float] = field(default_factory=list)
    coming: list[tuple[int, Coming]] = field(default_factory=list)
    zeroed: dict[int, int] = field(default_factory=dict)
    spent: bool = False
    where: Where | None = None

    def clear(self) -> None:
        """There are none yet."""
        self.values.clear()
        self.spent, self.where = False, None
        if self.coming:
            self.coming.clear()
        if self.zeroed:
            self.zeroed.clear()

    def add(self, value: float) -> None:
        """A loss that is known."""
        if len(self.values) >= _MOST_LOSSES and not self.coming:
            self.values[:] = [sum(self.values)]
            self.zeroed.clear()
        self.values.append(value)

    def of(self, optimizer: int) -> tuple[float, int, list[Coming]]:
        """What a step is made with: the sum of the losses that are known, their number, and those that are coming."""
        begin = self.zeroed.get(optimizer, 0)
        values = self.values[begin:] if begin else self.values
        if not self.coming:
            return values[0] if len(values) == 1 else sum(values), len(values), []
        coming = [each for place, each in self.coming if place >= begin]
        return sum(values), len(values) - len(coming), coming


@dataclass(slots=True)
class Apart:
    """What gradients were computed of by `torch.autograd.grad`, to be given to parameters by hand.

    Attributes:
        losses: The losses.
    """

    losses: Losses = field(default_factory=Losses)
    _first: weakref.ref[Any] | None = None

    def asked_for(self, inputs: Any) -> bool:
        """Gradients for some tensors are asked for; whether these may be parameters."""
        try:
            first = next(iter(inputs), None) if isinstance(inputs, list | tuple) else inputs
        except TypeError:
            return False
        if first is None or not getattr(first, "is_leaf", False) or _is_wrapped(first):
            return False
        if self.losses.spent:
            self.losses.clear()
        self._first = weakref.ref(first)
        return True

    def given_to(self, optimizer: Any) -> Losses | None:
        """The losses, where the first of these tensors is a parameter of an optimizer."""
        first = self._first() if self._first is not None and not self.losses.spent else None
        groups = optimizer.param_groups if first is not None else ()
        return self.losses if any(one is first for group in groups for one in group["params"]) else None


def _is_wrapped(tensor: Any) -> bool:
    """Whether a tensor is one of a transformation of functions, which has no memory that can be read."""
    import torch  # it is a tensor of it

    return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))  # noqa: SLF001  # there is no other way


class Reader:
    """Reads losses, those on devices later."""

    def __init__(self) -> None:
        self._devices: dict[Any, Device] = {}
        self._scaled: dict[int, tuple[weakref.ref[Any], Any]] = {}
        self._lock = threading.RLock()

    def take(self, losses: Losses, tensors: Any, gradients: Any) -> None:
        """Takes what `backward` is called on."""
        if not isinstance(tensors, (list, tuple)):
            self._take(losses, tensors, gradients)
            return
        weights = gradients if isinstance(gradients, list | tuple) else (gradients,) * len(tensors)
        for tensor, weight in zip(tensors, weights, strict=False):
            self._take(losses, tensor, weight)

    def scaled(self, outputs: Any, result: Any) -> None:
        """A loss was scaled, so that small gradients are not lost; the loss itself is what counts."""
        if isinstance(result, list | tuple) and isinstance(outputs, list | tuple):
            for one, scaled in zip(outputs, result, strict=False):
                self.scaled(one, scaled)
            return
        if result is outputs:
            return
        if comes_again(outputs):
            with without_modes():
                self._scale(outputs, result)
        else:
            self._scale(outputs, result)

    def _scale(self, outputs: Any, result: Any) -> None:
        if plain_tensor(outputs):
            loss = in_memory(outputs) if outputs.is_cpu else self._kept(outputs)
            if len(self._scaled) >= _MOST_SCALED:
                self._scaled.clear()
            self._scaled[id(result)] = weakref.ref(result), loss

    def tick(self, now: float) -> None:
        """Reads what has arrived; nothing is waited for."""
        if self._devices:
            with self._lock, without_modes():
                for device in [*self._devices.values()]:
                    device.tick(now)

    def finish(self) -> None:
        """Waits for what lies on devices."""
        with self._lock:
            for device in self._devices.values():
                device.finish()

    def _take(self, losses: Losses, tensor: Any, weight: Any) -> None:
        if comes_again(tensor):
            return
        if self._scaled:
            tensor = self._unscaled(tensor)
        if weight is not None and not plain_tensor(weight):
            return
        if not isinstance(tensor, float):
            if not plain_tensor(tensor):
                return
            if not tensor.is_cpu:
                self._fetch(losses, tensor, weight)
                return
            tensor = in_memory(tensor)
        factor = 1.0 if weight is None else in_memory(weight)
        if tensor is not None and factor is not None:
            losses.add(tensor * factor)

    def _unscaled(self, tensor: Any) -> Any:
        """The loss that was scaled, or its number; or what is given."""
        found = self._scaled.pop(id(tensor), None)
        return found[1] if found is not None and found[0]() is tensor else tensor

    def _fetch(self, losses: Losses, tensor: Any, weight: Any) -> None:
        """Takes a loss that lies on a device."""
        with self._lock:
            found = self._device(tensor).add(tensor, weight)
        if found is not None:
            losses.coming.append((len(losses.values), found))
            losses.values.append(0.0)

    def _kept(self, tensor: Any) -> Any:
        """A loss on a device, without what it was computed from; None while the author counts operations."""
        return None if self._device(tensor).is_looked_at() else tensor.detach()

    def _device(self, tensor: Any) -> Device:
        found = self._devices.get(tensor.device)
        return found or self._devices.setdefault(tensor.device, Device(tensor.device))
