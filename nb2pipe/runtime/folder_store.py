"""The store that lies in folders which steps hand on: many to read from, one to write into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.errors import StoreError
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nb2pipe.digest import Digest


class FolderStore:
    """Reads artifacts of several folders, and writes into one.

    Args:
        folders: To read from.
        target: To write into; None where nothing is to be kept.
    """

    def __init__(self, folders: Sequence[Path], target: Path | None) -> None:
        self._target = LocalStore(target / "store") if target else None
        stores = [LocalStore(folder / "store") for folder in folders]
        self._stores = [self._target, *stores] if self._target else stores

    def put(self, data: bytes | bytearray | memoryview) -> Digest:
        """Keeps bytes.

        Raises:
            StoreError: They cannot be written.
        """
        if self._target is None:
            raise StoreError("there is no folder to write into", hint="name one for the outputs")
        return self._target.put(data)

    def get(self, digest: Digest) -> bytes:
        """The bytes of a digest.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """
        return self._home(digest).get(digest)

    def path(self, digest: Digest) -> Path | None:
        """The file that holds exactly these bytes.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """
        return self._home(digest).path(digest)

    def adopt(self, digest: Digest, fill: Callable[[Path], None]) -> Digest:
        """Keeps a file, as `LocalStore.adopt`; one that is there already is not written again.

        Raises:
            StoreError: It cannot be written.
        """
        if self._target is None:
            raise StoreError("there is no folder to write into", hint="name one for the outputs")
        return digest if self._target.holds(digest) else self._target.adopt(digest, fill)

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are there."""
        return any(store.has(digest) for store in self._stores)

    def holds(self, digest: Digest) -> bool:
        """Whether the bytes are there, and undamaged."""
        return any(store.holds(digest) for store in self._stores)

    def _home(self, digest: Digest) -> LocalStore:
        found = next((store for store in self._stores if store.has(digest)), None)
        if found is not None:
            return found
        hint = "a folder is copied as a whole, `store` included; or run the step that made it again"
        raise StoreError(f"the artifact {digest.hex[:12]} is in none of the folders of the inputs", hint=hint)
