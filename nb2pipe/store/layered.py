"""A store in a folder here, and behind it one that others use too: what is missing here is pulled, and checked."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.digest import Digest
    from nb2pipe.store.local import LocalStore
    from nb2pipe.store.remote import Remote

    Told = Callable[[Digest, int, int], None]

_TRIES = 2
"""How often an artifact that comes with other bytes than it should have is pulled."""


def remote_path(digest: Digest) -> str:
    """Where an artifact lies in a store that others use too."""
    return f"store/sha256/{digest.hex[:2]}/{digest.hex[2:]}"


class LayeredStore:
    """Artifacts here, and behind them those at a URL. Steps work on the files that are here.

    Where the place cannot be reached any more, it counts as empty: what is here goes on, and `broken` says why.

    Args:
        local: The store here.
        remote: The place behind it.
        told: Is told of what is pulled: the digest, bytes done, bytes in all.
    """

    def __init__(self, local: LocalStore, remote: Remote, told: Told = lambda *_: None) -> None:
        self.local = local
        self.remote = remote
        self.broken: StoreError | None = None
        self._told = told
        self._there: set[Digest] = set()
        self._locks: defaultdict[Digest, threading.Lock] = defaultdict(threading.Lock)

    def put(self, data: bytes | bytearray | memoryview) -> Digest:
        """Keeps bytes here; `push` brings them to the others.

        Raises:
            StoreError: They cannot be written.
        """
        return self.local.put(data)

    def get(self, digest: Digest) -> bytes:
        """The bytes of a digest.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """
        self.pull(digest)
        return self.local.get(digest)

    def path(self, digest: Digest) -> Path:
        """The file here that holds exactly these bytes.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """
        self.pull(digest)
        return self.local.path(digest)

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are here or there."""
        return self.local.has(digest) or self.is_there(digest)

    def holds(self, digest: Digest) -> bool:
        """Whether the bytes are here, undamaged, or there; those there are checked when they are pulled."""
        return self.local.holds(digest) or self.is_there(digest)

    def is_there(self, digest: Digest) -> bool:
        """Whether the bytes are in the place behind."""
        if digest in self._there:
            return True
        if self.broken is not None:
            return False
        try:
            found = self.remote.size(remote_path(digest)) is not None
        except StoreError as error:
            self.broken = error
            return False
        if found:
            self._there.add(digest)
        return found

    def pull(self, digest: Digest) -> None:
        """Brings an artifact here, if it is not.

        Raises:
            StoreError: It is in neither place, was damaged there, or cannot be brought.
        """
        with self._locks[digest]:
            if self.local.has(digest) or not self.is_there(digest):
                return
            total = self.remote.size(remote_path(digest)) or 0
            seen = {self._pulled(digest, total) for _ in range(_TRIES) if not self.local.has(digest)}
        if not self.local.has(digest):
            self._there.discard(digest)
            if len(seen) == 1:  # not the way here has damaged it
                self.remote.remove(remote_path(digest))
            message = f"the artifact {digest.hex[:12]} was damaged in {self.remote.url}: its bytes are others"
            raise StoreError(message, hint="run again: the step that made it makes it anew")

    def push(self, digest: Digest, moved: Callable[[int], None] = lambda _bytes: None) -> int:
        """Brings an artifact to the others, unless it is there; the bytes that were sent.

        Raises:
            StoreError: It is not here, is damaged, or the place cannot be reached or refuses.
        """
        if digest in self._there:
            return 0
        path = remote_path(digest)
        if not self.local.holds(digest):
            if self.remote.size(path) is None:
                message = f"the artifact {digest.hex[:12]} is in neither store"
                raise StoreError(message, hint="run again: the step that made it makes it anew")
            return 0
        source = self.local.path(digest)
        size = source.stat().st_size
        sent = self.remote.size(path) != size
        if sent:
            self.remote.upload(source, path, moved)
        self._there.add(digest)
        return size if sent else 0

    def _pulled(self, digest: Digest, total: int) -> Digest:
        def fill(target: Path) -> None:
            self.remote.download(remote_path(digest), target, lambda done: self._told(digest, done, total))

        return self.local.adopt(digest, fill)
