"""Texts of a notebook, made harmless for XML and HTML."""

from __future__ import annotations

import html
import re
import unicodedata

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NARROW = frozenset("iljtfrI.,:;'|!()[]{} ")
_WIDE = frozenset("mwMW@%")


def xml_text(text: str) -> str:
    r"""A text that may stand in XML and HTML, in an element as well as in an attribute.

    >>> xml_text('<b a="1">\x00')
    '&lt;b a=&quot;1&quot;&gt;�'
    """
    return html.escape(_FORBIDDEN.sub("\ufffd", text), quote=True)


def text_width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font.

    Args:
        text: The text.
        size: The size of the font.
    """
    return size * sum(_advance(character) for character in text)


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.0
    if character in _NARROW:
        return 0.36
    if character in _WIDE:
        return 0.9
    return 0.7 if character.isupper() else 0.59


def clipped(text: str, size: float, widest: float) -> str:
    """A text, cut where it is wider than a width."""
    if text_width(text, size) <= widest:
        return text
    kept = text
    while kept and text_width(f"{kept}…", size) > widest:
        kept = kept[:-1]
    return f"{kept}…"
