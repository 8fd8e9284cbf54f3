"""The version of a data set: the SHA-256 of a file, or the digest of data that is in memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from nb2pipe.digest import Digest
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import UnstorableError


def version_of(source: Any, name: str | None) -> tuple[str, str]:
    """Where data is, and what tells its content from another.

    Args:
        source: The path of a file, or the data itself.
        name: What data in memory is called.

    Raises:
        OSError: The file cannot be read.
        ValueError: Data in memory has no name, or no lasting state.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        if path.is_dir():
            raise ValueError(f"`{path}` is a folder; declare the files in it that are used")
        return str(path.absolute()), str(Digest.of_file(path))
    if name is None:
        raise ValueError("data in memory needs a name: `track.data(frame, name=...)`")
    try:
        return name, str(digest(source, namespace=vars(sys.modules["__main__"])))
    except UnstorableError as cause:
        raise ValueError(f"`{name}` has no content that lasts: {cause}") from cause
