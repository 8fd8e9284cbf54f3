"""A store that others use too, as one run uses it: `run --store URL`.

The home stands in front of it. Steps work on files here; what a step takes is pulled before it begins, what it made is
pushed when it has ended, and a step that anybody ran from the same need not run again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nb2pipe.errors import StoreError
from nb2pipe.execution.checks.nb521_not_pushed import not_pushed
from nb2pipe.execution.home import Home
from nb2pipe.execution.mirror import Mirror
from nb2pipe.execution.needs import Needs
from nb2pipe.execution.options import SEEDS
from nb2pipe.execution.push import Pusher
from nb2pipe.records.events import Transfer
from nb2pipe.records.file_digests import FileDigests
from nb2pipe.records.index import RUNS, list_runs
from nb2pipe.store.layered import LayeredStore
from nb2pipe.store.local import LocalStore
from nb2pipe.store.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nb2pipe.digest import Digest
    from nb2pipe.execution.model import StepCall
    from nb2pipe.records.events import Event
    from nb2pipe.records.model import RunSummary

_NOT_HERE = "nobody has run with it yet: nb2pipe run NOTEBOOK --store URL"
_SEED = "seed"
_PATIENCE = 50
"""How often the initial random state is looked for that somebody else is writing at this moment."""
_QUIET_SECONDS = 3.0
"""How long a transfer lasts before it is told of, and how often then."""


class Shared:
    """One run's side of a store that others use too.

    Args:
        home: The home in front of it.
        url: The store.

    Raises:
        UsageError: The URL means nothing.
        StoreError: A package is missing that reaches it.
    """

    def __init__(self, home: Home, url: str) -> None:
        self.remote = Remote(url)
        folder = home.shared / hashlib.sha256(self.remote.url.encode()).hexdigest()[:16]
        self.mirror = Mirror(folder, self.remote)
        local = LocalStore(home.store, FileDigests(home.files))
        self.store = LayeredStore(local, self.remote, self._meter(pulls=True))
        self._home = home
        self._seed: int | None = None
        self._owed = folder / "owed"
        self._tell: Callable[[Event], None] = lambda _event: None
        self._pusher: Pusher | None = None

    def seed(self, own: int) -> int:
        """The initial random state of all who use the store: this home's, if it is the first.

        Raises:
            StoreError: The place cannot be reached, or refuses, or is no store.
        """
        while self._seed is None:
            self._seed = self.known_seed()
            if self._seed is None:
                self.remote.write_once(_SEED, f"{own}\n".encode())
        return self._seed

    def known_seed(self) -> int | None:
        """The initial random state of all who use the store; None where nobody has used it yet.

        Raises:
            StoreError: As `seed` says.
        """
        for _ in range(_PATIENCE):
            content = self.remote.read(_SEED)
            if content is None:
                return None
            text = content.decode("ascii", "replace").strip()
            if text.isdecimal() and int(text) < SEEDS:
                return int(text)
            if text:
                break
            time.sleep(0.05)
        hint = "give another place: something else lies there"
        raise StoreError(f"{self.remote.url}/{_SEED} holds no initial random state", hint=hint)

    def begin(self, run: str, tell: Callable[[Event], None]) -> None:
        """A run begins; `tell` takes what there is to tell of transfers.

        Raises:
            StoreError: The home cannot be written.
        """
        self._tell = tell
        self._pusher = Pusher(self._home, run, self.store, self._owed, self._meter(pulls=False))
        self._pusher.begin()

    def take(self, event: Event) -> None:
        """Takes an event of the run in."""
        if self._pusher is not None:
            self._pusher.take(event)

    def add(self, step: str) -> None:
        """A step of the run has ended, and its record is written."""
        if self._pusher is not None:
            self._pusher.add(step)

    def bring(self, key: str) -> None:
        """Brings what others' runs recorded for a key; where the place cannot be reached, there is nothing."""
        if self.store.broken is None:
            try:
                self.mirror.bring_key(key)
            except StoreError as error:
                self.store.broken = error

    def fetch(self, call: StepCall) -> None:
        """Brings here what a step is given.

        Raises:
            StoreError: It cannot be brought.
        """
        for digest in Needs(self.store).taken_by(call):
            self.store.pull(digest)

    def finish(self, listeners: Sequence[Callable[[Event], None]], cancel: threading.Event) -> StoreError | None:
        """Pushes the rest of a run whose record is closed; returns why not all of it is there."""

        def tell(event: Event) -> None:
            for listener in listeners:
                listener(event)

        if self._pusher is None:
            return None
        self._tell = tell
        error = self._pusher.finish(cancel) or self.store.broken
        if error is None:
            return None
        note = not_pushed(self.remote.url, error, time=time.time())
        tell(note)
        return StoreError(note.message, hint=note.hint)

    def _meter(self, *, pulls: bool) -> Callable[[Digest, int, int], None]:
        """What tells of long transfers, now and then."""
        told: dict[Digest, float] = {}
        lock = threading.Lock()

        def move(digest: Digest, done: int, total: int) -> None:
            now = time.monotonic()
            with lock:
                if now - told.setdefault(digest, now) < _QUIET_SECONDS:
                    return
                told[digest] = now
            event = Transfer(url=self.remote.url, pulls=pulls, digest=str(digest), done=done, total=total)
            self._tell(event)

        return move


def shared_runs(home: Home, url: str, *, tell: Callable[[str], None]) -> tuple[RunSummary, ...]:
    """The runs of all who use a store, the newest first.

    Args:
        home: Keeps copies of their records, if it is there.
        url: The store.
        tell: Takes a note where the copies cannot be used.

    Raises:
        UsageError: The URL means nothing.
        StoreError: The place cannot be reached, or refuses, or is no store.
    """
    with _mirror(home, url) as mirror:
        mirror.bring_runs()
        return list_runs(mirror.folder, tell=tell)


@contextmanager
def shared_records(home: Home, url: str) -> Iterator[Path]:
    """A copy of the records of all who use a store, those of steps included, laid out as a home is.

    Args:
        home: Keeps the copy, if it is there.
        url: The store.

    Raises:
        UsageError: The URL means nothing.
        StoreError: The place cannot be reached, or refuses, or is no store.
    """
    with _mirror(home, url) as mirror:
        mirror.bring_all()
        yield mirror.folder


@contextmanager
def _mirror(home: Home, url: str) -> Iterator[Mirror]:
    with ExitStack() as stack:
        if not home.root.is_dir():
            home = Home(Path(stack.enter_context(TemporaryDirectory())))
        shared = Shared(home, url)
        if shared.known_seed() is None and not shared.remote.names(RUNS):
            raise StoreError(f"there is no store at {shared.remote.url}", hint=_NOT_HERE)
        yield shared.mirror
