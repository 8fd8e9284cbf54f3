"""Reduces an object as pickle does, for types that have no rule of their own."""

from __future__ import annotations

import copyreg
import itertools
from typing import TYPE_CHECKING, Any

from nb2pipe.serializers import builtin, refusals
from nb2pipe.serializers.shapes import NOTHING, Made, Refused

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context
    from nb2pipe.serializers.shapes import Shape

_MOST = 6
_LEAST = 2
_ITERATED = (list, tuple, str, bytes, bytearray)


def by_protocol(value: object, context: Context) -> Shape:
    """What pickle would do: `copyreg`, else `__reduce_ex__`."""
    kind = type(value)
    constant = context.names.constant(value)
    if constant is not None:
        return constant
    registered = copyreg.dispatch_table.get(kind)
    reduced: Any = registered(value) if registered is not None else value.__reduce_ex__(5)
    if isinstance(reduced, str):
        found = context.names.find(value, reduced)
        return found or Refused(
            f"it calls itself `{reduced}`, and no module has it under that name", refusals.MAKE_ANEW
        )
    if not isinstance(reduced, tuple) or not _LEAST <= len(reduced) <= _MOST:
        return Refused(f"`{kind.__name__}.__reduce__` gives no tuple of two to six", "mend `__reduce__`")
    made = _made(reduced)
    made.ties = kind.__module__.partition(".")[0] not in builtin.IMMUTABLE_MODULES and builtin.may_change(kind)
    if made.state is NOTHING and not made.items and not made.pairs and len(made.args) == 1 and made.args[0] is kind:
        return context.names.sentinel(value) or made
    return made


def _made(reduced: tuple[Any, ...]) -> Made:
    make, args, state, items, pairs, setter = (reduced + (None,) * _MOST)[:_MOST]
    if not callable(make) or not isinstance(args, tuple):
        raise TypeError("`__reduce__` gives no callable with a tuple of arguments")
    args, state = _telling(make, args, state)
    return Made(
        make,
        args,
        state=NOTHING if state is None else state,
        items=list(items) if items is not None else [],
        pairs=list(pairs) if pairs is not None else [],
        setter=setter,
    )


def _telling(make: object, args: tuple[Any, ...], state: object) -> tuple[tuple[Any, ...], object]:
    """An iterator that is used up, or over a set or dictionary, becomes one that tells more, and does so now."""
    if make is iter and state is None and type(args[0]) in _ITERATED:
        return args, 0
    if make is itertools.chain and not args and state is None:
        return args, (iter(()),)
    if make is itertools.islice and len(args) == _LEAST:
        return (*args, 0, 1), state
    if make is itertools.zip_longest:
        return tuple(iter(()) if part == () else part for part in args), state
    return args, state
