"""The one registry of plug-ins: entry points, loaded when they are asked for; a broken one keeps its cause."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points

from nb2pipe.errors import PluginError, UsageError

GROUPS = ("targets", "executors", "serializers", "trackers")
"""Kinds of plug-ins; the entry point group of each is `nb2pipe.KIND`."""


def names(kind: str) -> tuple[str, ...]:
    """The names of all plug-ins of a kind, sorted; none is loaded."""
    return tuple(sorted({entry.name for entry in _entries(kind)}))


def load(kind: str, name: str) -> object:
    """The plug-in of a kind and name.

    Args:
        kind: One of `GROUPS`.
        name: As the user typed it.

    Raises:
        UsageError: There is none of that name; the hint suggests one.
        PluginError: It cannot be imported; the cause is kept.
    """
    for entry in _entries(kind):
        if entry.name == name:
            return _load(kind, entry)
    raise _unknown(kind, name)


def check(kind: str, name: str) -> None:
    """Makes sure that there is a plug-in of a kind and name; it is not loaded.

    Raises:
        UsageError: There is none of that name; the hint suggests one.
    """
    if name not in names(kind):
        raise _unknown(kind, name)


def _unknown(kind: str, name: str) -> UsageError:
    known = names(kind)
    close = suggestion(name, known)
    hint = f"did you mean `{close}`?" if close else f"there are: {', '.join(known) or 'none'}"
    message = f"there is no {kind.removesuffix('s')} named `{name}`"
    return UsageError(message, hint=hint)


def suggestion(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The known word that a misspelled one most likely means, or None.

    >>> suggestion("lrr", ["lr", "epochs"])
    'lr'
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else None


def _entries(kind: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=f"nb2pipe.{kind}"))


def _load(kind: str, entry: EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as cause:
        origin = entry.dist.name if entry.dist else "an unknown distribution"
        message = f"the {kind.removesuffix('s')} `{entry.name}` of {origin} cannot be loaded: {cause}"
        hint = f"pip install --force-reinstall {origin}"
        raise PluginError(message, hint=hint) from cause
