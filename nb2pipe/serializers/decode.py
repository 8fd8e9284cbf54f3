"""Reads a group's pickle: memory is mapped from the store, the notebook's definitions are bound to a namespace."""

from __future__ import annotations

import io
import mmap
import pickle
from typing import TYPE_CHECKING, Any, cast

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from nb2pipe.store.base import Store


class Decoder(pickle.Unpickler):
    """Reads one group.

    Args:
        data: The pickle.
        store: Where memory lies apart.
        namespace: The notebook's `__main__` dictionary here.
    """

    def __init__(self, data: bytes, *, store: Store, namespace: dict[str, object]) -> None:
        super().__init__(io.BytesIO(data))
        self._store = store
        self._namespace = namespace

    def persistent_load(self, pid: Any) -> object:
        """What the graph refers to: the namespace, or bytes that lie apart."""
        kind, *rest = cast("tuple[str, ...]", pid)
        if kind == "namespace":
            return self._namespace
        if kind == "shared":
            return _aligned(cast("bytes", rest[0]))
        return self._apart(kind, Digest(rest[0]))

    def _apart(self, kind: str, digest: Digest) -> object:
        match kind:
            case "memory":
                return self._mapped(digest, mmap.ACCESS_COPY)
            case "frozen":
                return memoryview(self._mapped(digest, mmap.ACCESS_READ))
            case "text":
                return self._store.get(digest).decode("utf-8", "surrogatepass")
            case "bytearray":
                return bytearray(self._store.get(digest))
            case "bytes":
                return self._store.get(digest)
            case _:
                hint = "load it with the version of nb2pipe that wrote it, or run the pipeline again"
                raise StoreError(f"an artifact refers to `{kind}`, which this version does not know", hint=hint)

    def _mapped(self, digest: Digest, access: int) -> mmap.mmap | bytearray:
        """Bytes of the store as memory, private to this process: what is written there stays there."""
        path = self._store.path(digest)
        if path is None:
            return bytearray(self._store.get(digest))
        with path.open("rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=access)


def _aligned(data: bytes) -> mmap.mmap:
    """Bytes as memory that begins at a page, as libraries like it."""
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory
