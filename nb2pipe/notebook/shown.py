"""Texts of a notebook as messages show them: a hostile one cannot write to the terminal, and a long one is cut."""

from __future__ import annotations

_LONGEST = 80


def shown(text: str) -> str:
    r"""A text of the notebook, on one line, without control characters, cut where it is long.

    >>> shown("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    if cut.isprintable():
        return cut
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in cut)
