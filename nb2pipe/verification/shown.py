"""Short texts of values."""

from __future__ import annotations

import reprlib
from typing import Any

LONGEST = 300
"""Characters of a value that are shown."""


def shown_value(value: Any) -> str:
    """A short text of a value, with what its text may leave out: element type, shape.

    >>> shown_value(["x" * 500, 1.5])[-8:]
    "x', 1.5]"
    """
    maker = reprlib.Repr()
    maker.maxother = maker.maxstring = maker.maxlong = LONGEST
    maker.maxlist = maker.maxtuple = maker.maxdict = maker.maxset = 20
    try:
        text = " ".join(maker.repr(value).split())
        about = [str(value.dtype), f"shape {tuple(value.shape)}"] if _is_array(value) else []
    except Exception as error:  # noqa: BLE001  # an author's `__repr__`
        return f"<{type(value).__name__} whose text cannot be made: {type(error).__name__}>"
    return f"{text} ({', '.join(about)})" if about else text


def _is_array(value: Any) -> bool:
    own = type(value)  # an instance may answer for any attribute
    return hasattr(own, "dtype") and hasattr(own, "shape") and isinstance(value.shape, tuple) and value.shape != ()
