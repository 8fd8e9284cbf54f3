"""The part of nb2pipe that runs inside a step, carried in a bundle under its own name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nb2pipe
from nb2pipe.codegen.files import EmittedFile

ROOMS = ("runtime", "tracking", "records", "serializers", "store")
FILES = ("__init__.py", "diagnostics.py", "digest.py", "errors.py", "plugins.py", "py.typed")

_LEAVE = """\
# Carried from nb2pipe {version}, as it is; an installed nb2pipe is used instead.
# SPDX-License-Identifier: Apache-2.0
# fmt: off
"""


@cache
def vendored_files() -> tuple[EmittedFile, ...]:
    """The files, below the folder `_vendor` of the package, sorted by path.

    They are those that run here; three lines of comment come first, so that formatters with other settings than ours
    leave them alone.
    """
    root = Path(nb2pipe.__file__).parent
    found = [root / name for name in FILES]
    found += [path for room in ROOMS for path in (root / room).rglob("*") if _is_carried(path, root)]
    files = sorted((path.relative_to(root.parent).as_posix(), path.read_text(encoding="utf-8")) for path in found)
    return tuple(EmittedFile(path=path, text=_headed(text)) for path, text in files)


def _is_carried(path: Path, root: Path) -> bool:
    return path.is_file() and not {"__pycache__", "checks"} & set(path.relative_to(root).parts)


def _headed(text: str) -> str:
    return _LEAVE.format(version=nb2pipe.__version__) + text if text.strip() else text
