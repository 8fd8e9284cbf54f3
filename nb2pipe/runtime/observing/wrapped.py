"""Calls of libraries that read and write files without Python's knowledge, so that no audit event tells of them."""

from __future__ import annotations

import functools
import glob
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[Any, str], None]

_GIVEN = "mode"
"""The mode of a call that is given one, after the path."""

_CALLS = (
    ("torch", "torch.serialization", "save", 1, "f", "w"),
    ("torch", "torch.jit._serialization", "save", 1, "f", "w"),
    ("torch", "torch.jit._serialization", "load", 0, "f", "r"),
    ("pyarrow", "pyarrow", "memory_map", 0, "path", _GIVEN),
    ("pyarrow.parquet", "pyarrow.parquet.core", "read_table", 0, "source", "r"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "ParquetFile.__init__", 1, "source", "r"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "ParquetDataset.__init__", 1, "path_or_paths", "r"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "ParquetWriter.__init__", 1, "where", "w"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "write_table", 1, "where", "w"),
    ("pyarrow.parquet", "pyarrow.parquet.core", "write_to_dataset", 1, "root_path", "w"),
    ("pyarrow.dataset", "pyarrow.dataset", "dataset", 0, "source", "r"),
    ("pyarrow.dataset", "pyarrow.dataset", "write_dataset", 1, "base_dir", "w"),
    ("pyarrow.feather", "pyarrow.feather", "read_table", 0, "source", "r"),
    ("pyarrow.feather", "pyarrow.feather", "write_feather", 1, "dest", "w"),
    ("pyarrow.orc", "pyarrow.orc", "read_table", 0, "source", "r"),
    ("pyarrow.orc", "pyarrow.orc", "write_table", 1, "where", "w"),
    ("pyarrow.csv", "pyarrow.csv", "read_csv", 0, "input_file", "r"),
    ("pyarrow.csv", "pyarrow.csv", "open_csv", 0, "input_file", "r"),
    ("pyarrow.csv", "pyarrow.csv", "write_csv", 1, "output_file", "w"),
    ("pyarrow.json", "pyarrow.json", "read_json", 0, "input_file", "r"),
    ("pandas", "pandas.core.frame", "DataFrame.to_parquet", 1, "path", "w"),
    ("pandas", "pandas.core.frame", "DataFrame.to_feather", 1, "path", "w"),
    ("pandas", "pandas.core.frame", "DataFrame.to_orc", 1, "path", "w"),
    ("tables", "tables", "open_file", 0, "filename", _GIVEN),
    ("h5py", "h5py._hl.files", "File.__init__", 1, "name", _GIVEN),
    ("cv2", "cv2", "imread", 0, "filename", "r"),
    ("cv2", "cv2", "imwrite", 0, "filename", "w"),
    ("torchvision.io.image", "torchvision.io.image", "read_file", 0, "path", "r"),
    ("torchvision.io.image", "torchvision.io.image", "write_file", 0, "filename", "w"),
    ("soundfile", "soundfile", "SoundFile.__init__", 1, "file", _GIVEN),
    *(("polars", "polars", f"read_{kind}", 0, "source", "r") for kind in ("csv", "parquet", "json", "ndjson", "ipc")),
    *(("polars", "polars", f"scan_{kind}", 0, "source", "r") for kind in ("csv", "parquet", "ndjson", "ipc")),
    *(
        ("polars", "polars", f"DataFrame.write_{kind}", 1, "file", "w")
        for kind in ("csv", "parquet", "json", "ndjson", "ipc")
    ),
    *(("polars", "polars", f"LazyFrame.sink_{kind}", 1, "path", "w") for kind in ("csv", "parquet", "ndjson", "ipc")),
    ("safetensors", "safetensors", "safe_open", 0, "filename", "r"),
    ("safetensors.torch", "safetensors.torch", "save_file", 1, "filename", "w"),
    ("safetensors.torch", "safetensors.torch", "load_file", 0, "filename", "r"),
    ("safetensors.numpy", "safetensors.numpy", "save_file", 1, "filename", "w"),
    ("xgboost", "xgboost.core", "DMatrix.__init__", 1, "data", "r"),
    ("xgboost", "xgboost.core", "Booster.load_model", 1, "fname", "r"),
    ("xgboost", "xgboost.core", "Booster.save_model", 1, "fname", "w"),
    ("lightgbm", "lightgbm.basic", "Dataset.__init__", 1, "data", "r"),
    ("lightgbm", "lightgbm.basic", "Booster.__init__", 3, "model_file", "r"),
    ("lightgbm", "lightgbm.basic", "Booster.save_model", 1, "filename", "w"),
    ("catboost", "catboost.core", "Pool.__init__", 1, "data", "r"),
    ("catboost", "catboost.core", "CatBoost.load_model", 1, "fname", "r"),
    ("catboost", "catboost.core", "CatBoost.save_model", 1, "fname", "w"),
)
"""The module after whose import it is there, the one that holds it, its name, the place and name of its path, and
the mode of `open` that it is like."""

