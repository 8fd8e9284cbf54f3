"""What a process prints, cut at the marks that it writes between: text, and where the cells begin and end.

A mark is a line in the output itself, so that what child processes print is attributed as well. It begins with a
control character and a secret of the run, which no author's text holds by accident.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = b"\x1e"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark.

    Attributes:
        word: `begin`, `end` or `error`.
        rest: What follows the word on its line.
    """

    word: str
    rest: str


@dataclass(slots=True)
class MarkedStream:
    r"""Cuts one stream, as its bytes arrive.

    Attributes:
        token: The secret that marks begin with.

    >>> list(MarkedStream("t").feed(b"a\x1et begin 3\nb"))
    ['a', Mark(word='begin', rest='3'), 'b']
    """

    token: str
    _left: bytes = b""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[str | Mark]:
        """The texts and marks that are complete.

        Args:
            data: The next bytes.
            last: Nothing follows.
        """
        begin = _FIRST + self.token.encode() + b" "
        data, self._left = self._left + data, b""
        while (start := data.find(begin)) >= 0 and (end := data.find(b"\n", start)) >= 0:
            yield from self._text(data[:start], last=True)
            word, _, rest = data[start + len(begin) : end].decode("utf-8", "replace").partition(" ")
            yield Mark(word, rest.rstrip("\r"))
            data = data[end + 1 :]
        if not last:
            cut = start if start >= 0 else len(data) - _begun(data, begin)
            data, self._left = data[:cut], data[cut:]
        yield from self._text(data, last=last)

    def _text(self, data: bytes, *, last: bool = False) -> Iterator[str]:
        text = self._decoder.decode(data, last)
        if text:
            yield text


def _begun(data: bytes, begin: bytes) -> int:
    """How many of the last bytes may be the beginning of a mark."""
    start = data.rfind(_FIRST, -len(begin))
    return len(data) - start if start >= 0 and begin.startswith(data[start:]) else 0
