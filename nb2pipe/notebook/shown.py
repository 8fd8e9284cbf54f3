"""Texts of a notebook as messages show them: a hostile one cannot write to the terminal, and a long one is cut."""

from __future__ import annotations

_LONGEST = 80


def shown(text: str) -> str:
    r"""A text of the notebook, on one line, without control characters, cut where it is long.

    >>> shown("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _printable(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")


def shown_path(path: object) -> str:
    r"""A path, without control characters, whole: its end says the most.

    >>> shown_path("a\tb/train.ipynb")
    'a\\tb/train.ipynb'
    """
    return _printable(str(path))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
