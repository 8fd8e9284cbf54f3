"""What a store is: bytes by their digest, never changed once written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.digest import Digest


class Store(Protocol):
    """Keeps bytes by their SHA-256. What was put is there for good, and the same bytes are kept once."""

    def put(self, data: bytes | bytearray | memoryview) -> Digest:
        """Keeps bytes; bytes that are there already are not written again.

        Raises:
            StoreError: They cannot be written.
        """

    def get(self, digest: Digest) -> bytes:
        """The bytes of a digest.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """

    def path(self, digest: Digest) -> Path | None:
        """The file that holds exactly these bytes, for mapping; None where the store has no files.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are there; whether they are undamaged shows when they are read."""

    def holds(self, digest: Digest) -> bool:
        """Whether the bytes are there, and undamaged; damaged ones are removed, so that they can be made anew."""