_ALIASES = {
    "torch.serialization": ("torch",),
    "torch.jit._serialization": ("torch.jit",),
    "pyarrow.parquet.core": ("pyarrow.parquet",),
    "torchvision.io.image": ("torchvision.io",),
}
"""The modules that have what a module holds under the same name, too."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A function of a library that opens files.

    Attributes:
        holder: The module that holds it.
        name: Its name there.
        place: Of the path among its arguments.
        keyword: The path's name.
        mode: The mode of `open` that it is like; `_GIVEN` where it is given one.
    """

    holder: str
    name: str
    place: int
    keyword: str
    mode: str

    def opened(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, str]:
        """The path that it was given, and the mode."""
        given = _argument(arguments, keywords, self.place, self.keyword)
        if self.mode != _GIVEN:
            return given, self.mode
        mode = _argument(arguments, keywords, self.place + 1, _GIVEN)
        return given, mode if isinstance(mode, str) else "r"


def watch_libraries(tell: Tell) -> None:
    """Has the calls told, once their libraries are imported.

    Args:
        tell: Takes a path, and the mode of `open` that the call is like.
    """
    for after, holder, name, place, keyword, mode in _CALLS:
        after_import(after, functools.partial(_wrap, _Call(holder, name, place, keyword, mode), tell))


def _wrap(call: _Call, tell: Tell) -> None:
    *outer, name = call.name.split(".")
    holder = functools.reduce(lambda found, part: getattr(found, part, None), outer, sys.modules.get(call.holder))
    plain = getattr(holder, name, None)
    if plain is None:  # another version of the library
        return

    @functools.wraps(plain)
    def watched(*arguments: Any, **keywords: Any) -> Any:
        given, mode = call.opened(arguments, keywords)
        began = time.time()
        _tell(given, mode, tell)
        result = plain(*arguments, **keywords)
        if "w" in mode:
            _tell_new(given, began, tell)
        return result

    aliases = (sys.modules.get(each) for each in _ALIASES.get(call.holder, ()))
    for each in (holder, *aliases):
        if getattr(each, name, None) is plain:
            setattr(each, name, watched)


def _argument(arguments: tuple[Any, ...], keywords: dict[str, Any], place: int, name: str) -> Any:
    return arguments[place] if len(arguments) > place else keywords.get(name)


def _tell(given: Any, mode: str, tell: Tell) -> None:
    """Tells the files that a call opens: one, several, those in a folder, those that a pattern matches."""
    with suppress(Exception):  # what is given is the author's, and is judged by the library
        for path in _paths(given):
            if mode != "r":
                tell(path, mode)
                continue
            for each in _read_at(path):
                tell(each, mode)


def _tell_new(given: Any, began: float, tell: Tell) -> None:
    """Tells the files that a call has written into a folder."""
    with suppress(Exception):  # as above
        for folder in filter(os.path.isdir, _paths(given)):
            for path in _below(folder):
                if os.stat(path).st_mtime >= began - _GRAIN:  # noqa: PTH116  # plain texts
                    tell(path, "w")


_GRAIN = 0.02
"""Seconds by which the clock of a file system may be late."""


def _paths(given: Any) -> Iterator[str]:
    """The paths here that a call is given; a URL of another place is none."""
    if isinstance(given, list | tuple):
        for each in given:
            yield from _paths(each)
    elif isinstance(given, str | bytes | os.PathLike):
        path = os.fsdecode(given).removeprefix("file://")
        if path and "://" not in path:
            yield path


def _read_at(path: str) -> Iterator[str]:
    if os.path.isdir(path):  # noqa: PTH112
        yield path
        yield from _below(path)
    elif glob.has_magic(path) and not os.path.lexists(path):
        yield from glob.glob(path, recursive=True)  # noqa: PTH207
    else:
        yield path


def _below(folder: str) -> Iterator[str]:
    """The files in a folder and the folders in it, but for those that libraries pass over."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        yield from (os.path.join(place, name) for name in files if not name.startswith((".", "_")))  # noqa: PTH118
