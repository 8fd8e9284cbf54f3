"""Finds the variable of the author's that an object is bound to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_LIBRARIES = ("site-packages", "dist-packages")
_LONGEST = 60


def variable_of(value: object) -> str | None:
    """The global name under which the nearest code that is no library's knows an object.

    Local names are not looked at: to read them keeps what they are bound to alive.

    >>> variable_of(variable_of) is not None
    True
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # there is no other way
    seen: set[int] = set()
    while frame is not None:
        known = frame.f_globals
        if id(known) not in seen and not any(part in frame.f_code.co_filename for part in _LIBRARIES):
            seen.add(id(known))
            for name, bound in [*known.items()]:
                if bound is value and not name.startswith("_") and len(name) <= _LONGEST:
                    return name
        frame = frame.f_back
    return None
