"""Versions of the distributions that modules come from, as installed where a kernel looks for them."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING

from nb2pipe.records.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_OWN = frozenset({"pip", "setuptools", "wheel", "nb2pipe"})


class Installed:
    """Distributions by module. Reading all of them takes a fifth of a second, so what was found is kept in a file.

    Args:
        file: Keeps what was found, as long as nothing was installed or removed since.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._found: dict[str, dict[str, tuple[str, str]]] = {}

    def versions(self, modules: Iterable[str], folders: Iterable[str]) -> dict[str, str]:
        """The versions of the distributions that hold some modules, by the distribution's name.

        Args:
            modules: Top-level modules.
            folders: Where they are installed.
        """
        with self._lock:
            known = self._of(tuple(folders))
        found = (known[module] for module in modules if module in known)
        return {name: version for name, version in sorted(found) if name not in _OWN}

    def version(self, name: str, folders: Iterable[str]) -> str | None:
        """The version of a distribution; None if it is not installed."""
        with self._lock:
            known = self._of(tuple(folders))
        return next((version for found, version in known.values() if found == name), None)

    def _of(self, folders: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
        stamp = json.dumps([[folder, _time(folder)] for folder in folders])
        if stamp not in self._found:
            self._found[stamp] = self._kept(stamp) or self._read(folders, stamp)
        return self._found[stamp]

    def _kept(self, stamp: str) -> dict[str, tuple[str, str]] | None:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            data = json.loads(self._file.read_bytes())
            if data["stamp"] == stamp:
                return {str(module): (str(name), str(version)) for module, (name, version) in data["modules"].items()}
        return None

    def _read(self, folders: tuple[str, ...], stamp: str) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for distribution in distributions(path=[*folders]):
            metadata = distribution.metadata
            name = metadata["Name"] if metadata else None
            for module in _modules(distribution) if name else ():
                found.setdefault(module, (str(name), distribution.version))
        data = json.dumps({"stamp": stamp, "modules": found})
        with suppress(OSError):
            write_atomically(self._file, data.encode(), durable=False)
        return found


def _modules(distribution: Distribution) -> set[str]:
    """The top-level modules of a distribution. Its list of files is read as text: `files` looks at each of them."""
    listed = distribution.read_text("RECORD")
    if listed is None:
        return set((distribution.read_text("top_level.txt") or "").split())
    firsts = {line.partition(",")[0].partition("/")[0] for line in listed.splitlines()}
    return {first.partition(".")[0] for first in firsts if not first.endswith((".dist-info", ".data", ".."))}


def _time(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0
