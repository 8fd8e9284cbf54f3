"""Files that steps leave in their working directory, handed on beside their values where steps share no disk.

What a step was seen to write is kept in the store of its outputs, and `STEP.json` says so. A later step finds all of it
in its own working directory before it begins, in the state that the notebook's order gives it.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_BUNDLE = "bundle.json"
_HINT = "look at space and permissions of the working directory"


class FileStore(Protocol):
    """Keeps files by their content."""

    def path(self, digest: Digest) -> Path | None: ...  # noqa: D102
    def adopt(self, digest: Digest, fill: Callable[[Path], None]) -> Digest: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftFiles:
    """What a step did to the files of its working directory; paths are relative to it, with `/`.

    Attributes:
        files: The SHA-256 of what it wrote and left, by path.
        executables: Those of them that may be executed.
        folders: Those that it made and left.
        removed: Files that were there before.
        elsewhere: Files that it wrote outside of the directory, as it named them: they stay where they are.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    executables: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "files": dict(self.files),
            "executables": list(self.executables),
            "folders": list(self.folders),
            "removed": list(self.removed),
        }


def keep_files(seen: Mapping[str, Any], folder: Path, store: FileStore, apart: Iterable[Path] = ()) -> LeftFiles:
    """Keeps the files that a step left.

    Args:
        seen: What an observer saw.
        folder: The working directory that the step began in.
        store: Takes the files.
        apart: Folders of ours.

    Returns:
        What there is to hand on.

    Raises:
        StoreError: A file cannot be read, or the store not be written.
    """
    root, own = folder.resolve(), [each.resolve() for each in apart]
    files: dict[str, str] = {}
    elsewhere: list[str] = []
    for path, inside in _inside(seen["writes"], root, own):
        if not path.is_file():
            continue
        if inside is None:
            elsewhere.append(str(path))
        else:
            files[inside] = str(_kept(path, store))
    folders = [inside for path, inside in _inside(seen["folders"], root, own) if inside and path.is_dir()]
    removed = [inside for path, inside in _inside(seen["removed"], root, own) if inside and not os.path.lexists(path)]
    return LeftFiles(
        files=files,
        executables=tuple(inside for inside in sorted(files) if os.access(root / inside, os.X_OK)),
        folders=tuple(sorted(folders)),
        removed=tuple(sorted(removed)),
        elsewhere=tuple(elsewhere),
    )


def lay_out(records: Iterable[Mapping[str, Any]], folder: Path, store: FileStore) -> tuple[str, ...]:
    """Puts the files that earlier steps left into the working directory.

    Args:
        records: What `STEP.json` of the earlier steps say, in notebook order.
        folder: The working directory.
        store: Holds the files.

    Returns:
        The paths of the files that it wrote; one that is there with the same content is left alone.

    Raises:
        StoreError: A file is missing or damaged, its path leads out of the directory, or the directory cannot be
            written.
    """
    records = list(records)
    wanted = to_lay_out(records)
    executables: set[str] = set()
    folders: set[str] = set()
    for record in records:
        executables = executables - record.get("files", {}).keys() | set(record.get("executables", ()))
        folders |= set(record.get("folders", ()))
    try:
        for each in sorted(folders):
            _place(folder, each).mkdir(parents=True, exist_ok=True)
        laid = tuple(path for path, digest in wanted.items() if _lay(_place(folder, path), digest, store))
        for each in executables & set(laid):
            _place(folder, each).chmod(0o755)
    except OSError as cause:
        message = f"a file that an earlier step left cannot be put into `{folder}`: {cause.strerror or cause}"
        raise StoreError(message, hint=_HINT) from cause
    return laid


def is_repeatable(seen: Mapping[str, Any], handed: Iterable[Path], bundle: Path) -> bool:
    """Whether a step makes the same again from the same code, parameters and files of the bundle, and earlier steps.

    One that used the network, ran commands, listed a folder, or read an environment variable or a file that nobody
    handed on and that is not the bundle's, may not.

    Args:
        seen: What an observer saw.
        handed: The files that earlier steps left.
        bundle: Its folder; what it holds stands in `bundle.json`.
    """
    if seen["reasons"] or seen["variables"] or seen["listed"]:
        return False
    read = {*(path for path, state in seen["reads"].items() if state is not None), *seen["modules"]["files"]}
    return read <= {*map(str, handed), *_files_of(bundle)}


def _files_of(bundle: Path) -> Iterator[str]:
    """The paths of the files of a bundle, as far as it says."""
    try:
        content = json.loads((bundle / _BUNDLE).read_text(encoding="utf-8"))
        yield from (os.path.normpath(bundle / path) for path in content["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return


def to_lay_out(records: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """The SHA-256 of each file that earlier steps left, by path; None for one that is not to be there."""
    wanted: dict[str, str | None] = {}
    for record in records:
        wanted |= dict.fromkeys(record.get("removed", ()))
        wanted |= record.get("files", {})
    return wanted


def _inside(paths: Iterable[str], root: Path, apart: Iterable[Path]) -> Iterator[tuple[Path, str | None]]:
    """Paths that are not ours, each with what it is relative to the working directory; None for one outside of it."""
    for text in paths:
        path = Path(text)
        real = path.parent.resolve() / path.name
        if any(real.is_relative_to(each) for each in apart):
            continue
        yield path, real.relative_to(root).as_posix() if real.is_relative_to(root) else None


def _kept(path: Path, store: FileStore) -> Digest:
    try:
        digest = Digest.of_file(path)
        found = store.adopt(digest, lambda aside: _copy(path, aside))
    except OSError as cause:
        raise StoreError(f"`{path}` cannot be handed on: {cause.strerror or cause}", hint=_HINT) from cause
    if found != digest:
        message = f"`{path}` cannot be handed on: something still writes into it"
        raise StoreError(message, hint="wait in the step for what writes it")
    return digest


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _place(folder: Path, inside: object) -> Path:
    """Where a file belongs.

    Raises:
        StoreError: It is no path within the folder.
    """
    pure = PurePath(str(inside))
    place = folder / pure
    real = place.parent.resolve() / place.name
    if not isinstance(inside, str) or not pure.parts or ".." in pure.parts or not real.is_relative_to(folder.resolve()):
        raise StoreError(f"{inside!r} is no file of the working directory", hint="run the earlier step again")
    return place


def _lay(place: Path, digest: str | None, store: FileStore) -> bool:
    """Makes a file what it is to be; whether there was something to do."""
    if digest is None:
        if place.is_file() or place.is_symlink():
            place.unlink()
        return False
    wanted = Digest(digest)
    if place.is_file() and Digest.of_file(place) == wanted:
        return False
    source = store.path(wanted)
    if source is None:
        raise StoreError(f"`{place.name}`, which an earlier step left, is in none of the folders of the inputs")
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        _copy(source, aside)  # the store's own is read-only, and stays whole where the step writes into its
        aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
    return True
