"""Files around a notebook that a bundle takes over: modules that steps import, and what `--include` names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import UsageError
from nb2pipe.targets.checks.nb405_file_not_copied import file_not_copied
from nb2pipe.targets.imports import imported
from nb2pipe.targets.model import Copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.targets.imports import Imported

LARGEST_MODULE = 10 << 20
"""Bytes of a file of a package that is copied since a step imports the package."""

LARGEST = 100 << 20
"""Bytes of a file that `--include` names."""

MOST = 5000
"""Files that are copied."""

_OUTSIDE = "it lies outside the notebook's folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFiles:
    """What lies around a notebook and goes with it.

    Attributes:
        copies: Sorted by path.
        others: What all modules import that is not found here, those of the copied files among them.
        diagnostics: What is not copied, and why.
    """

    copies: tuple[Copy, ...] = ()
    others: tuple[Imported, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class _Search:
    """A search in the notebook's folder.

    Attributes:
        root: The folder, resolved.
        folders: It and those of nested notebooks, in which modules are looked for.
        avoid: The folder that the bundle is written to, resolved; nothing is taken from it.
        notebook: The notebook's path as the user gave it.
    """

    root: Path
    folders: tuple[Path, ...]
    avoid: Path | None
    notebook: str
    copies: dict[str, Copy] = field(default_factory=dict)
    modules: dict[str, Path | None] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def take(self, path: Path, *, module: bool) -> bool:
        """Copies a file, or says why not."""
        shown = path.relative_to(self.root).as_posix()
        if shown in self.copies:
            return True
        reason = self._reason(path, LARGEST_MODULE if module else LARGEST)
        if reason is not None:
            self.diagnostics.append(file_not_copied(self.notebook, shown, reason))
            return False
        self.copies[shown] = Copy(
            path=shown, source=path, digest=Digest.of_file(path), size=path.stat().st_size, module=module
        )
        return True

    def _reason(self, path: Path, largest: int) -> str | None:
        real = path.resolve()
        if not real.is_relative_to(self.root):
            return _OUTSIDE
        if not real.is_file():
            return "it is no ordinary file"
        if path.stat().st_size > largest:
            return f"it is larger than {largest >> 20} MB"
        if not os.access(real, os.R_OK):
            return "it cannot be read"
        return f"{MOST} files are copied already" if len(self.copies) >= MOST else None


def local_files(
    folders: Sequence[Path],
    imports: Iterable[Imported],
    include: Iterable[str],
    *,
    avoid: Path | None,
    notebook: str,
) -> LocalFiles:
    """The files around a notebook that go with it.

    Args:
        folders: The notebook's folder, then those of its nested notebooks, which lie within.
        imports: What the modules of the package import.
        include: Patterns of files, relative to the notebook's folder.
        avoid: The folder that the bundle is written to.
        notebook: The notebook's path as the user gave it.

    Raises:
        UsageError: A pattern leads out of the folder, or matches nothing.
    """
    root = folders[0].resolve()
    inner = tuple(folder for each in folders[1:] if (folder := each.resolve()).is_relative_to(root))
    search = _Search(root, tuple(dict.fromkeys((root, *inner))), avoid and avoid.resolve(), notebook)
    seen: dict[Imported, None] = {}
    waiting = list(imports)
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen[each] = None
            waiting += _within(search, each.module)
    for pattern in include:
        _include(search, pattern)
    others = tuple(each for each in seen if not _is_local(search, each.module))
    copies = tuple(search.copies[path] for path in sorted(search.copies))
    order = sorted(others, key=lambda each: (each.module, each.cell or 0, each.cell_line or 0, each.line))
    return LocalFiles(copies=copies, others=tuple(order), diagnostics=tuple(search.diagnostics))


# ------------------------------------------------------------------------------------------------ modules


def _within(search: _Search, module: str) -> Iterator[Imported]:
    """Takes a module, and the packages around it, if they lie here; gives what they import."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if name not in search.modules:
            found = search.modules[name] = _find(search, parts[:length])
            if found is not None:
                yield from _taken(search, name, found)


def _find(search: _Search, parts: Sequence[str]) -> Path | None:
    """The file of a module."""
    for folder in search.folders:
        base = folder.joinpath(*parts)
        suffixes = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)
        files = [base / "__init__.py", *(base.with_name(base.name + suffix) for suffix in suffixes)]
        found = next((path for path in files if path.is_file()), None)
        if found is not None and not _avoided(search, found):
            return found
    return None


def _taken(search: _Search, name: str, file: Path) -> Iterator[Imported]:
    if file.name != "__init__.py":
        files = [file]
    elif name.partition(".")[0] in search.modules and _package_above(search, name):
        return  # taken with the whole package
    else:
        files = list(_walk(search, file.parent))
    for path in files:
        if search.take(path, module=True) and path.suffix == ".py":
            inner = path.relative_to(file.parent).with_suffix("").parts
            package = [name] if file.name == "__init__.py" else name.split(".")[:-1]
            yield from imported(_text(path), ".".join([*package, *inner[:-1]]))


def _package_above(search: _Search, name: str) -> bool:
    """Whether a package lies within another one that was taken as a whole."""
    parts = name.split(".")
    above = (search.modules.get(".".join(parts[:length])) for length in range(1, len(parts)))
    return any(path is not None and path.name == "__init__.py" for path in above)


def _is_local(search: _Search, module: str) -> bool:
    """Whether a module is one of those here, a name in one, or a mere folder of them."""
    parts = module.split(".")
    if any(search.modules.get(".".join(parts[:length])) for length in range(1, len(parts) + 1)):
        return True
    return any(path is not None and name.startswith(f"{module}.") for name, path in search.modules.items())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


# ------------------------------------------------------------------------------------------------ other files


def _include(search: _Search, pattern: str) -> None:
    pure = PurePosixPath(pattern.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise UsageError(
            f"--include {pattern} leads out of the notebook's folder", hint="patterns are relative to the notebook"
        )
    wanted = str(pure / "*") if pure.name == "**" else str(pure)
    try:
        found = sorted(search.root.glob(wanted))
    except ValueError as error:
        raise UsageError(f"--include {pattern} is no pattern: {error}", hint="such as 'data/*.csv'") from error
    hidden = any(part.startswith(".") for part in pure.parts)
    told = len(search.diagnostics)
    files = [
        file
        for path in found
        if hidden or not _is_hidden(path.relative_to(search.root))
        for file in (_walk(search, path) if path.is_dir() else [path])
        if not _avoided(search, file)
    ]
    if not files and len(search.diagnostics) == told:
        raise UsageError(f"--include {pattern} matches no file in {search.root}", hint="quote it for the shell")
    for path in files:
        search.take(path, module=False)


def _walk(search: _Search, folder: Path) -> Iterator[Path]:
    """The files below a folder, sorted; hidden ones, compiled Python and the bundle itself are left out."""
    if not folder.resolve().is_relative_to(search.root):
        shown = folder.relative_to(search.root).as_posix()
        search.diagnostics.append(file_not_copied(search.notebook, shown, _OUTSIDE))
        return
    for path in sorted(folder.iterdir()):
        if _is_hidden(Path(path.name)) or path.suffix == ".pyc" or _avoided(search, path):
            continue
        if not path.is_dir():
            yield path
        elif not path.is_symlink():  # one could lead back up
            yield from _walk(search, path)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _avoided(search: _Search, path: Path) -> bool:
    return search.avoid is not None and search.avoid != search.root and path.resolve().is_relative_to(search.avoid)
