"""Which files count as what a step reads and writes: the author's, not those of Python, libraries and the machine."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

_MACHINE = ("/proc", "/sys", "/dev", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/run", "/opt/conda")
"""What belongs to the machine, and is no data of an author."""

_CACHES = (".cache", ".ipython", ".jupyter", ".local/share/jupyter", ".config/matplotlib", ".config/pip", ".keras")
"""What libraries keep for themselves in the user's folder; a wrong guess only makes a step run again less often."""

_PARTS = (f"{os.sep}__pycache__{os.sep}", f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Places:
    """Which paths count.

    Args:
        apart: More folders that do not: the home of nb2pipe, and the folder of its own work.
    """

    def __init__(self, apart: tuple[str, ...] = ()) -> None:
        folders = {*_MACHINE, *map(_real, apart), str(Path(__file__).resolve().parents[2])}
        folders |= {_real(path) for name, path in sysconfig.get_paths().items() if name in {"stdlib", "platstdlib"}}
        folders |= {_real(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix) if path != "/"}
        folders |= {os.path.join(os.path.expanduser("~"), each) for each in _CACHES}  # noqa: PTH111, PTH118  # plain texts are compared
        self._apart = tuple(sorted(f"{folder.rstrip(os.sep)}{os.sep}" for folder in folders))

    def counts(self, path: str) -> bool:
        """Whether an absolute path is of a file that counts."""
        return not path.startswith(self._apart) and not any(part in path for part in _PARTS)


def _real(path: str) -> str:
    return os.path.realpath(path)
