"""Hears which environment variables the author's code asks for; libraries ask for many, for themselves."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_BETWEEN = tuple(
    name
    for module in ("os", "_collections_abc", "posixpath", "genericpath", "pathlib")
    for name in (f"{os.sep}{module}.py", f"<frozen {module}>")
)
"""The files of the frames that lie between who asks for a variable and the mapping."""


def watch_variables(tell: Callable[[str, str | None, str], None]) -> None:
    """Has each look into `os.environ` told.

    Args:
        tell: Takes the variable's name, its value, and the file of the code that asked.
    """
    kind: Any = type(os.environ)
    plain = kind.__getitem__

    def getitem(self: Any, name: Any) -> Any:
        found = None
        try:
            found = plain(self, name)
            return found
        finally:
            if self is os.environ and isinstance(name, str):
                tell(name, found, _asking(sys._getframe(1)))  # noqa: SLF001  # there is no other way

    getitem.__qualname__, getitem.__name__ = plain.__qualname__, plain.__name__
    kind.__getitem__ = getitem


def _asking(frame: FrameType) -> str:
    while frame.f_back is not None and frame.f_code.co_filename.endswith(_BETWEEN):
        frame = frame.f_back
    return frame.f_code.co_filename
