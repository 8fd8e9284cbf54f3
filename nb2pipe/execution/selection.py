"""Which steps of a run are to run, where the user wants only some of them: `--from`, `--until`, `--only`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.execution.expect import Expected
    from nb2pipe.execution.options import RunOptions
    from nb2pipe.pipeline.work import Work

NOT_CHOSEN = "neither --from, --until nor --only chose it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The steps of a run by what becomes of them.

    Attributes:
        chosen: They run, or are reused.
        needed: What the chosen ones follow from: results of earlier runs are taken, and have to be there.
        above: The others above a chosen one: such results are taken if they are there, for the hidden state in them.
    """

    chosen: frozenset[str]
    needed: frozenset[str]
    above: frozenset[str]


def select(work: Work, options: RunOptions) -> Selection | None:
    """The selection that the options ask for; None for all steps.

    Raises:
        UsageError: There is no such step, or the options exclude each other.
    """
    asked = {"--from": options.first, "--until": options.last, "--only": options.only}
    given = {flag: name for flag, name in asked.items() if name is not None}
    if not given:
        return None
    for flag, name in given.items():
        _check(work, flag, name)
    if options.no_cache:
        raise UsageError("--no-cache takes no results of earlier runs, which --from, --until and --only need")
    if "--only" in given and len(given) > 1:
        raise UsageError("--only excludes --from and --until", hint="give --only alone, or the two others")
    chosen = _chosen(work, options)
    if not chosen:
        message = f"no step is both `{options.first}` or after it, and `{options.last}` or before it"
        raise UsageError(message, hint="look at `nb2pipe graph`")
    sources: dict[str, set[str]] = {}
    for edge in work.edges:
        sources.setdefault(edge.target, set()).add(edge.source)
    needed = _closed(chosen, sources) - chosen
    last = max(work.places[name] for name in chosen)
    after = _closed(chosen, _turned(sources))
    above = {name for name in work.names if work.places[name] < last} - chosen - needed - after
    return Selection(chosen=chosen, needed=needed, above=frozenset(above))


def check_needed(selection: Selection, expected: Mapping[str, Expected], work: Work) -> None:
    """Checks that what the chosen steps follow from is there.

    Raises:
        UsageError: It is not.
    """
    for name in work.names:
        found = expected[name]
        if name in selection.needed and found.source is None and not work.by_name[name].inner:
            why = f": {found.why.message}" if found.why else ""
            message = f"no earlier run left results of the step `{name}` that can be taken{why}"
            raise UsageError(message, hint=f"run it first, with --until {name}, or run all steps")


def _check(work: Work, flag: str, name: str) -> None:
    names = [unit.name for unit in work.units if not unit.scope]
    if name in names:
        return
    if name in work.by_name:
        outer = name.partition("/")[0]
        raise UsageError(f"{flag} takes a step of the notebook itself, not of a nested one", hint=f"{flag} {outer}")
    close = suggestion(name, names)
    hint = f"did you mean `{close}`?" if close else f"the steps are: {', '.join(names)}"
    raise UsageError(f"there is no step `{name}`", hint=hint)


def _chosen(work: Work, options: RunOptions) -> frozenset[str]:
    if options.only is not None:
        return _with_inner(work, {options.only})
    sources: dict[str, set[str]] = {}
    for edge in work.edges:
        sources.setdefault(edge.target, set()).add(edge.source)
    chosen = frozenset(work.names)
    if options.first is not None:
        chosen &= _closed(_with_inner(work, {options.first}), _turned(sources))
    if options.last is not None:
        chosen &= _closed(_with_inner(work, {options.last}), sources)
    return _with_inner(work, chosen)


def _with_inner(work: Work, names: Iterable[str]) -> frozenset[str]:
    """Steps with those of the pipelines that are nested in them."""
    return frozenset(each for name in names for each in (name, *work.by_name[name].inner))


def _closed(names: Iterable[str], following: Mapping[str, set[str]]) -> frozenset[str]:
    """Steps with all that can be reached from them."""
    found: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += following.get(name, ())
    return frozenset(found)


def _turned(sources: Mapping[str, set[str]]) -> dict[str, set[str]]:
    targets: dict[str, set[str]] = {}
    for target, found in sources.items():
        for source in found:
            targets.setdefault(source, set()).add(target)
    return targets
