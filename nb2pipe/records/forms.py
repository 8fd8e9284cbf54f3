"""The forms that texts give a secret value, as one pattern: as it is, as Python, JSON, HTML and URLs write it, by line.

Values of fewer than six characters count only as whole words, and those of fewer than three not at all: `no` and `on`
stand everywhere.
"""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from functools import lru_cache

LONG = 6
_SHORT = 3
_BORDER = "-----"
"""Begins the first and the last line of a key, which say what it is."""
_NO_SECRETS = frozenset({"true", "false", "none", "null", "yes", "off"})


@lru_cache(maxsize=64)
def pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    """What finds the values in each of their forms, the longest first; None where no value counts."""
    known: dict[str, str] = {}
    for value in values:
        for text in _texts(value):
            for form in _forms(text):
                quoted = re.escape(form)
                known[form] = quoted if len(text.strip()) >= LONG else rf"(?<!\w){quoted}(?!\w)"
    if not known:
        return None
    return re.compile("|".join(known[form] for form in sorted(known, key=len, reverse=True)))


@lru_cache(maxsize=64)
def by_letter(values: frozenset[str]) -> dict[str, list[str]]:
    """The forms of those values that count anywhere in a text, by their first letters."""
    texts = (text for value in values for text in _texts(value) if len(text.strip()) >= LONG)
    found: dict[str, list[str]] = {}
    for form in sorted({form for text in texts for form in _forms(text)}):
        found.setdefault(form[0], []).append(form)
    return found


def _texts(value: str) -> set[str]:
    """A value, also without what stands around it, and each long line of it: a difference shows lines."""
    whole = value.strip()
    if len(whole) < _SHORT or whole.lower() in _NO_SECRETS:
        return set()
    lines = (line.strip() for line in whole.splitlines())
    return {value, whole, *(line for line in lines if len(line) >= LONG and not line.startswith(_BORDER))}


def _forms(value: str) -> set[str]:
    return {
        value,
        repr(value)[1:-1],
        repr(repr(value)[1:-1])[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
    }
