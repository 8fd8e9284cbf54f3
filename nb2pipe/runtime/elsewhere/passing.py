"""What the process does that brings a step's values from a store that is no folder, and back to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import Nb2pipeError, StoreError
from nb2pipe.runtime.description import FILE, read_description
from nb2pipe.runtime.elsewhere.passage import Passage, bring_records
from nb2pipe.runtime.files import to_lay_out
from nb2pipe.runtime.left import earlier_of, skips
from nb2pipe.runtime.versions import take_from
from nb2pipe.serializers.groups import Group, leaves
from nb2pipe.store.layered import LayeredStore
from nb2pipe.store.local import LocalStore
from nb2pipe.store.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nb2pipe.runtime.description import Description

_AT_ONCE = 8
_BROUGHT = "brought"
"""The file that names the artifacts that came from the store, so that they need not go back."""


def main(facts: Mapping[str, Any]) -> None:
    """Brings what the facts name.

    Raises:
        StoreError: Something is not there, or the store cannot be reached.
    """
    passage = Passage(url=facts["url"], run=facts["run"], folder=Path(facts["folder"]))
    store = LayeredStore(LocalStore(passage.store), Remote(passage.url))
    if "fetch" in facts:
        _fetch(passage, store, facts)
    else:
        brought = set((passage.folder / _BROUGHT).read_text(encoding="ascii").split())
        _all_at_once(store.push, (each for each in store.local.digests() if each.hex not in brought))
        store.remote.write(facts["deliver"], facts["text"].encode("utf-8"))


def _fetch(passage: Passage, store: LayeredStore, facts: Mapping[str, Any]) -> None:
    step = facts["fetch"]
    known = read_description(Path(facts["bundle"]) / FILE)
    description = known.taking(step, facts["given"])
    records = bring_records(store.remote, passage, description, step)
    if not (facts["gated"] and _is_closed(description, step, passage)):
        _bring_values(store, description, step, records)
        if facts["files"]:
            digests = to_lay_out(records.values()).values()
            _all_at_once(lambda one: _bring(store, one), (Digest(one) for one in digests if one is not None))
    brought = "\n".join(each.hex for each in store.local.digests())
    (passage.folder / _BROUGHT).write_text(brought, encoding="ascii")


def _is_closed(description: Description, step: str, passage: Passage) -> bool:
    """Whether a gate keeps the step from running; what is wrong with gates is told by the step itself."""
    try:
        return skips(description, description.step(step), [passage.inputs], None) is not None
    except Nb2pipeError:
        return True


def _bring_values(
    store: LayeredStore, description: Description, step: str, records: Mapping[str, Mapping[str, Any]]
) -> None:
    facts = description.step(step)
    above = [earlier_of(each, records.get(each.name)) for each in description.earlier(step)]
    taken = take_from(frozenset(facts.inputs), facts.scope, above)
    groups = {group.digest: group for group in taken.groups}
    states = {Digest(digest): kind for kind, (_, digest) in taken.state.items()}
    _all_at_once(lambda one: _bring(store, one), [*groups, *states])
    apart = {leaf for group in groups.values() for leaf in leaves(group, store=store.local)}
    for digest, kind in states.items():
        with suppress(StoreError):  # a state that is plain bytes has no leaves
            apart.update(leaves(Group(names=(kind,), digest=digest), store=store.local))
    _all_at_once(lambda one: _bring(store, one), apart)


def _bring(store: LayeredStore, digest: Digest) -> None:
    store.pull(digest)
    if store.broken is not None:
        raise store.broken
    if not store.local.has(digest):
        message = f"the artifact {digest.hex[:12]}, which an earlier step left, is not in {store.remote.url} any more"
        raise StoreError(message, hint="run that step again")


def _all_at_once(do: Callable[[Digest], object], digests: Iterable[Digest]) -> None:
    """Does something with each, several at a time; the first error counts."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(do, digests):
            pass
