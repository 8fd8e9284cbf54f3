"""Where records of steps that run elsewhere go: a folder, without any package; another URL, through fsspec."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from nb2pipe.errors import StoreError
from nb2pipe.store.remote import Remote, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Place(Protocol):
    """Files by their paths; a file appears as a whole or not at all."""

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The content of those files that there are."""

    def write(self, path: str, content: bytes) -> None:
        """Writes a file, over one that is there."""

    def names(self, folder: str) -> list[str]:
        """The names of what is in a folder, sorted; none where there is no folder."""

    def upload(self, source: Path, path: str) -> None:
        """Writes a file from one that is here."""

    def download(self, path: str, target: Path) -> None:
        """Writes a file here from one there."""

    def remove(self, path: str) -> None:
        """Removes a file, if it is there and may be removed."""


class Folder:
    """Files in a folder.

    Args:
        root: The folder; it is made when something is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The content of those files that there are.

        Raises:
            StoreError: One cannot be read.
        """
        found = {}
        for path in paths:
            try:
                found[path] = (self._root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise StoreError(f"cannot read {self._root / path}: {error.strerror or error}") from error
        return found

    def write(self, path: str, content: bytes) -> None:
        """Writes a file, over one that is there.

        Raises:
            StoreError: It cannot be written.
        """
        self._put(path, lambda temporary: temporary.write_bytes(content))

    def names(self, folder: str) -> list[str]:
        """The names of what is in a folder, sorted; none where there is no folder."""
        try:
            return sorted(path.name for path in (self._root / folder).iterdir() if not path.name.startswith("."))
        except OSError:
            return []

    def upload(self, source: Path, path: str) -> None:
        """Writes a file from one that is here.

        Raises:
            StoreError: It cannot be written.
        """
        self._put(path, lambda temporary: shutil.copyfile(source, temporary))

    def download(self, path: str, target: Path) -> None:
        """Writes a file here from one there.

        Raises:
            StoreError: There is none, or it cannot be read or written.
        """
        try:
            shutil.copyfile(self._root / path, target)
        except OSError as error:
            raise StoreError(f"cannot copy {self._root / path}: {error.strerror or error}") from error

    def remove(self, path: str) -> None:
        """Removes a file, if it is there and may be removed."""
        with suppress(OSError):
            (self._root / path).unlink()

    def _put(self, path: str, fill: Callable[[Path], object]) -> None:
        target = self._root / path
        temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            fill(temporary)
            temporary.replace(target)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            hint = "look at the space on the disk and the permissions of the folder"
            raise StoreError(f"cannot write {target}: {error.strerror or error}", hint=hint) from error


def is_folder(url: str) -> bool:
    """Whether a URL is a folder here."""
    return "://" not in url or url.strip().startswith("file://")


def folder_of(url: str) -> Path | None:
    """The folder that a URL is; None where it is none here.

    >>> folder_of("s3://bucket/team"), str(folder_of("file:///mnt/share"))
    (None, '/mnt/share')
    """
    if "://" not in url:
        return Path(url)
    return Path(url2pathname(urlsplit(url).path)) if url.startswith("file://") else None


def place(url: str) -> Place:
    """The place of a URL.

    Raises:
        UsageError: It holds a password, is empty, or is of no kind that is known.
        StoreError: A package is missing that reaches it.
    """
    text = normal(url)
    folder = folder_of(text)
    return Remote(text) if folder is None else Folder(folder)
