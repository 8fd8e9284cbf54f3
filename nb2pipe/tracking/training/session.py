"""One pass through the epochs of a training: saves what is due, and goes on from what an earlier one saved."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime import journal
from nb2pipe.runtime.new_secrets import secrets_in
from nb2pipe.runtime.recording.recording import goes_on
from nb2pipe.tracking.training import said
from nb2pipe.tracking.training.carried import Batches
from nb2pipe.tracking.training.counting import can_count, count_on
from nb2pipe.tracking.training.every import Clock
from nb2pipe.tracking.training.found import Found, adopt, clear, find
from nb2pipe.tracking.training.said import Said
from nb2pipe.tracking.training.saving import Saving
from nb2pipe.tracking.training.subject import Moment, Subject, decode_draws, process
from nb2pipe.tracking.training.where import find_place

if TYPE_CHECKING:
    from nb2pipe.tracking.training.loop import Epoch, Training
    from nb2pipe.tracking.training.scopes import Scope
    from nb2pipe.tracking.training.where import Place

_running: list[Session] = []

is_muted = said.is_muted


def running(epoch: Epoch) -> Session | None:
    """The pass that an epoch is the current one of."""
    return next((each for each in reversed(_running) if each.epoch is epoch), None)


class Session:
    """One pass through the epochs.

    Args:
        training: What is trained, and how it is saved.
        numbers: Of the epochs.
        scope: The code of the loop.

    Attributes:
        position: The epoch that runs, or comes next, from 0.
        metrics: What was logged in this epoch.
        iterators: Those that were given to `batches`.
    """

    def __init__(self, training: Training, numbers: list[int], scope: Scope) -> None:
        self.numbers = numbers
        self.position = 0
        self.epoch: Epoch | None = None
        self.metrics: dict[str, float] = {}
        self.iterators: list[Any] = []
        self._training = training
        self._steps = self._passes = self._done = 0
        self._within = training.settings.every.within_epochs
        self._snapshots: dict[str, Any] = {}
        self._batches = Batches()
        self._middle: Found | None = None
        self._here = False
        trained = training.trained.with_owners(scope.variables)
        self._subject = Subject(training, trained, scope)
        self._structure = self._subject.structure
        outer = _running[-1] if _running else None
        within = f"{outer.place.folder.name}-{outer.position}-" if outer is not None else ""
        self.place: Place = find_place(scope, [self._structure, trained.settings()], within)
        self._carried = self._subject.carried(self.place.outputs)
        self._saving = Saving(self._subject, self._carried, self.place, training.settings, numbers)
        self._clock = Clock(training.settings.every)
        self._secrets = secrets_in(scope.variables)
        self._said: Said | None = None

    # -- the loop

    def begin(self) -> None:
        """Goes on from the last checkpoint, or begins with the first epoch.

        Raises:
            TypeError: Something that is to be saved does not fit into a checkpoint.
        """
        encoder, _ = self._subject.encode(self._moment())  # what does not fit is told before hours of training
        problem = self._carried.problem(encoder.tensors.values())
        found = None if problem else find(self.place, self._structure, self.numbers)
        self.place.folder.mkdir(parents=True, exist_ok=True)
        if found is None:
            clear(self.place.folder, ())
            self.place.begins_anew()
            self._said = Said(self.place.folder, self._secrets)
            self._said.begin()
            self._saving.begin(())
            if problem and not self.place.inside:
                warnings.warn(f"{problem}: a training that is interrupted begins anew", stacklevel=4)
        else:
            self._go_on(found)
        _running.append(self)

    def begin_epoch(self, epoch: Epoch) -> None:
        """An epoch begins."""
        self.epoch = epoch
        self.metrics = dict(self._middle.told.told["metrics"]) if self._middle is not None else {}
        self._passes = self._done = 0
        if self._middle is not None:
            assert self._said is not None
            self._said.muted = True
            self._write_draws("epoch")
        elif self._within:
            self._snapshots["epoch"] = self._subject.draws.read()

    def end_epoch(self) -> None:
        """An epoch ended: a checkpoint may be due."""
        self._unmute()
        self.position += 1
        self._done = 0
        self._clock.epochs += 1
        self._saving.poll()
        borders = self._within and not self._passes  # nobody can tell how far it is in between
        if self._clock.is_due or borders or self.position >= len(self.numbers) or self._saving.is_best(self._moment()):
            self._save()

    def begin_pass(self) -> int:
        """A pass over a loader begins; how many there were in this epoch."""
        self._passes += 1
        return self._passes - 1

    def prepare_pass(self, length: int | None, scope: Scope, batches: object) -> int:
        """The first pass of an epoch begins.

        Args:
            length: How many batches it has; None where it cannot be gone on with.
            scope: The code of its loop.
            batches: What the loop iterates over.

        Returns:
            How many batches are done already.

        Raises:
            RuntimeError: The loop is another one than that of the checkpoint.
        """
        found = self._carried.batches(scope)
        can = length is not None and found.middle and (can_count() or not found.counted)
        self._batches = Batches(middle=can, counted=found.counted, gradients=found.gradients)
        if self._middle is None:
            self._snapshots.pop("pass", None)
            if self._within and can:
                self._snapshots["pass"] = self._subject.draws.read()
            return 0
        told = self._middle.told.told
        if told.get("length") != length or (found.counted and not count_on(batches, told["batch"])):
            raise RuntimeError(
                f"the training cannot go on in the middle of epoch {told['epoch']}: its loop has {length} batches, and "
                f"had {told.get('length')}; `nb2pipe runs delete` the run of {self.place.folder}, and it begins anew"
            )
        self._write_draws("pass")
        return int(told["batch"])

    def go_on(self) -> None:
        """The batches that were done are passed over: from here on it is trained."""
        assert self._middle is not None
        middle, self._middle = self._middle, None
        self._put(middle)
        self._subject.draws.write(decode_draws(middle.data, middle.tensors)["now"], here=self._here)
        self._done = middle.told.place[1]
        self._unmute()

    def end_batch(self, done: int, length: int | None) -> None:
        """A batch was trained on.

        Args:
            done: How many were, in this pass.
            length: How many there are; None where it is not known.
        """
        self._done = done
        self._steps += 1
        self._clock.steps += 1
        middle = self._within and length is not None and done < length and self._batches.middle
        if middle and self._clock.is_due:
            self._save(length)

    def finish(self) -> None:
        """All epochs are done."""
        self._saving.finish()
        self._close()
        if self.place.outside is not None:
            self.place.outside.over()

    def leave(self) -> None:
        """The loop was left before its end."""
        with suppress(Exception):
            self._saving.finish()
        self._close()
        if self.place.outside is not None:
            self.place.outside.left()

    def _close(self) -> None:
        self._saving.close()
        if self in _running:
            _running.remove(self)
        if self._said is not None:
            self._said.end()
        self.epoch = None

    def _unmute(self) -> None:
        if self._said is not None:
            self._said.muted = False

    # -- saving and going on

    def _moment(self, length: int | None = None) -> Moment:
        last = len(self.numbers) - 1
        at = min(self.position, last) if self._done else max(self.position - 1, 0)
        return Moment(
            place=(self.position, self._done),
            epoch=self.numbers[at] if self.numbers else 0,
            steps=self._steps,
            metrics=self.metrics,
            snapshots=dict(self._snapshots) if self._done else {},
            gradients=self._batches.gradients,
            length=length,
        )

    def _save(self, length: int | None = None) -> None:
        assert self._said is not None
        if self._saving.save(self._moment(length), self._said):
            self._clock.reset()

    def _go_on(self, found: Found) -> None:
        told = found.told.told
        there = adopt(self.place.folder, found)
        self.place.went_on(found.told)
        goes_on(found.folder, told["time"], middle=bool(told["batch"]))
        self._said = Said(self.place.folder, self._secrets)
        entries = self._said.begin(told["said"])
        self._here = told["process"] == process()
        self._put(found)
        self.position, self._steps = found.told.place[0], told["step"]
        if told["batch"]:
            self._middle = found
        else:
            self._subject.draws.write(decode_draws(found.data, found.tensors)["now"], here=self._here)
        self._saving.begin(there)
        for entry in entries:
            self._again(entry)

    def _write_draws(self, where: str) -> None:
        """Sets the generators to what they were at the beginning of the epoch, or of its pass."""
        assert self._middle is not None
        states = decode_draws(self._middle.data, self._middle.tensors)
        self._subject.draws.write(states[where], here=self._here)
        self._snapshots[where] = states[where]

    def _put(self, found: Found) -> None:
        self._subject.put(found.data, found.tensors)
        self._carried.bind()

    def _again(self, entry: list[Any]) -> None:
        """Shows or logs something again that was shown or logged before."""
        assert self._said is not None
        found = journal.current()
        if entry[0] == "log" and found is not None:
            found.log(entry[1], entry[2])
        elif entry[0] == "params" and found is not None:
            found.set(entry[1])
        else:
            self._said.show(entry)
