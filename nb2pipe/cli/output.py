"""Files that commands write, whole or not at all; and paths as people type them."""

from __future__ import annotations

import os
from pathlib import Path

from nb2pipe.errors import UsageError
from nb2pipe.records.files import write_atomically


def write_file(path: Path, text: str) -> None:
    """Writes a text, so that the file is never half there.

    Raises:
        UsageError: It cannot be written; what was there is as it was.
    """
    try:
        write_atomically(path, text.encode("utf-8", "backslashreplace"), durable=False)
    except OSError as cause:
        raise UsageError(f"{path} cannot be written: {cause.strerror or cause}") from cause


def relative_path(path: Path) -> str:
    """A path relative to the working directory, however far that is."""
    return os.path.relpath(Path(path).absolute())


def shown_path(path: Path) -> str:
    """A path as people type it here: relative where that is no longer."""
    return min(relative_path(path), str(Path(path).absolute()), key=len)
