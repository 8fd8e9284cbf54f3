"""The store in a folder: one file an artifact, `sha256/ab/cdef...`, so that `sha256sum` checks it."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_READ_ONLY = 0o444
_LARGE = 1 << 20
"""Bytes from which it pays to look up a digest instead of taking it."""
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class LocalStore:
    """Artifacts in a folder.

    A file appears under its name only once it is complete, so a reader never sees half of one, and two writers of the
    same bytes do no harm. There is no `fsync`: it costs more than the step's other work, and a file that a power
    failure damaged is found when its digest is checked, once per process, on the first reading.

    Args:
        root: The folder; it is made when something is put.
        digest_of: The SHA-256 of a file that may be large, by its path; it may know that of a file that did not change.
    """

    def __init__(self, root: Path, digest_of: Callable[[str], str | None] | None = None) -> None:
        self.root = Path(root)
        self._digest_of = digest_of
        self._verified: set[Digest] = set()

    def put(self, data: bytes | bytearray | memoryview) -> Digest:
        """Keeps bytes; bytes that are there already are not written again.

        Raises:
            StoreError: The disk is full, or the folder cannot be written.
        """
        view = memoryview(data).cast("B")
        digest = Digest.of_bytes(view)
        target = self._file(digest)
        try:
            if not _is_whole(target, view.nbytes):
                _write(target, view)
        except OSError as cause:
            _refuse_write(self.root, cause)
        return digest

    def get(self, digest: Digest) -> bytes:
        """The bytes of a digest.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """
        target = self._file(digest)
        try:
            data = target.read_bytes()
        except OSError as cause:
            _refuse_read(target, digest, cause)
        if digest not in self._verified:
            self._confirm(digest, Digest.of_bytes(data), target)
        return data

    def path(self, digest: Digest) -> Path:
        """The file that holds exactly these bytes; it must not be changed.

        Raises:
            StoreError: They are missing, damaged or cannot be read.
        """
        target = self._file(digest)
        try:
            if digest not in self._verified:
                self._confirm(digest, Digest.of_file(target), target)
            elif not target.is_file():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target))
        except OSError as cause:
            _refuse_read(target, digest, cause)
        return target

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are there; whether they are undamaged shows when they are read."""
        try:
            return self._file(digest).is_file()
        except OSError:
            return False

    def holds(self, digest: Digest) -> bool:
        """Whether the bytes are there, and undamaged; damaged ones are removed, so that they can be made anew."""
        if digest in self._verified:
            return self.has(digest)
        target = self._file(digest)
        try:
            known = self._digest_of(str(target)) if self._digest_of and target.stat().st_size > _LARGE else None
            self._confirm(digest, Digest(known) if known else Digest.of_file(target), target)
        except (OSError, StoreError):
            return False
        return True

    def digests(self) -> Sequence[Digest]:
        """All that is kept, sorted."""
        folder = self.root / "sha256"
        names = (part.parent.name + part.name for part in folder.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"))
        return sorted(Digest(name) for name in names)

    def _file(self, digest: Digest) -> Path:
        return self.root / "sha256" / digest.hex[:2] / digest.hex[2:]

    def _confirm(self, digest: Digest, found: Digest, target: Path) -> None:
        if found != digest:
            with suppress(OSError):
                target.unlink()
            message = f"the artifact {digest.hex[:12]} was damaged: its bytes were not those that were written"
            raise StoreError(message, hint="run again, or resume the run: the step that made it makes it anew")
        self._verified.add(digest)


def _is_whole(target: Path, size: int) -> bool:
    """Whether the artifact is there; one that was cut off is written again."""
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(target: Path, view: memoryview) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(view)
        Path(name).chmod(_READ_ONLY)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _refuse_write(root: Path, cause: OSError) -> NoReturn:
    if cause.errno in _NO_SPACE:
        raise StoreError(
            f"no space is left for the store `{root}`",
            hint="make room on the disk, or choose another home with --home DIR or NB2PIPE_HOME",
        ) from cause
    if cause.errno in _NO_PERMISSION:
        raise StoreError(
            f"the store `{root}` cannot be written: {cause.strerror}",
            hint="choose another home with --home DIR or NB2PIPE_HOME",
        ) from cause
    raise StoreError(
        f"the store `{root}` cannot be written: {cause.strerror or cause}",
        hint="look at the folder, or choose --home DIR",
    ) from cause


def _refuse_read(target: Path, digest: Digest, cause: OSError) -> NoReturn:
    if isinstance(cause, FileNotFoundError | NotADirectoryError):
        raise StoreError(
            f"the artifact {digest.hex[:12]} is not in the store: there is no file `{target}`",
            hint="run the notebook again, or resume the run: the step that made it makes it anew",
        ) from cause
    raise StoreError(
        f"the artifact {digest.hex[:12]} cannot be read: {cause.strerror or cause}",
        hint=f"look at the permissions of `{target}`",
    ) from cause
