"""Digests: the identity of bytes and of JSON values. Every hash of a value begins with the kind of thing hashed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from json import dumps
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256, as 64 lower-case hexadecimal characters: the same that `sha256sum` prints for a file."""

    hex: str

    def __post_init__(self) -> None:
        if len(self.hex) != 64 or not set(self.hex) <= set("0123456789abcdef"):  # noqa: PLR2004
            message = f"not a SHA-256 digest: {self.hex!r}"
            raise ValueError(message)

    def __str__(self) -> str:
        return self.hex

    @classmethod
    def of(cls, tag: str, value: object) -> Digest:
        """The digest of a JSON value, apart for each kind of thing.

        Args:
            tag: The kind of thing that is hashed, such as `step-call`.
            value: A JSON value.

        >>> Digest.of("a", [1]) == Digest.of("b", [1])
        False
        """
        return cls.of_bytes(f"{tag}\0{canonical_json(value)}".encode())

    @classmethod
    def of_bytes(cls, data: bytes | bytearray | memoryview) -> Digest:
        """The digest of bytes, without a tag.

        >>> str(Digest.of_bytes(b""))[:8]
        'e3b0c442'
        """
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Digest:
        """The digest of a file's content, read in pieces."""
        state = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                state.update(chunk)
        return cls(state.hexdigest())


def canonical_json(value: object) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces, no NaN.

    >>> canonical_json({"b": 1, "a": (1.0, None)})
    '{"a":[1.0,null],"b":1}'
    """
    return dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
