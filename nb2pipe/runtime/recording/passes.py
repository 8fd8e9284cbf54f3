"""Passes over data loaders: which batch of which pass a step belongs to."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

_MANY = 64
"""Passes that are remembered before those that nobody can go on with are forgotten."""


@dataclass(slots=True, eq=False)
class Pass:
    """A pass over a data loader.

    Attributes:
        data: What stands for the data set.
        size: How many examples a batch has, as far as the loader says so.
        before: The pass within which this one began.
        batch: The number of the batch that was given last, from 1.
        examples: How many examples were given so far.
        open: Whether there may be more.
        epochs: The number of this pass, from 1, for each optimizer that stepped in it.
    """

    data: Callable[[], int | None]
    size: int | None = None
    before: Pass | None = None
    batch: int = 0
    examples: int = 0
    open: bool = True
    epochs: dict[int, int] = field(default_factory=dict)


_PLAIN = (list, tuple)

Where: TypeAlias = "tuple[Pass, int, int]"
"""A batch of a pass: its number, and how many examples were given by then."""


class Passes:
    """The passes of a step of a pipeline. Each thread has its own; one that has none takes those of the others."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], Pass]] = {}
        self._here = threading.local()
        self._last: Pass | None = None

    def asks(self, iterator: Any) -> None:
        """A data loader is asked for a batch; if it gives none, the pass is over."""
        known = self._known.get(id(iterator))
        if known is not None and known[0]() is iterator:
            known[1].open = False

    def gives(self, iterator: Any, data: Any) -> None:
        """A data loader gives a batch."""
        known = self._known.get(id(iterator))
        if known is None or known[0]() is not iterator or getattr(iterator, "_num_yielded", 0) == 1:
            where = self._begun(iterator)
        else:
            where = known[1]
        where.batch += 1
        try:  # noqa: SIM105  # `suppress` takes as long as all of it
            where.examples += length_of(data, where.size)
        except Exception:  # noqa: BLE001, S110  # the author's classes are asked
            pass
        where.open = True
        self._last = self._here.last = where

    def current(self) -> Where | None:
        """The batch that the loop is at; a pass without a step, such as of validation, is none once it is over."""
        found: Pass | None = getattr(self._here, "last", self._last)
        while found is not None and not (found.open or found.epochs):
            found = found.before
        return (found, found.batch, found.examples) if found is not None else None

    def _begun(self, iterator: Any) -> Pass:
        if len(self._known) >= _MANY:
            self._known = {number: known for number, known in [*self._known.items()] if known[0]() is not None}
        before: Pass | None = getattr(self._here, "last", None)
        if before is not None:
            before.before = None  # or each would keep all that were before it
        # these names are torch's own, and other loaders may lack them
        sampler = getattr(iterator, "_index_sampler", None) if getattr(iterator, "_auto_collation", False) else None
        size = getattr(sampler, "batch_size", None)
        where = Pass(
            data=_referred(getattr(iterator, "_dataset", iterator)),
            size=size if isinstance(size, int) else None,
            before=before if before is not None and before.open else None,
        )
        self._known[id(iterator)] = weakref.ref(iterator), where
        return where


def length_of(data: Any, size: int | None = None) -> int:
    """The number of examples of a batch.

    Args:
        data: The batch.
        size: The number that batches have, if that is known; the last one may have fewer.

    >>> length_of(["a", "b"]), length_of({"x": [1, 2, 3]}), length_of((["a", "b", "c"], [0, 1, 0])), length_of(5)
    (2, 3, 3, 0)
    >>> length_of([[1, 2], [3], [4, 5]], 3), length_of(([[1, 2], [3, 4]], [0, 1]))
    (3, 2)
    """
    for _ in range(4):
        if type(data) not in _PLAIN:  # to ask a class whether it is a mapping takes time
            shape = getattr(data, "shape", None)
            if shape is not None:
                return int(shape[0]) if len(shape) else 1
            if isinstance(data, Mapping):
                data = next(iter(data.values()), None)
                continue
        if not isinstance(data, tuple | list) or not data:
            break
        if len(data) == size or isinstance(data[0], int | float | str):
            return len(data)
        data = data[0]
    return len(data) if isinstance(data, tuple | list) else 0


def _referred(data: Any) -> Callable[[], int | None]:
    """What tells which data set it is, and None once that is gone."""
    number = id(data)
    try:
        still = weakref.ref(data)
    except TypeError:  # a list, for one
        return lambda: number
    return lambda: None if still() is None else number
