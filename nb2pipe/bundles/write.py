"""A bundle becomes files. What somebody else wrote or changed is never lost, and a crash leaves nothing half done.

Before the first file, the digests of all that is going to be written are noted in a file of their own. A file is ours
if it has a digest of `bundle.json`, or of that note; so a second convert knows what a first one left that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import ConversionError
from nb2pipe.records.files import write_atomically
from nb2pipe.targets.manifest import read_manifest
from nb2pipe.targets.model import BUNDLE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.codegen.files import EmittedFile
    from nb2pipe.targets.model import Bundle

NOTE = ".bundle.writing.json"
"""What a convert is about to write; it is there only while one runs, or was killed."""

_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
"""The name that `write_atomically` gives to a file until it is complete."""

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What writing a bundle does to a folder.

    Attributes:
        new: Paths that are not there.
        changed: Paths of ours whose content is another.
        removed: Paths of ours that the bundle has no more.
        foreign: Paths that would be overwritten or removed, and that somebody else wrote or changed.
        blocked: Paths that cannot be written, each with the reason; `--force` does not help.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    blocked: tuple[tuple[str, str], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that differ."""
        return tuple(sorted({*self.new, *self.changed, *self.removed, *self.foreign, *(p for p, _ in self.blocked)}))


def changes(bundle: Bundle, folder: Path) -> Changes:
    """What writing a bundle to a folder would do; nothing is written.

    Raises:
        ConversionError: The folder cannot be read.
    """
    wanted = _wanted(bundle)
    ours = _ours(folder)
    states = {path: _state(folder, path, digest, ours.get(path, ())) for path, digest in sorted(wanted.items())}
    stale = {path: _stale(folder, path, known) for path, known in sorted(ours.items()) if path not in wanted}
    return Changes(
        new=tuple(path for path, state in states.items() if state == _NEW),
        changed=tuple(path for path, state in states.items() if state == _CHANGED),
        removed=tuple(path for path, state in stale.items() if state == _CHANGED),
        foreign=tuple(path for path, state in {**states, **stale}.items() if state == _FOREIGN),
        blocked=tuple((path, state) for path, state in {**states, **stale}.items() if state not in _PLAIN),
    )


def write(bundle: Bundle, folder: Path, *, force: bool = False) -> Changes:
    """Writes a bundle to a folder.

    Args:
        bundle: The bundle.
        folder: Made if it is not there.
        force: Overwrite and remove also what somebody else wrote or changed.

    Returns:
        What was done.

    Raises:
        ConversionError: Something of somebody else is in the way, or the folder cannot be written. In the first case
            all is as it was.
    """
    found = changes(bundle, folder)
    if found.blocked:
        listed = _listed([f"{path} ({reason})" for path, reason in found.blocked])
        raise ConversionError(f"{_count(len(found.blocked), 'file')} of {folder} cannot be written: {listed}")
    if found.foreign and not force:
        number = len(found.foreign)
        which = f"{_count(number, 'file')} of {folder} {'was' if number == 1 else 'were'} edited"
        raise ConversionError(
            f"{which}, or not written by nb2pipe, and would be lost: {_listed(found.foreign)}",
            hint="move what you want to keep, or convert with --force; -o DIR writes elsewhere",
        )
    try:
        _write(bundle, folder, found)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        raise ConversionError(
            f"{folder} cannot be written: {error.strerror or error}{place}",
            hint="what was written so far is ours; convert again once that is mended",
        ) from error
    return found


def _write(bundle: Bundle, folder: Path, found: Changes) -> None:
    wanted = _wanted(bundle)
    _remove_halves(folder, (NOTE, *wanted))
    if not found.paths and not (folder / NOTE).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _note(folder, wanted)
    written = {*found.new, *found.changed, *found.foreign}
    for file in bundle.files:
        if file.path in written and file.path != BUNDLE_FILE:
            _write_text(folder / file.path, file)
    for copy in bundle.copies:
        if copy.path in written:
            write_atomically(folder / copy.path, copy.source.read_bytes(), durable=False)
    for path in (*found.removed, *(path for path in found.foreign if path not in wanted)):
        _remove(folder, path)
    if BUNDLE_FILE in written:
        write_atomically(folder / BUNDLE_FILE, bundle.text(BUNDLE_FILE).encode())
    (folder / NOTE).unlink()


def _remove_halves(folder: Path, paths: Iterable[str]) -> None:
    """Removes what is left of files that were being written when an earlier convert was killed."""
    names: dict[Path, set[str]] = {}
    for path in paths:
        names.setdefault((folder / path).parent, set()).add((folder / path).name)
    for parent, known in names.items():
        for each in parent.glob(".*.tmp"):
            match = _TEMPORARY.fullmatch(each.name)
            if match and match[1] in known:
                each.unlink(missing_ok=True)


