"""Whether a word is a misspelled one of ours. Stricter than a search for similar words: `date` is not a `gate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = 5
"""Words up to this length may differ by one edit, longer ones by two."""


def misspelled(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is a slip of, or None.

    The first letter has to be right, as it is in nearly all slips; case does not count.

    >>> misspelled("paramters", ["parameters"]), misspelled("date", ["gate"])
    ('parameters', None)
    """
    lowered = word.lower()
    found = [(distance, name) for name in known if (distance := _slip(lowered, name)) is not None]
    return min(found)[1] if found else None


def _slip(word: str, name: str) -> int | None:
    """The number of edits from a word to a name, or None where they are different words."""
    if word[:1] != name[:1]:
        return None
    allowed = 1 if len(name) <= _SHORT else 2
    if abs(len(word) - len(name)) > allowed:
        return None
    distance = _distance(word, name)
    return distance if distance <= allowed else None


def _distance(first: str, second: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbors (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        last, before, row = before, row, [i]
        for j, right in enumerate(second, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == second[j - 2] and first[i - 2] == right:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]
