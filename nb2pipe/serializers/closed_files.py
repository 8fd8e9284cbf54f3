"""Files that have been closed: `with open(...) as stream` leaves one, and nothing can be done with it any more."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.shapes import Made

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_BUFFERED: Final = (io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
_TYPES: Final = frozenset({io.TextIOWrapper, *_BUFFERED, io.FileIO})


def rule(kind: type, opened: Rule) -> Rule:
    """The rule for a type of files.

    Args:
        kind: The type.
        opened: The rule for an open file.
    """

    def reduce(value: object, context: Context) -> Shape:
        if kind in _TYPES and cast("io.IOBase", value).closed:
            return Made(make_closed, _made_of(value), ties=False)
        return opened(value, context)

    return reduce


def _made_of(value: object) -> tuple[object, ...]:
    if isinstance(value, io.TextIOWrapper):
        raw = cast("io.FileIO", value.buffer.raw)
        text = (value.encoding, value.errors, getattr(value, "mode", None))
        return (raw.name, raw.mode, value.buffer.__class__, text)
    if isinstance(value, _BUFFERED):
        raw = cast("io.FileIO", value.raw)
        return (raw.name, raw.mode, value.__class__, None)
    raw = cast("io.FileIO", value)
    return (raw.name, raw.mode, None, None)


def make_closed(name: object, mode: str, buffered: type | None, text: tuple[str, str, str | None] | None) -> io.IOBase:
    """A closed file that says of itself what another one did.

    >>> make_closed("notes.txt", "rb", io.BufferedReader, ("UTF-8", "strict", "r"))
    <_io.TextIOWrapper name='notes.txt' mode='r' encoding='UTF-8'>
    """
    made: Any = io.FileIO(os.devnull, mode.replace("x", "w"))
    made.name = name
    if buffered is not None:
        made = buffered(made)
    if text is not None:
        made = io.TextIOWrapper(made, encoding=text[0], errors=text[1])
        made.mode = text[2]
    made.close()
    return cast("io.IOBase", made)
