"""Calls of libraries that read and write files without Python's knowledge, so that no audit event tells of them."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLS = (
    ("torch", "torch.serialization", "save", 1, "f", "w"),
    ("torch", "torch.jit._serialization", "save", 1, "f", "w"),
    ("torch", "torch.jit._serialization", "load", 0, "f", "r"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "read_table", 0, "source", "r"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "write_table", 1, "where", "w"),
    ("pandas", "pandas.core.frame", "DataFrame.to_parquet", 1, "path", "w"),
    ("pandas", "pandas.core.frame", "DataFrame.to_feather", 1, "path", "w"),
    ("pandas", "pandas.core.frame", "DataFrame.to_orc", 1, "path", "w"),
    ("pyarrow.feather", "pyarrow.feather", "write_feather", 1, "dest", "w"),
    ("pyarrow.csv", "pyarrow.csv", "read_csv", 0, "input_file", "r"),
    ("cv2", "cv2", "imread", 0, "filename", "r"),
    ("cv2", "cv2", "imwrite", 0, "filename", "w"),
    *(("polars", "polars", f"read_{kind}", 0, "source", "r") for kind in ("csv", "parquet", "json", "ndjson", "ipc")),
    *(("polars", "polars", f"scan_{kind}", 0, "source", "r") for kind in ("csv", "parquet", "ndjson", "ipc")),
    ("safetensors.torch", "safetensors.torch", "save_file", 1, "filename", "w"),
    ("safetensors.torch", "safetensors.torch", "load_file", 0, "filename", "r"),
)
"""The module after whose import it is there, the one that holds it, its name, the place and name of its path, and
whether it reads or writes."""

_ALIASES = {
    ("torch.serialization", "save"): ("torch",),
    ("torch.jit._serialization", "save"): ("torch.jit",),
    ("torch.jit._serialization", "load"): ("torch.jit",),
    ("pyarrow.parquet.core", "read_table"): ("pyarrow.parquet",),
    ("pyarrow.parquet.core", "write_table"): ("pyarrow.parquet",),
}
"""The modules that have it under the same name, too."""


def watch_libraries(tell: Callable[[str, Any], None]) -> None:
    """Has the calls told, once their libraries are imported.

    Args:
        tell: Takes `r` or `w`, and the path.
    """
    for after, module, name, place, keyword, kind in _CALLS:
        act = functools.partial(_wrap, module, name, functools.partial(_tell, tell, kind, place, keyword))
        after_import(after, act)


def _wrap(module: str, name: str, tell: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> None:
    *outer, name = name.split(".")
    holder = functools.reduce(lambda found, part: getattr(found, part, None), outer, sys.modules.get(module))
    plain = getattr(holder, name, None)
    if plain is None:  # another version of the library
        return

    @functools.wraps(plain)
    def watched(*arguments: Any, **keywords: Any) -> Any:
        tell(arguments, keywords)
        return plain(*arguments, **keywords)

    aliases = (sys.modules.get(each) for each in _ALIASES.get((module, name), ()))
    for each in (holder, *aliases):
        if getattr(each, name, None) is plain:
            setattr(each, name, watched)


def _tell(
    tell: Callable[[str, Any], None],
    kind: str,
    place: int,
    keyword: str,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
) -> None:
    given = arguments[place] if len(arguments) > place else keywords.get(keyword)
    if isinstance(given, str | bytes | os.PathLike):
        tell(kind, given)
