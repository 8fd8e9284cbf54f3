"""A training that can go on after a crash: what `track.training` returns, and the epochs that it goes through.

A checkpoint is taken between two epochs or two batches. It holds what is trained, all generators as they are, and, in
the middle of an epoch, as they were when the epoch and its pass over the loader began: who goes on repeats the pass up
to there, without training on it, and sets them to what they were.
"""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

from nb2pipe.tracking.training.loaders import begin_pass, is_used_up, length_of
from nb2pipe.tracking.training.scopes import Scope
from nb2pipe.tracking.training.session import Session, running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.tracking.training.every import Every
    from nb2pipe.tracking.training.models import Trained


class Epoch(int):
    """An epoch of a training: its number, with what is done in it."""

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """The batches of a loader, so that a checkpoint knows how many of them are done.

        The first pass of an epoch can be gone on with in its middle; of an epoch with several, the others are repeated
        with it. So are passes over data sets without a length, and those whose sampler is none of torch's.

        Raises:
            TypeError: It is an iterator that an earlier epoch used up.
            RuntimeError: The epoch is over.
        """
        session = running(self)
        if session is None:
            raise RuntimeError("the epoch is over; its batches are gone through within the loop over `epochs`")
        return Rounds(session, loader)

    def log(self, mapping: Mapping[str, Any] | None = None, /, **values: Any) -> None:
        """Logs numbers of this epoch, as `track.log(..., step=epoch)` does.

        Raises:
            TypeError: Something is no number, or a name is no text.
            ValueError: Nothing is given, or a name is given twice, or is empty, too long or not printable.
        """
        from nb2pipe.tracking import track  # noqa: PLC0415  # it imports this module

        numbers = track.numbers(mapping, values)
        track.log(numbers, step=int(self))
        session = running(self)
        if session is not None:
            session.metrics.update(numbers)

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        """What is kept of it is the number."""
        return int, (int(self),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a training is saved, as it was given.

    Attributes:
        keep: How many of the last checkpoints stay.
        monitor: The number of an epoch that says which checkpoint is the best.
        mode: `max` or `min`.
    """

    every: Every
    keep: int
    monitor: str | None
    mode: str


@dataclass(slots=True, kw_only=True, eq=False)
class Training:
    """A training; `track.training` makes it.

    Attributes:
        state: What else the checkpoints hold, as it was given.
        made: The code that made it; None where it is a copy.
        bound: The names of it that were variables of that code: what the loop binds them to counts.
    """

    trained: Trained
    state: dict[str, Any]
    settings: Settings
    made: Scope | None = None
    bound: frozenset[str] = frozenset()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of it belongs to no code."""
        return _made_again, (self.trained, self.state, self.settings)

    def epochs(self, epochs: SupportsIndex | Sequence[SupportsIndex]) -> Iterator[Epoch]:
        """The epochs that are left: all of them, or those after the last checkpoint.

        Args:
            epochs: Their number, or the numbers themselves.

        Raises:
            TypeError: It is neither, or something that is to be saved does not fit into a checkpoint.
        """
        return _Epochs(self, _numbers(epochs))


def _made_again(trained: Trained, state: dict[str, Any], settings: Settings) -> Training:
    return Training(trained=trained, state=state, settings=settings)


class _Epochs:
    """Goes through the epochs of a training."""

    def __init__(self, training: Training, numbers: list[int]) -> None:
        self._training = training
        self._numbers = numbers
        self._session: Session | None = None
        self._over = False

    def __iter__(self) -> _Epochs:
        return self

    def __next__(self) -> Epoch:
        if self._over:
            raise StopIteration
        if self._session is None:
            self._session = Session(self._training, self._numbers, Scope.of_caller())
            self._session.begin()
        else:
            self._session.end_epoch()
        if self._session.position >= len(self._numbers):
            self._over = True
            self._session.finish()
            raise StopIteration
        epoch = Epoch(self._numbers[self._session.position])
        self._session.begin_epoch(epoch)
        return epoch

    def __del__(self) -> None:
        """The loop was left: by `break`, by `return`, or by an error."""
        if self._session is not None and not self._over and not sys.is_finalizing():
            self._session.leave()


def _numbers(epochs: Any) -> list[int]:
    if isinstance(epochs, bool | str):
        raise TypeError(f"`epochs` takes a number of epochs or their numbers, not {epochs!r}")
    try:
        return list(range(operator.index(epochs)))
    except TypeError:
        pass
    try:
        return [operator.index(each) for each in epochs]
    except TypeError:
        raise TypeError(f"`epochs` takes a number of epochs or their numbers, not {epochs!r}") from None


class Rounds:
    """The batches of one pass over a loader; those that are done already are passed over."""

    def __init__(self, session: Session, loader: Any) -> None:
        self._session = session
        self._loader = loader
        self._iterator: Any = None
        self._first = True
        self._length: int | None = None
        self._done = 0

    def __iter__(self) -> Rounds:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        if self._iterator is None:
            self._begin()
        elif self._first:
            self._session.end_batch(self._done, self._length)
        try:
            batch = next(self._iterator)
        except StopIteration:
            self._first = False
            raise
        self._done += 1
        return batch

    def _begin(self) -> None:
        if is_used_up(self._loader, self._session.iterators):
            raise TypeError(
                "`epoch.batches` was given an iterator that an earlier epoch has used up; give it the loader itself"
            )
        self._first = not self._session.begin_pass()
        skip = 0
        if self._first:
            self._length = length_of(self._loader)
            skip = self._session.prepare_pass(self._length, Scope.of_caller(), self)
        self._iterator = begin_pass(self._loader)
        for _ in range(skip):
            next(self._iterator)
        if skip:
            self._done = skip
            self._session.go_on()
