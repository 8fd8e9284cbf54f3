"""Brings what a run makes to a store that others use too: as its steps end, and the rest at its end.

A file in the home says which runs are owed to the place, from a run's beginning until all of it is there. So nothing
is lost where the place fails or the process is killed: the next run with that place brings what is still owed.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError, StoreError
from nb2pipe.execution.mirror import key_path
from nb2pipe.execution.needs import Needs
from nb2pipe.execution.options import NO_CACHE, REUSE
from nb2pipe.records.events import RunStatus, StepReused, StepStatus
from nb2pipe.records.files import POINTS, RUN_FILE, read_run, read_step, series_path, step_path
from nb2pipe.records.series import is_recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nb2pipe.digest import Digest
    from nb2pipe.execution.home import Home
    from nb2pipe.records.events import Event
    from nb2pipe.records.model import StepRecord
    from nb2pipe.store.layered import LayeredStore

_WORKERS = 4
"""Steps that are pushed at a time; most of that is waiting for answers."""
_LOOK_SECONDS = 0.1


class Pusher:
    """Pushes one run; what fails is kept in `error`, and the run goes on.

    Args:
        home: Where the run is.
        run: Its id.
        store: Where the artifacts are, and behind it the place.
        owed: The folder of the runs that are owed to the place.
        told: Is told of what is pushed: the artifact, bytes done, bytes in all.
    """

    def __init__(
        self, home: Home, run: str, store: LayeredStore, owed: Path, told: Callable[[Digest, int, int], None]
    ) -> None:
        self.error: StoreError | None = None
        self._home = home
        self._run = run
        self._store = store
        self._owed = owed
        self._told = told
        self._needs = Needs(store)
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._sent: dict[Path, tuple[int, int]] = {}
        self._noted: set[str] = set()

    def begin(self) -> None:
        """Notes that the run is owed, and begins to wait for its steps.

        Raises:
            StoreError: The home cannot be written.
        """
        try:
            self._owed.mkdir(parents=True, exist_ok=True)
            (self._owed / self._run).touch()
        except OSError as error:
            raise StoreError(f"cannot write {self._owed}: {error.strerror or error}") from error
        # A transfer that does not end must not keep the process alive.
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(_WORKERS)]
        for worker in self._workers:
            worker.start()

    def take(self, event: Event) -> None:
        """Takes an event in: what was reused is there at once."""
        if isinstance(event, StepReused):
            self.add(event.step)

    def add(self, step: str) -> None:
        """A step has ended, and its record is written."""
        self._queue.put(step)

    def finish(self, cancel: threading.Event) -> StoreError | None:
        """Pushes the rest, and what earlier runs owe; the record is closed by now.

        Args:
            cancel: Once set, the rest is left for a later run.

        Returns:
            Why not all of it is there, or None.
        """
        for _ in self._workers:
            self._queue.put(None)
        if cancel.is_set():
            self.error = self.error or StoreError("it was interrupted")
            return self.error
        last = threading.Thread(target=self._finish, daemon=True)
        last.start()
        while last.is_alive() and not cancel.is_set():
            last.join(_LOOK_SECONDS)
        if last.is_alive() and self.error is None:
            self.error = StoreError("it was interrupted")
        return self.error

    def _finish(self) -> None:
        for worker in self._workers:
            worker.join()
        self._guarded(self._push_owed)

    def _work(self) -> None:
        while (step := self._queue.get()) is not None:
            self._guarded(self._push_one, step)

    def _guarded(self, push: Callable[..., None], *given: str) -> None:
        if self.error is not None:
            return
        try:
            push(*given)
        except StoreError as error:
            self.error = error
        except (RecordsError, OSError) as error:
            self.error = StoreError(f"what the run made cannot be read: {error}")

    def _push_one(self, step: str) -> None:
        record = read_step(self._home.runs / self._run, step)
        if record is not None and record.finished:
            self._send(self._home.runs / self._run / RUN_FILE, again=False)
            self._push_step(self._run, record, cached=True)

    def _push_owed(self) -> None:
        """This run, then those of earlier runs that are still owed."""
        self._push_run(self._run)
        for run in sorted(path.name for path in self._owed.iterdir()):
            with suppress(RecordsError):  # it is damaged, or was deleted
                if not (self._home.runs / run).is_dir():
                    (self._owed / run).unlink(missing_ok=True)
                elif read_run(self._home.runs / run).status is not RunStatus.RUNNING:
                    self._push_run(run)

    def _push_run(self, run: str) -> None:
        folder = self._home.runs / run
        record = read_run(folder)
        cached = record.surroundings.get(REUSE) != NO_CACHE
        for step in record.steps:
            if step.finished:
                self._push_step(run, step, cached=cached)
        for file in _files(folder):
            self._send(file)
        self._send(folder / RUN_FILE)
        (self._owed / run).unlink(missing_ok=True)

    def _push_step(self, run: str, step: StepRecord, *, cached: bool) -> None:
        """Artifacts, then the record that names them, then the key that leads to it.

        What is nowhere any more, since it was damaged or deleted, cannot be pushed, and then no key leads to it.
        """
        left = list(self._needs.left_by(step))
        whole = all(map(self._store.holds, left))
        for digest in left if whole else ():
            self._push_artifact(digest)
        folder = self._home.runs / run
        if step.series:
            self._send(folder / POINTS)
        for file in sorted(series_path(folder, step.name).glob("*")):
            if is_recorded(file.name):
                self._send(file)
        for ending in (".ipynb", ".json"):
            self._send(step_path(folder, step.name, ending))
        if cached and whole and self._is_kept(run, step):
            path = key_path(step.key, run, step.name)
            if path not in self._noted:
                self._store.remote.write(path, f"{run} {step.name}\n".encode())
                self._noted.add(path)

    def _go_on(self) -> None:
        """Raises what keeps the rest from being pushed."""
        error = self.error or self._store.broken
        if error is not None:
            raise error

    def _push_artifact(self, digest: Digest) -> None:
        self._go_on()
        size: list[int] = []

        def moved(done: int) -> None:
            if not size:
                size.append(self._store.local.path(digest).stat().st_size)
            self._told(digest, done, size[0])

        self._store.push(digest, moved)

    def _is_kept(self, run: str, step: StepRecord) -> bool:
        """Whether later runs may take the results: the home says so too."""
        if step.status is StepStatus.REUSED:
            return bool(step.key)
        try:
            lines = (self._home.keys / step.key[:2] / step.key[2:]).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return False
        return f"{run} {step.name}" in lines

    def _send(self, file: Path, *, again: bool = True) -> None:
        """Pushes a file of a run, unless it was pushed as it is now."""
        self._go_on()
        try:
            status = file.stat()
        except OSError:
            return
        state = (status.st_mtime_ns, status.st_size)
        if self._sent.get(file) == state or (file in self._sent and not again):
            return
        self._store.remote.write(file.relative_to(self._home.root).as_posix(), file.read_bytes())
        self._sent[file] = state


def _files(folder: Path) -> Iterator[Path]:
    """The files of a run, but for its record and what is hidden."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path != folder / RUN_FILE:
            yield path
