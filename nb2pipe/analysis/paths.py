"""Paths as far as the text tells: with holes where a part of one is not known."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING

from nb2pipe.analysis.heap import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nb2pipe.analysis.heap import Value

HOLE = "\0"
"""Stands for any text in a text of which only parts are known."""

START = "\1/"
"""Begins a path from the folder that the notebook starts in, wherever the working directory is by then."""

_MOST = 16
"""Texts that are made of texts that a name may stand for."""

_FIELDS = re.compile(r"\{[^{}]*\}")
_PERCENT = re.compile(r"%[^a-zA-Z%]*[a-zA-Z]")
_WILD = re.compile(r"\*+|\?|\[[^\]]*\]")


def patterns_of(value: Value) -> list[str]:
    """The texts that a value may be, with holes where a part is not known."""
    return [thing.value for thing in value if isinstance(thing, Text)]


def combined(parts: Iterable[Value]) -> list[str]:
    """What texts become one after the other; a part that is no known text is a hole."""
    found = [patterns_of(part) or [HOLE] for part in parts]
    return ["".join(texts) for texts in islice(product(*found), _MOST)]


def joined(parts: Iterable[Value]) -> list[str]:
    """What parts of a path become together."""
    found = [patterns_of(part) or [HOLE] for part in parts]
    return [posixpath.join(*texts) for texts in islice(product(*found), _MOST)] if found else []


def filled(text: str) -> str:
    r"""A text whose fields for `format` or `%` are filled with what is not known.

    >>> filled("a_{}.csv"), filled("a_%03d.csv")
    ('a_\x00.csv', 'a_\x00.csv')
    """
    return _PERCENT.sub(HOLE, _FIELDS.sub(HOLE, text))


def unfolded(text: str) -> str:
    r"""A pattern of the shell, or of `glob`, with holes.

    >>> unfolded("data/*.csv"), unfolded("**/a[0-9].txt")
    ('data/\x00.csv', '\x00/a\x00.txt')
    """
    return _WILD.sub(HOLE, text)


def normal(path: str, folder: str = "") -> str:
    """A path without detours, so that `./a` and `a` are one.

    Args:
        path: As it stands in the text.
        folder: The working directory, from the one that the notebook starts in.

    >>> normal("./data/../a.csv"), normal("a.csv", "data"), normal(START + "a.csv", "data")
    ('a.csv', 'data/a.csv', 'a.csv')
    """
    text = path[len(START) :] if path.startswith(START) else posixpath.join(folder, path)
    text = re.sub(f"{HOLE}+", HOLE, posixpath.normpath(text))
    return HOLE + text[2:] if text.startswith(f"{HOLE}/") else text


def shown(path: str) -> str:
    """A path as people read it."""
    return path.replace(HOLE, "*")


@lru_cache(maxsize=4096)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, path.split(HOLE))), re.DOTALL)


def meet(one: str, other: str) -> bool:
    r"""Whether two paths may be the same.

    >>> meet("a.csv", "a.csv"), meet("a_\0.csv", "a_1.csv"), meet("a\0", "\0.csv"), meet("a\0", "b.csv")
    (True, True, True, False)
    """
    if HOLE not in one:
        one, other = other, one
    if HOLE not in one:
        return one == other
    if HOLE not in other:
        return _pattern(one).fullmatch(other) is not None
    heads, tails = (
        (one.partition(HOLE)[0], other.partition(HOLE)[0]),
        (one.rpartition(HOLE)[2], other.rpartition(HOLE)[2]),
    )
    begins = heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])
    return begins and (tails[0].endswith(tails[1]) or tails[1].endswith(tails[0]))


def folders(path: str) -> Iterator[str]:
    """The folders above a path.

    >>> list(folders("data/raw/x.csv"))
    ['data/raw', 'data', '.']
    """
    while "/" in path.strip("/"):
        path = path.rpartition("/")[0]
        yield path
    if not path.startswith(("/", "..")) and path != ".":
        yield "."


def inside(folder: str) -> str:
    """Whatever lies in a folder."""
    return HOLE if folder in {".", ""} else posixpath.join(folder, HOLE)


def base(path: str) -> str | None:
    r"""The folder in which all that a path with holes may be lies; None where it may be anywhere.

    >>> base("data/a_\0.csv"), base("\0.csv")
    ('data', None)
    """
    return posixpath.dirname(path.partition(HOLE)[0]) or None


def literal(paths: Iterable[str]) -> frozenset[str]:
    """Those of some paths that are known as a whole."""
    return frozenset(path for path in paths if HOLE not in path)


PARTS: dict[str, Callable[[str], str]] = {
    "parent": lambda path: posixpath.dirname(path) or ".",
    "name": posixpath.basename,
    "path": str,
    "stem": lambda path: posixpath.splitext(posixpath.basename(path))[0],
    "suffix": lambda path: posixpath.splitext(path)[1],
}
"""The attributes of a path that are texts themselves."""
