"""Which files count as what a step reads and writes: the author's, not those of Python, libraries and the machine."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

_MACHINE = ("/proc", "/sys", "/dev", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/run", "/opt/conda")
"""What belongs to the machine, and is no data of an author."""

_CACHES = (
    ".cache",
    ".ipython",
    ".jupyter",
    ".local/share/jupyter",
    ".config/matplotlib",
    ".config/pip",
    ".keras",
    ".triton",
)
"""What libraries keep for themselves in the user's folder; a wrong guess only makes a step run again less often."""

_COMPILED = ("torchinductor_", "torch_extensions")
"""How folders among the temporary ones begin that hold what torch compiles."""

_PARTS = (f"{os.sep}__pycache__{os.sep}", f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


_DATA = (
    *(".csv", ".csv.gz", ".csv.bz2", ".tsv", ".tsv.gz", ".txt.gz", ".jsonl", ".jsonl.gz", ".data", ".data.gz"),
    *(".npy", ".npz", ".npy.gz", ".pkl.gz", ".parquet", ".feather", ".arrow", ".arff", ".arff.gz", ".h5", ".hdf5"),
    *(".mat", ".dta", ".sas7bdat", ".safetensors", ".pt", ".pth", ".onnx", ".gguf", ".keras", ".jpg", ".jpeg"),
)
"""Endings of files with data, or with trained weights."""


class Places:
    """Which paths count.

    Args:
        apart: More folders that do not: the home of nb2pipe, and the folder of its own work.
    """

    def __init__(self, apart: tuple[str, ...] = ()) -> None:
        libraries = {_real(path) for name, path in sysconfig.get_paths().items() if name in {"stdlib", "platstdlib"}}
        libraries |= {_real(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix) if path != "/"}
        libraries |= {str(Path(__file__).resolve().parents[2])}
        home = os.path.expanduser("~")  # noqa: PTH111  # plain texts are compared
        others = {*_MACHINE, *map(_real, apart), *(os.path.join(home, each) for each in _CACHES)}  # noqa: PTH118
        self._caches = _begins({os.path.join(home, each) for each in _CACHES})  # noqa: PTH118
        self._libraries = _begins(libraries)
        temporary = (os.environ.get("TMPDIR", "/tmp"), "/tmp")  # noqa: S108  # it is looked at only
        compiled = (os.path.join(place, name) for place in temporary for name in _COMPILED)  # noqa: PTH118
        self._apart = (*_begins(libraries | others), *compiled)

    def counts(self, path: str) -> bool:
        """Whether an absolute path is of a file that counts."""
        return not path.startswith(self._apart) and not any(part in path for part in _PARTS)

    def holds_data(self, path: str) -> bool:
        """Whether an absolute path that does not count is of data that a library brought along, or fetched once."""
        if not path.endswith(_DATA):
            return False
        return path.startswith(self._caches) or any(part in path for part in _PARTS)

    def is_authors(self, file: str) -> bool:
        """Whether code of a file, as it stands in frames, is the author's."""
        if not file.startswith(os.sep):
            return file.startswith("<notebook ")
        return not file.startswith(self._libraries) and not any(part in file for part in _PARTS)


def _begins(folders: set[str]) -> tuple[str, ...]:
    return tuple(sorted(f"{folder.rstrip(os.sep)}{os.sep}" for folder in folders))


def _real(path: str) -> str:
    return os.path.realpath(path)
