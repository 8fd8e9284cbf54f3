"""Files that two steps touched though nothing ordered them: seen as they ran, for this run and for later ones. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from nb2pipe.execution.keys import GENERATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nb2pipe.records.model import StepRecord, StepTrace

MISSING = frozenset({"FileNotFoundError", "NotADirectoryError", "ModuleNotFoundError", "EmptyDataError", "EOFError"})
"""Errors of a step that looked for a file before the step that writes it had ended."""


def crossed(earlier: StepTrace, later: StepTrace, listing: Callable[[str], str]) -> tuple[str, ...]:
    """The files of which a step had or left another version than in notebook order, having begun too early.

    Args:
        earlier: Of the step that stands above the other.
        later: Of the step that began before that one had ended.
        listing: A digest of the names in a folder, as they are now.
    """
    stale = {folder for folder, names in later.listed.items() if listing(folder) != names}
    found = {
        path
        for path, file in earlier.writes.items()
        if (path in later.reads and later.reads[path] != file.sha256)
        or (path in later.writes and later.writes[path].sha256 != file.sha256)
        or posixpath.dirname(path) in stale
    }
    return tuple(sorted(found))


def spoiled(earlier: StepTrace, later: StepTrace) -> tuple[str, ...]:
    """The files that a step read as one below it, which ran at the same time, had left them."""
    both = earlier.reads.keys() & later.writes.keys() - earlier.writes.keys()
    return tuple(sorted(path for path in both if earlier.reads[path] == later.writes[path].sha256))


def learned(records: Iterable[Sequence[StepRecord]]) -> dict[str, set[str]]:
    """For each step, the steps above it that earlier runs showed to come before it: by files, and by random generators.

    Args:
        records: The steps of earlier runs, each in notebook order.
    """
    waits: dict[str, set[str]] = {}
    for steps in records:
        for place, later in enumerate(steps):
            above = {
                each.name for each in steps[:place] if _scope(each) == _scope(later) and _comes_before(each, later)
            }
            waits.setdefault(later.name, set()).update(above)
    return waits


def _scope(step: StepRecord) -> str:
    return step.name.rpartition("/")[0]


def _comes_before(earlier: StepRecord, later: StepRecord) -> bool:
    if GENERATORS & earlier.state.keys() & later.state.keys():
        return True
    first, second = earlier.trace, later.trace
    if first is None or second is None:
        return False
    wrote = first.writes.keys()
    return bool(wrote & (second.reads.keys() | second.writes.keys()) or first.reads.keys() & second.writes.keys()) or (
        bool(second.listed) and any(posixpath.dirname(path) in second.listed for path in wrote)
    )


def known(waits: Mapping[str, set[str]], names: Iterable[str]) -> dict[str, set[str]]:
    """The part of what was learned that concerns the steps of this run, in which those above may stand below now."""
    order = list(names)
    places = {name: place for place, name in enumerate(order)}
    return {
        name: {each for each in waits.get(name, ()) if places.get(each, len(order)) < places[name]} for name in order
    }
