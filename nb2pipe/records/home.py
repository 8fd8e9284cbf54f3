"""Where the home `.nb2pipe/` is."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = ".nb2pipe"
VARIABLE = "NB2PIPE_HOME"
_ROOTS = (".git", "pyproject.toml")


def find_home(start: Path, override: Path | None = None) -> Path:
    """The home's folder; it need not exist yet.

    Args:
        start: The notebook, or a folder.
        override: `--home`; it wins over the environment's `NB2PIPE_HOME`.
    """
    wanted = override or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if wanted is not None:
        return wanted.expanduser().resolve()
    folder = (start if start.is_dir() else start.parent).resolve()
    upward = (folder, *_above(folder))
    found = next((each / NAME for each in upward if (each / NAME).is_dir()), None)
    if found is not None:
        return found
    root = next((each for each in upward if any((each / mark).exists() for mark in _ROOTS)), folder)
    return root / NAME


def _above(folder: Path) -> Iterator[Path]:
    """The folders above one, up to one where all users may put their files, such as `/tmp`.

    Values of a home are unpickled, so one that somebody else may have put there is not taken.
    """
    for each in folder.parents:
        mode = each.stat().st_mode if each.exists() else 0
        if mode & stat.S_ISVTX and mode & stat.S_IWOTH:
            return
        yield each
