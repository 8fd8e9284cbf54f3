"""Where the home `.nb2pipe/` is."""

from __future__ import annotations

import os
from pathlib import Path

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
    upward = (folder, *folder.parents)
    found = next((each / NAME for each in upward if (each / NAME).is_dir()), None)
    if found is not None:
        return found
    root = next((each for each in upward if any((each / mark).exists() for mark in _ROOTS)), folder)
    return root / NAME
