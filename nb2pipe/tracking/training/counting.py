"""Rounds that `enumerate` counts: who goes on in the middle of a loop has to go on counting there.

`enumerate` has no way to begin at a later number once it was made; its number is a field of the object, whose place
is proved on one of our own before it is set.
"""

from __future__ import annotations

import ctypes
import gc
from functools import lru_cache
from types import GeneratorType
from typing import Any

_FIELD = object.__basicsize__
_DEEPEST = 6


@lru_cache(maxsize=1)
def can_count() -> bool:
    """Whether the number of an `enumerate` can be set here.

    >>> can_count()
    True
    """
    one = enumerate("abc", 5)
    next(one)
    place = ctypes.c_ssize_t.from_address(id(one) + _FIELD)
    if place.value != 6:  # noqa: PLR2004  # after 5
        return False
    place.value = 41
    return next(one) == (41, "b")


def count_on(iterator: object, by: int) -> bool:
    """Has those that count the rounds of an iterator go on by some more; whether there is one.

    >>> rounds = iter("abc")
    >>> counts = enumerate(rounds)
    >>> count_on(rounds, 7), next(counts)
    (True, (7, 'a'))
    """
    found = [each for each in gc.get_objects() if type(each) is enumerate and _leads(each, iterator, _DEEPEST)]
    for each in found:
        ctypes.c_ssize_t.from_address(id(each) + _FIELD).value += by
    return bool(found)


def _leads(value: Any, iterator: object, depth: int) -> bool:
    """Whether something iterates over another thing, through what shows how far it is."""
    if value is iterator:
        return True
    if not depth:
        return False
    if type(value) is enumerate:
        return _leads(value.__reduce__()[1][0], iterator, depth - 1)
    if isinstance(value, GeneratorType):
        local = value.gi_frame.f_locals.values() if value.gi_frame is not None else ()
        inner = [value.gi_yieldfrom, *local]
        return any(
            _leads(one, iterator, depth - 1) for one in inner if one is iterator or isinstance(one, GeneratorType)
        )
    return False
