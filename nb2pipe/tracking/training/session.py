"""One pass through the epochs of a training: saves what is due, and goes on from what an earlier one saved."""

from __future__ import annotations

import os
import platform
import sys
import time
import warnings
from contextlib import suppress
from json import dumps
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.records.events import RunStatus
from nb2pipe.runtime.recording.recording import goes_on
from nb2pipe.tracking.training import said
from nb2pipe.tracking.training.draws import find_draws
from nb2pipe.tracking.training.every import Clock
from nb2pipe.tracking.training.kept import SCHEMA, Kept, Told, checkpoints, name_of, open_checkpoint
from nb2pipe.tracking.training.leftovers import clears_gradients, leftovers, read_outside, takes_before
from nb2pipe.tracking.training.restored import put_back
from nb2pipe.tracking.training.said import FILE, Said
from nb2pipe.tracking.training.values import Decoder, Encoder
from nb2pipe.tracking.training.where import find_place
from nb2pipe.tracking.training.writer import TENSORS
from nb2pipe.tracking.training.writing import Job, Writer

if TYPE_CHECKING:
    import ast
    from pathlib import Path

    from nb2pipe.tracking.training.leftovers import Leftover
    from nb2pipe.tracking.training.loop import Epoch, Training
    from nb2pipe.tracking.training.scopes import Scope
    from nb2pipe.tracking.training.where import Place

