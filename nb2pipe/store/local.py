"""The store in a folder: one file an artifact, `sha256/ab/cdef...`, so that `sha256sum` checks it."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_READ_ONLY = 0o444
_DIGITS = 64
_HEXADECIMAL = frozenset("0123456789abcdef")
_LARGE = 1 << 20
"""Bytes from which it pays to look up a digest instead of taking it."""
_NEW, _GONE = ".new-", ".gone-"
"""Begin the names of files that are being written, and of those that are being removed."""
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class KnownDigests(Protocol):
    """Digests of files that did not change since they were taken."""

    def of(self, path: str) -> str | None:
        """The SHA-256 of a file, taken now if it is not known; None if it cannot be read."""

    def written(self, path: str, digest: str) -> None:
        """Keeps the digest of a file that has just been written, and that nobody writes again."""


class LocalStore:
    """Artifacts in a folder.

    A file appears under its name only once it is complete, so a reader never sees half of one, and two writers of the
    same bytes do no harm. There is no `fsync`: it costs more than the step's other work, and a file that a power
    failure damaged is found when its digest is checked, once per process, on the first reading; of a large one whose
    digest is known, size, time and inode are checked instead.

    What is put although it is there, or is asked for by `holds`, is marked as used now (the file's access time), so
    that `remove` leaves alone what a run that goes on relies on.

    Args:
        root: The folder; it is made when something is put.
        digests: Those of large files.
    """

    def __init__(self, root: Path, digests: KnownDigests | None = None) -> None:
        self.root = Path(root)
        self._digests = digests
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
            if not (_is_whole(target, view.nbytes) and _touch(target)):
                _write(target, view)
                if self._digests is not None and view.nbytes > _LARGE:
                    self._digests.written(str(target), digest.hex)
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
                self._confirm(digest, self._digest_of(target), target)
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
        target = self._file(digest)
        if not _touch(target) or digest in self._verified:
            return self.has(digest)
        try:
            self._confirm(digest, self._digest_of(target), target)
        except (OSError, StoreError):
            return False
        return True

    def adopt(self, digest: Digest, fill: Callable[[Path], None]) -> Digest:
        """Keeps a file that somebody else writes, if it turns out to be the one that is wanted.

        Args:
            digest: The one that is wanted.
            fill: Writes the file.

        Returns:
            The digest of what was written; if it is another one, nothing is kept.

        Raises:
            StoreError: The disk is full, or the folder cannot be written.
        """
        target = self._file(digest)
        aside = target.with_name(f"{_NEW}{secrets.token_hex(8)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            fill(aside)
            found = Digest.of_file(aside)
            if found == digest:
                aside.chmod(_READ_ONLY)
                aside.replace(target)
                self._verified.add(digest)
        except OSError as cause:
            _refuse_write(self.root, cause)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
        return found

    def digests(self) -> Sequence[Digest]:
        """All that is kept, sorted."""
        folder = self.root / "sha256"
        names = (part.parent.name + part.name for part in folder.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"))
        return sorted(Digest(name) for name in names)

    def sizes(self) -> Iterator[tuple[Digest, int]]:
        """All that is kept, with its size in bytes; nothing else that may lie in the folder.

        Raises:
            StoreError: The folder cannot be read.
        """
        try:
            for entry in _files(self.root / "sha256"):
                name = Path(entry.path).parent.name + entry.name
                if len(name) == _DIGITS and set(name) <= _HEXADECIMAL:
                    yield Digest(name), entry.stat(follow_symlinks=False).st_size
        except OSError as cause:
            raise StoreError(f"the store `{self.root}` cannot be read: {cause.strerror or cause}") from cause

    def remove(self, digest: Digest, *, unused_since: int) -> bool:
        """Removes an artifact, unless somebody wrote or used it since a moment; whether it is gone.

        Args:
            digest: The artifact.
            unused_since: The moment, in nanoseconds since 1970, by the clock of the file system.

        Raises:
            StoreError: It cannot be removed.
        """
        target = self._file(digest)
        aside = target.with_name(f"{_GONE}{target.name}-{secrets.token_hex(4)}")
        try:
            seen = target.lstat()
            if seen.st_ctime_ns >= unused_since:
                return False
            target.rename(aside)  # from here on, whoever wants to put it writes it anew
            if aside.lstat().st_atime_ns != seen.st_atime_ns:  # it was used between the two looks
                aside.rename(target)
                return False
            aside.unlink()
        except FileNotFoundError:
            return False
        except OSError as cause:
            _refuse_write(self.root, cause)
        return True

    def remove_unfinished(self, *, unused_since: int) -> int:
        """Removes what killed processes left half written or half removed; returns the bytes.

        Args:
            unused_since: As in `remove`.
        """
        freed = 0
        with suppress(OSError):
            for entry in _files(self.root / "sha256"):
                status = entry.stat(follow_symlinks=False)
                if entry.name.startswith((_NEW, _GONE)) and status.st_ctime_ns < unused_since:
                    Path(entry.path).unlink(missing_ok=True)
                    freed += status.st_size
        return freed

    def now(self) -> int:
        """The time by the clock of the file system, which another machine may keep.

        Raises:
            StoreError: Nothing can be written here.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root) as stream:
                return os.fstat(stream.fileno()).st_ctime_ns
        except OSError as cause:
            _refuse_write(self.root, cause)

    def _file(self, digest: Digest) -> Path:
        return self.root / "sha256" / digest.hex[:2] / digest.hex[2:]

    def _digest_of(self, target: Path) -> Digest:
        known = self._digests.of(str(target)) if self._digests and target.stat().st_size > _LARGE else None
        return Digest(known) if known else Digest.of_file(target)

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


def _touch(target: Path) -> bool:
    """Marks an artifact as used now; false if it is gone. One that is another user's cannot be marked, or removed."""
    try:
        os.utime(target, ns=(time.time_ns(), target.stat().st_mtime_ns))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The files in the folders of a folder; links are not followed."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as parts:
        for part in parts:
            if part.is_dir(follow_symlinks=False):
                with os.scandir(part) as entries:
                    yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))


def _write(target: Path, view: memoryview) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_NEW)
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