def _write_text(path: Path, file: EmittedFile) -> None:
    write_atomically(path, file.text.encode(), durable=False)
    if file.executable:
        path.chmod(path.stat().st_mode | 0o111)


def _note(folder: Path, wanted: Mapping[str, str]) -> None:
    """Notes which contents are ours while they are being written."""
    ours = _ours(folder)
    noted = {path: sorted({*ours.get(path, ()), *filter(None, [wanted.get(path)])}) for path in {*ours, *wanted}}
    write_atomically(folder / NOTE, (json.dumps(noted, indent=1, sort_keys=True) + "\n").encode())


def _remove(folder: Path, path: str) -> None:
    """Removes a file, and the folders that it leaves empty."""
    file = folder / path
    file.unlink(missing_ok=True)
    for parent in file.relative_to(folder).parents[:-1]:
        with contextlib.suppress(OSError):
            (folder / parent).rmdir()


# ------------------------------------------------------------------------------------------------ what is there

_SAME = "same"
_NEW = "new"
_CHANGED = "changed"
_FOREIGN = "foreign"
_PLAIN = frozenset({_SAME, _NEW, _CHANGED, _FOREIGN})


def _wanted(bundle: Bundle) -> dict[str, str]:
    """The digest of each file of a bundle, by path."""
    texts = {file.path: str(Digest.of_bytes(file.text.encode())) for file in bundle.files}
    return texts | {copy.path: str(copy.digest) for copy in bundle.copies}


def _ours(folder: Path) -> dict[str, tuple[str, ...]]:
    """The digests that files of ours may have, by path."""
    found: dict[str, set[str]] = {}
    for path, digests in (*_manifest_files(folder), *_noted_files(folder)):
        if _is_below(path):
            found.setdefault(path, set()).update(digests)
    return {path: tuple(sorted(digests)) for path, digests in found.items()}


def _manifest_files(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    text = _read(folder / BUNDLE_FILE)
    if text is None:
        return
    with contextlib.suppress(ConversionError):  # one that is damaged says nothing of ours
        manifest = read_manifest(text.decode("utf-8", "replace"), BUNDLE_FILE)
        yield from ((path, (digest,)) for path, digest in manifest.files.items())
        if not manifest.edited:
            yield BUNDLE_FILE, (str(Digest.of_bytes(text)),)


def _noted_files(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    try:
        noted = json.loads(_read(folder / NOTE) or b"{}")
    except ValueError:
        return
    for path, digests in noted.items() if isinstance(noted, dict) else ():
        yield str(path), [str(each) for each in digests] if isinstance(digests, list) else ()


def _is_below(path: str) -> bool:
    """Whether a path of a file that anybody may have edited stays below the folder."""
    parts = path.split("/")
    return "\0" not in path and "\\" not in path and all(part not in {"", ".", ".."} for part in parts)


def _state(folder: Path, path: str, digest: str, ours: Sequence[str]) -> str:
    """What is at the path of a file that is to be written."""
    if reason := _obstacle(folder, path):
        return reason
    file = folder / path
    if not os.path.lexists(file):
        return _NEW
    here = _digest(file)
    if here == digest:
        return _SAME
    return _CHANGED if here in ours else _FOREIGN


def _stale(folder: Path, path: str, ours: Sequence[str]) -> str:
    """What is at the path of a file that the bundle has no more."""
    file = folder / path
    if _obstacle(folder, path) or not os.path.lexists(file):
        return _SAME
    return _CHANGED if _digest(file) in ours else _FOREIGN


def _digest(file: Path) -> str | None:
    """The digest of an ordinary file; None for a link, whose target is somebody else's."""
    if file.is_symlink() or not file.is_file():
        return None
    try:
        return str(Digest.of_file(file))
    except OSError as error:
        raise ConversionError(f"{file} cannot be read: {error.strerror or error}") from error


def _obstacle(folder: Path, path: str) -> str:
    """Why a file cannot stand at a path, whatever is forced; empty where it can."""
    if (folder / path).is_dir() and not (folder / path).is_symlink():
        return "there is a folder of that name"
    for parent in (folder / path).relative_to(folder).parents[:-1]:
        above = folder / parent
        if above.is_symlink():
            return f"{parent.as_posix()} is a link"
        if above.exists() and not above.is_dir():
            return f"{parent.as_posix()} is a file"
    return ""


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConversionError(f"{path} cannot be read: {error.strerror or error}") from error


def _listed(paths: Sequence[str]) -> str:
    more = f", and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