_MOST_FILES = 2000
_running: list[Session] = []


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
        self.training = training
        self.numbers = numbers
        self.position = 0
        self.epoch: Epoch | None = None
        self.metrics: dict[str, float] = {}
        self.iterators: list[Any] = []
        self._scope = scope
        self._steps = 0
        self._passes = 0
        self._done = 0
        self._gradients = True
        self._mid = False
        self._within = training.settings.every.within_epochs
        self._draws = find_draws(_variables(scope, training))
        self._snapshots: dict[str, Any] = {}
        self._middle: dict[str, Any] | None = None
        self._values: dict[str, float] = {}
        self._structure = str(Digest.of("structure", [training.trained.structure(), sorted(training.state)]))
        outer = _running[-1] if _running else None
        within = f"{outer.place.folder.name}-{outer.position}-" if outer is not None else ""
        self.place: Place = find_place(scope, self._structure, within)
        settings = training.settings
        self._kept = Kept(keep=settings.keep, monitor=settings.monitor, mode=settings.mode, last=len(numbers))
        self._clock = Clock(settings.every)
        self._writer = Writer(self._saved)
        self._said: Said | None = None
        self._handed: dict[str, Told] = {}
        self._leftovers = self._find_leftovers(scope)
        self._complete = self._leftovers is not None and not self._leftovers
        self._gone_on = False

    # -- the loop

    def begin(self) -> None:
        """Goes on from the last checkpoint, or begins with the first epoch."""
        Encoder().encode(dict(self.training.state), "state")  # what does not fit is told before hours of training
        found = self._find() if self._complete else None
        self.place.folder.mkdir(parents=True, exist_ok=True)
        if found is None:
            self._said = Said(self.place.folder)
            self._clear()
            self._said.begin()
            if not self._complete and not self.place.inside:
                warnings.warn(self._why(), stacklevel=4)
        else:
            self._restore(*found)
        self._writer.start()
        _running.append(self)

    def begin_epoch(self, epoch: Epoch) -> None:
        """An epoch begins."""
        self.epoch = epoch
        self.metrics = dict(self._values) if self._middle is not None else {}
        self._passes = 0
        self._done = 0
        if self._middle is not None:
            assert self._said is not None
            self._said.muted = True
            self._draws.write(self._middle["epoch"])
            self._snapshots["epoch"] = self._middle["epoch"]
        elif self._within:
            self._snapshots["epoch"] = self._draws.read()

    def end_epoch(self) -> None:
        """An epoch ended: a checkpoint may be due."""
        self._unmute()
        self.position += 1
        self._done = 0
        self._clock.epochs += 1
        self._writer.poll()
        if self._clock.is_due or self.position >= len(self.numbers):
            self._save()

    def begin_pass(self) -> int:
        """A pass over a loader begins; how many there were in this epoch."""
        self._passes += 1
        return self._passes - 1

    def prepare_pass(self, length: int | None, scope: Scope) -> int:
        """The first pass of an epoch begins.

        Args:
            length: How many batches it has; None where it cannot be gone on with.
            scope: The code of its loop.

        Returns:
            How many batches are done already.
        """
        self._read_pass(scope)
        if self._middle is not None:
            skip = int(self._middle["batch"])
            self._draws.write(self._middle["pass"])
            self._snapshots["pass"] = self._middle["pass"]
            return skip
        if self._within and length is not None:
            self._snapshots["pass"] = self._draws.read()
        else:
            self._snapshots.pop("pass", None)
        return 0

    def go_on(self) -> None:
        """The batches that were done are passed over: from here on it is trained."""
        assert self._middle is not None
        middle, self._middle = self._middle, None
        self._put(middle["data"], middle["tensors"])
        self._draws.write(middle["now"])
        self._done = int(middle["batch"])
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
        if self._within and length is not None and done < length and self._mid and self._clock.is_due:
            self._save()

    def finish(self) -> None:
        """All epochs are done."""
        self._writer.finish()
        self._close()
        self._tell_broken()
        if self.place.outside is not None:
            self.place.outside.end(RunStatus.SUCCEEDED)

    def leave(self) -> None:
        """The loop was left before its end."""
        with suppress(Exception):
            self._writer.finish()
        self._close()
        if self.place.outside is not None:
            self.place.outside.left()

    def _close(self) -> None:
        self._writer.close()
        if self in _running:
            _running.remove(self)
        if self._said is not None:
            self._said.end()
        self.epoch = None

    def _unmute(self) -> None:
        if self._said is not None:
            self._said.muted = False

    # -- what stands in the text

    def _find_leftovers(self, scope: Scope) -> list[Leftover] | None:
        """What the loop hands on beside what is saved; None where its text is not known."""
        found = scope.loop()
        if found is None:
            return None
        names = leftovers(found[1], scope.calls(), self.place.outputs | read_outside(found[0]))
        mine = {id(one) for one in self._own_objects()}
        return [
            each
            for each in names
            if (each.bound or each.name in scope.variables)  # a function may change what only it sees
            and id(scope.variables.get(each.name)) not in mine
            and not self._follows(each, scope)
        ]

    def _own_objects(self) -> list[Any]:
        trained = self.training.trained
        return [self.training, self.training.state, *trained.models.values(), *trained.stepping.values()]

    def _follows(self, leftover: Leftover, scope: Scope) -> bool:
        """Whether a name of `state` is saved as what it is bound to when it is saved."""
        return leftover.name in self.training.state and (scope.top or not leftover.bound)

    def _read_pass(self, scope: Scope) -> None:
        """Looks whether rounds of the loop over batches can be gone on with, and what they do with gradients."""
        found = scope.loop()
        self._mid = False
        if found is None:
            return
        self._gradients = not clears_gradients(found[1])
        rest = self._find_leftovers(scope)
        self._mid = self._complete and rest is not None and not rest and not self._takes_before(found[1])

    def _takes_before(self, batches: ast.For) -> bool:
        """Whether the epoch takes something from what is trained before its batches, which would be another by then."""
        found = self._scope.loop()
        mine = {id(one) for one in self._own_objects()}
        names = {name for name, value in self._scope.variables.items() if id(value) in mine}
        return found is not None and takes_before(found[1], batches.lineno, names)

    def _why(self) -> str:
        names = ", ".join(f"`{each.name}`" for each in self._leftovers or [])
        if not names:
            return "the text of the loop is not known, so a training that is interrupted begins anew"
        first = (self._leftovers or [])[0].name
        return (
            f"the loop changes {names}, so a training that is interrupted begins anew; "
            f'name it in `track.training(..., state={{"{first}": {first}}})`'
        )

    # -- saving

    def _save(self) -> None:
        """Takes a checkpoint, if there is time."""
        place = (self.position, self._done)
        told = self._told(place)
        encoder = Encoder()
        data = self._data(encoder, told)
        job = Job(
            folder=str(self.place.folder),
            name=told.name,
            told=told.told,
            remove=lambda: self._kept.add(told),
            best=self._kept.is_best(told),
        )
        self._handed[told.name] = told
        if self._writer.save(job, encoder.tensors, dumps(data)):
            self._clock.reset()
        self._tell_broken()

    def _data(self, encoder: Encoder, told: Told) -> dict[str, Any]:
        self._follow()
        data = {
            "trained": self.training.trained.encode(encoder, gradients=self._gradients),
            "draws": {"now": encoder.encode(self._draws.read(), "draws")},
        }
        encoder.close()
        data["state"] = encoder.encode(dict(self.training.state), "state")
        if self._done:
            for kind, states in self._snapshots.items():
                data["draws"][kind] = encoder.encode(states, f"draws.{kind}")
        data["told"] = dict(told.told)
        return data

    def _follow(self) -> None:
        """Takes what the names of `state` are bound to now."""
        if not self._scope.top:
            return
        for name, last in self.training.bound.items():
            now = self._scope.variables.get(name, last)
            if now is not last:
                self.training.state[name] = self.training.bound[name] = now

    def _told(self, place: tuple[int, int]) -> Told:
        assert self._said is not None
        number = self.numbers[min(self.position, len(self.numbers) - 1) if self._done else self.position - 1]
        told = {
            "schema": SCHEMA,
            "key": self.place.key,
            "structure": self._structure,
            "versions": _versions(),
            "numbers": self.numbers,
            "position": place[0],
            "batch": place[1],
            "epoch": number,
            "step": self._steps,
            "time": time.time(),
            "metrics": dict(self.metrics),
            "said": self._said.offset,
            "reads": _reads(self.place.seen()),
            "complete": self._complete,
        }
        return Told(name=name_of(place), place=place, told=told)

    def _saved(self, name: str, sha256: str) -> None:
        told = self._handed.pop(name, None)
        if told is not None and self.place.outside is not None:
            path = self.place.folder / f"{name}{TENSORS}"
            self.place.outside.saved(path, sha256, told.told["step"], told.told["epoch"])

    def _tell_broken(self) -> None:
        broken, self._writer.broken = self._writer.broken, None
        if broken is not None:
            warnings.warn(f"a checkpoint could not be written to {self.place.folder}: {broken}", stacklevel=6)

    # -- going on

    def _find(self) -> tuple[Path, Told, dict[str, Any], Any] | None:
        """The last checkpoint that is whole and still holds."""
        for folder in self.place.sources:
            for told in checkpoints(folder):
                if self._holds(folder, told) and (found := open_checkpoint(folder, told)) is not None:
                    return (folder, told, *found)
        return None

    def _holds(self, folder: Path, told: Told) -> bool:
        one = told.told
        mine = (self.place.key, self._structure, _versions(), self.numbers)
        if (one["key"], one["structure"], one["versions"], one["numbers"]) != mine or not one["complete"]:
            return False
        # What comes after the loop in a step may read what the last round bound, so that is done again.
        whole = Said.size_in(folder) >= one["said"]
        return whole and told.place[0] < len(self.numbers) and _is_unchanged(one["reads"])

    def _restore(self, folder: Path, told: Told, tensors: dict[str, Any], data: Any) -> None:
        self._adopt(folder, told)
        goes_on(folder, told.told["time"], middle=bool(told.place[1]))
        self._said = Said(self.place.folder)
        entries = self._said.begin(told.told["said"])
        self._put(data, tensors)
        draws = {kind: Decoder(tensors).decode(states) for kind, states in data["draws"].items()}
        self.position, self._steps = told.place[0], told.told["step"]
        if told.place[1]:
            self._values = dict(told.told["metrics"])
            self._middle = {"batch": told.place[1], "data": data, "tensors": tensors, **draws}
        else:
            self._draws.write(draws["now"])
        self._gone_on = True
        for entry in entries:
            self._again(entry)

    def _adopt(self, folder: Path, told: Told) -> None:
        """Takes over what an earlier run left, and drops what came after the checkpoint."""
        if folder != self.place.folder:
            self._clear()
            (self.place.folder / FILE).write_bytes((folder / FILE).read_bytes())
        for each in checkpoints(self.place.folder):
            if each.place <= told.place:
                self._kept.there.append(each)
            else:
                self._remove(each)
        self._kept.there.sort(key=lambda each: each.place)

    def _clear(self) -> None:
        for each in checkpoints(self.place.folder):
            self._remove(each)

    def _remove(self, told: Told) -> None:
        for path in sorted(self.place.folder.glob(f"{told.name}.*")):
            with suppress(OSError):
                path.unlink()

    def _put(self, data: Any, tensors: dict[str, Any]) -> None:
        """Gives all objects the content that they had."""
        decoder = Decoder(tensors)
        self.training.trained.restore(decoder, data["trained"])
        new = decoder.decode(data["state"])
        state = self.training.state
        for name in state.keys() - new.keys():
            del state[name]
        for name, value in new.items():
            state[name] = put_back(state[name], value) if name in state else value
            if name in self.training.bound and self._scope.top:
                self._scope.variables[name] = self.training.bound[name] = state[name]

    def _again(self, entry: list[Any]) -> None:
        """Shows or logs something again that was shown or logged before."""
        from nb2pipe.runtime import journal  # noqa: PLC0415  # only who goes on needs it

        assert self._said is not None
        found = journal.current()
        if entry[0] == "log" and found is not None:
            found.log(entry[1], entry[2])
        elif entry[0] == "params" and found is not None:
            found.set(entry[1])
        else:
            self._said.show(entry)


def _variables(scope: Scope, training: Training) -> dict[str, Any]:
    return {**scope.variables, "training.state": training.state}


def _versions() -> list[str]:
    torch = sys.modules.get("torch")
    return [platform.python_version(), str(getattr(torch, "__version__", ""))]


def _reads(seen: dict[str, Any]) -> dict[str, Any]:
    """The files that were read so far, and what tells whether they are the same still; not all of very many."""
    return dict(list(seen.get("reads", {}).items())[:_MOST_FILES])


def _is_unchanged(reads: dict[str, Any]) -> bool:
    return all(_state(path) == state for path, state in reads.items())


def _state(path: str) -> list[int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # many of them
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ino]


is_muted = said.is_muted
