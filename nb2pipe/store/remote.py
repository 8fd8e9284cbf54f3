"""A place that several machines reach, by a URL of fsspec: a folder, `s3://BUCKET/PREFIX`, `gs://...`, `sftp://...`.

It is laid out as a home is: `store/sha256/ab/cdef...`, `runs/RUN/...`, `keys/...`. A file appears there as a whole or
not at all: object stores promise it, elsewhere it is written to a temporary name and renamed.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nb2pipe.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Moved = Callable[[int], None]

_WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory"})
"""The protocols of stores of objects, where a file is never half there."""
_NO_PLACE = frozenset({"NoSuchBucket", "NotFound", "FileNotFoundError"})
_NO_CREDENTIALS = frozenset({"NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "ProfileNotFound"})
_NO_NETWORK = frozenset(
    {
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ClientConnectorError",
        "ClientConnectorDNSError",
        "ServerDisconnectedError",
        "ConnectionError",
        "ConnectionRefusedError",
        "FSTimeoutError",
        "TimeoutError",
        "gaierror",
    }
)
_EXTRA = "pip install s3fs; where nb2pipe itself is installed, pip install 'nb2pipe[store]'"


def normal(url: str) -> str:
    """A URL as it is kept: a folder is absolute, and there is no slash at its end.

    Raises:
        UsageError: It holds a password, or is empty.

    >>> normal("s3://bucket/team/"), normal("/mnt/share/")
    ('s3://bucket/team', '/mnt/share')
    """
    text = url.strip()
    if not text:
        raise UsageError("the URL of the store is empty", hint="such as s3://BUCKET/PREFIX, or a folder")
    if "://" not in text:
        return str(Path(text).expanduser().absolute())
    if urlsplit(text).password:
        hint = "give it by the environment, such as AWS_SECRET_ACCESS_KEY: the URL stands in records"
        raise UsageError("the URL of the store holds a password", hint=hint)
    return text.rstrip("/")


class Remote:
    """Files at a URL, by their paths below it. It may be used from several threads.

    Args:
        url: The URL.

    Raises:
        UsageError: It is no URL of a kind that is known.
        StoreError: A package is missing that reaches it.
    """

    def __init__(self, url: str) -> None:
        self.url = normal(url)
        self._fs, self._root = _opened(self.url)
        protocol = self._fs.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        self._whole = bool(names & _WHOLE)

    def read(self, path: str) -> bytes | None:
        """The content of a file; None if there is none.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        return self.read_all([path]).get(path)

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The content of those files that there are.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        full = {self._full(path): path for path in paths}
        if not full:
            return {}
        with self._told():
            found = self._fs.cat(list(full), on_error="return")
            for content in found.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        return {full[name]: content for name, content in found.items() if isinstance(content, bytes)}

    def size(self, path: str) -> int | None:
        """The size of a file in bytes; None if there is none.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        with self._told():
            try:
                return int(self._fs.info(self._full(path))["size"])
            except (FileNotFoundError, NotADirectoryError):
                return None

    def names(self, folder: str) -> list[str]:
        """The names of what is in a folder, sorted; none where there is no folder.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        with self._told():
            try:
                found = self._fs.ls(self._full(folder), detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        names = (str(path).rstrip("/").rpartition("/")[2] for path in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def write(self, path: str, content: bytes) -> None:
        """Writes a file, over one that is there.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        with self._told(), self._placed(path) as target:
            self._fs.pipe_file(target, content)

    def write_once(self, path: str, content: bytes) -> bool:
        """Writes a file where there is none; whether this call wrote it. Of two at once, one does.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        full = self._full(path)
        with self._told():
            self._make_folder(full)
            try:
                self._fs.pipe_file(full, content, mode="create")
            except FileExistsError:
                return False
        return True

    def upload(self, source: Path, path: str, moved: Moved = lambda _bytes: None) -> None:
        """Writes a file from one that is here.

        Args:
            source: The file here.
            path: Where to.
            moved: Is told how many bytes have been moved, each time anew.

        Raises:
            StoreError: The place cannot be reached, or refuses.
        """
        with self._told(), self._placed(path) as target:
            self._fs.put_file(str(source), target, callback=_callback(moved))

    def download(self, path: str, target: Path, moved: Moved = lambda _bytes: None) -> None:
        """Writes a file here from one there.

        Raises:
            StoreError: There is none, or the place cannot be reached, or refuses.
        """
        with self._told():
            self._fs.get_file(self._full(path), str(target), callback=_callback(moved))

    def remove(self, path: str) -> None:
        """Removes a file, if it is there and may be removed."""
        with suppress(Exception):
            self._fs.rm_file(self._full(path))

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _make_folder(self, full: str) -> None:
        if not self._whole:
            self._fs.makedirs(full.rpartition("/")[0], exist_ok=True)

    @contextmanager
    def _placed(self, path: str) -> Iterator[str]:
        """Where a file is to be written, so that it appears as a whole."""
        full = self._full(path)
        if self._whole:
            yield full
            return
        self._make_folder(full)
        folder, _, name = full.rpartition("/")
        temporary = f"{folder}/.new-{name[:40]}-{secrets.token_hex(4)}"
        try:
            yield temporary
            self._fs.mv(temporary, full)
        except BaseException:
            with suppress(Exception):
                self._fs.rm_file(temporary)
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, KeyboardInterrupt):
            raise
        except Exception as cause:
            raise _refused(self.url, cause) from cause


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path below which everything lies."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as cause:
        raise StoreError("stores at a URL need the package fsspec, which is not installed", hint=_EXTRA) from cause
    try:
        # Others write there too, so that a listing does not hold.
        system, root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as cause:
        hint = _EXTRA if url.startswith(("s3:", "s3a:")) else f"pip install the package that it names: {cause}"
        raise StoreError(f"what reaches {url} is not installed", hint=hint) from cause
    except ValueError as cause:
        hint = "s3://BUCKET/PREFIX, a folder, or another URL of fsspec"
        raise UsageError(f"`{url}` is no store: {cause}", hint=hint) from cause
    except Exception as cause:
        raise _refused(url, cause) from cause
    return system, str(root).rstrip("/")


def _callback(moved: Moved) -> Any:
    from fsspec.callbacks import Callback

    class Told(Callback):  # type: ignore[misc]  # fsspec has no types
        def call(self, *_args: object, **_more: object) -> None:
            moved(self.value)

    return Told()


def _refused(url: str, cause: Exception) -> StoreError:
    """What to tell of an error that a file system raised; the first cause that is known counts."""
    chain: list[BaseException] = [cause]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and inner not in chain:
        chain.append(inner)
    kinds = {type(error).__name__ for error in chain}
    said = " ".join(str(cause).split()) or type(cause).__name__
    if kinds & _NO_CREDENTIALS:
        hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; nothing was sent"
        return StoreError(f"there are no credentials for the store {url}: {said}", hint=hint)
    if kinds & {"PermissionError", "ClientAuthenticationError"}:
        hint = "look at the credentials, and at what they allow: to list, read and write"
        return StoreError(f"the store {url} refuses: {said}", hint=hint)
    if kinds & _NO_NETWORK:
        hint = "look at the network, and at the address (AWS_ENDPOINT_URL for a server of your own)"
        return StoreError(f"the store {url} cannot be reached: {said}", hint=hint)
    if kinds & _NO_PLACE:
        return StoreError(f"the store {url} is not there: {said}", hint="make the bucket or the folder first")
    return StoreError(f"the store {url} cannot be used: {said}", hint="look at the address and at what it allows")
