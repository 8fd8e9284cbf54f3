"""Values handed over one by one: a folder for each variable that a step leaves, for platforms that show such.

What is no variable (records, hidden state, files) stays in the folder of the outputs. That folder may also carry on
what earlier steps left, so that a later step is given only the folders of the steps right before it.
"""

from __future__ import annotations

import argparse
import os
import shutil
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.runtime.folder_store import FolderStore
from nb2pipe.runtime.left import record_of
from nb2pipe.serializers.groups import Group, leaves
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.runtime.description import Description

ABOUT = "about.yaml"
"""The file in the folder of a value that says what it is. JSON, which is YAML; steps' own files end in `.json`."""


def port_of(text: str) -> tuple[str, Path]:
    """What `NAME=FOLDER` says.

    Raises:
        ArgumentTypeError: It says nothing.

    >>> port_of("net=out/net")
    ('net', PosixPath('out/net'))
    """
    name, sign, folder = text.partition("=")
    if not (name and sign and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER")
    return name, Path(folder)


def split(description: Description, step: str, folders: Sequence[Path], ports: Mapping[str, Path]) -> None:
    """Moves variables that a step left from the folder of its outputs to folders of their own.

    Variables that share objects travel as one, so each of their folders holds them all. What a step left that has no
    port stays where it is.

    Args:
        description: The pipeline.
        step: The step that has run, or was skipped.
        folders: The folder of its outputs, and those of its inputs.
        ports: The folder of each variable.

    Raises:
        StoreError: A folder cannot be read or written.
    """
    record = record_of(description.step(step), folders[:1]) or {"outputs": [], "state": {}}
    store = FolderStore(folders[1:], folders[0])
    groups = [Group(names=tuple(one["names"]), digest=Digest(one["digest"])) for one in record["outputs"]]
    content = {group: (group.digest, *leaves(group, store=store)) for group in groups}
    try:
        for name, folder in ports.items():
            folder.mkdir(parents=True, exist_ok=True)
            for group in (each for each in groups if name in each.names):
                for digest in content[group]:
                    _keep(store.path(digest), digest, folder)
            (folder / ABOUT).write_text(dumps(_about(record, step, name), indent=1) + "\n", encoding="utf-8")
        moved = {one for group in groups if ports.keys() >= set(group.names) for one in content[group]}
        kept = {one for group in groups if not ports.keys() >= set(group.names) for one in content[group]}
        _remove(folders[0], moved - kept - _unseen(record, store))
    except OSError as cause:
        raise _refused(cause) from cause


def carry(description: Description, step: str, folders: Sequence[Path]) -> None:
    """Lets the folder of a step's outputs hold what earlier steps left, too; folders of single values are left alone.

    Files that a later step has written anew are not carried on.

    Args:
        description: The pipeline.
        step: The step that has run, or was skipped.
        folders: The folder of its outputs, and those of its inputs.

    Raises:
        StoreError: A folder cannot be read or written.
    """
    target, *sources = folders
    sources = [source for source in sources if not (source / ABOUT).is_file()]
    earlier = description.earlier(step)
    records = [record_of(facts, (*sources, target)) for facts in (*earlier, description.step(step))]
    known = [record for record in records if record is not None]
    latest: dict[str, str] = {}
    for record in known:
        latest = {path: one for path, one in latest.items() if path not in record.get("removed", ())}
        latest |= record.get("files", {})
    files = {one for record in known for one in record.get("files", {}).values()}
    state = {one for record in known for one in record["state"].values()}
    stale = files - set(latest.values()) - state
    try:
        for source in sources:
            for digest in LocalStore(source / "store").digests():
                if digest.hex not in stale:
                    _keep(LocalStore(source / "store").path(digest), digest, target)
            for facts in earlier:
                file = source / f"{facts.file}.json"
                if file.is_file() and not (target / file.name).exists():
                    shutil.copyfile(file, target / file.name)
    except OSError as cause:
        raise _refused(cause) from cause


def _about(record: Mapping[str, Any], step: str, name: str) -> dict[str, Any]:
    """What people may want to know of a value."""
    group = next((one for one in record["outputs"] if name in one["names"]), None)
    if group is None:
        return {"step": step, "variable": name, "missing": record.get("skipped", "not bound")}
    together = [other for other in group["names"] if other != name]
    about = {"step": step, "variable": name, "digest": group["digest"], **record.get("summaries", {}).get(name, {})}
    return {**about, "together_with": together} if together else about


def _unseen(record: Mapping[str, Any], store: FolderStore) -> set[Digest]:
    """What holds the files and the hidden state of a step."""
    digests = {Digest(one) for one in (*record.get("files", {}).values(), *record["state"].values())}
    return digests | set(_leaves_of(map(Digest, record["state"].values()), store))


def _leaves_of(states: Iterable[Digest], store: FolderStore) -> Iterator[Digest]:
    """The large memory of those that are stored as variables are."""
    for digest in states:
        try:
            header = loads(store.get(digest).partition(b"\n")[0])
            yield from map(Digest, header["leaves"])
        except (ValueError, KeyError, TypeError):
            continue


def _keep(source: Path | None, digest: Digest, folder: Path) -> None:
    """Keeps an artifact in the store of another folder, without a copy where that can be."""
    store = LocalStore(folder / "store")
    if source is not None and not store.has(digest):
        store.adopt(digest, lambda aside: _link(source, aside))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _remove(folder: Path, digests: Iterable[Digest]) -> None:
    for digest in digests:
        file = folder / "store" / "sha256" / digest.hex[:2] / digest.hex[2:]
        file.unlink(missing_ok=True)


def _refused(cause: OSError) -> StoreError:
    hint = "look at space and permissions of the folders of the outputs"
    return StoreError(f"what the step left cannot be handed on: {cause.strerror or cause}", hint=hint)
