"""Checks what was given to `track.training`, and makes a training of it."""

from __future__ import annotations

from typing import Any

from nb2pipe.tracking.training.every import parse_every
from nb2pipe.tracking.training.loop import Settings, Training
from nb2pipe.tracking.training.models import trained
from nb2pipe.tracking.training.scopes import Scope

_MODES = ("max", "min")


def make_training(
    given: tuple[Any, Any, Any, Any],
    state: Any,
    *,
    every: str,
    keep: int,
    monitor: str | None,
    mode: str,
) -> Training:
    """A training.

    Args:
        given: Models, optimizers, schedulers and scalers, as `track.training` takes them.
        state: As there, and so is all else.
        every: How often it is saved.
        keep: How many of the last checkpoints stay.
        monitor: What tells the best.
        mode: How.

    Raises:
        TypeError: Something given is of no use.
        ValueError: `every`, `keep` or `mode` say nothing that is known.
    """
    if state is not None and (not isinstance(state, dict) or not all(isinstance(name, str) for name in state)):
        raise TypeError(f"`state` is a dictionary of values by their names, not {state!r}")
    if isinstance(keep, bool) or not isinstance(keep, int):
        raise TypeError(f"`keep` is a number of checkpoints, not {keep!r}")
    if keep < 1:
        raise ValueError("`keep` is 1 at least, so that there is a checkpoint to go on from")
    if mode not in _MODES:
        raise ValueError(f"`mode` is 'max' or 'min', not {mode!r}")
    settings = Settings(every=parse_every(every), keep=keep, monitor=monitor, mode=mode)
    kept = {} if state is None else state
    scope = Scope.of_caller()
    bound = frozenset(name for name, one in kept.items() if scope.variables.get(name, kept) is one)
    return Training(trained=trained(*given), state=kept, settings=settings, made=scope, bound=bound)
