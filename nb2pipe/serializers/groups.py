"""Groups: the variables that reach a common mutable object, stored as one graph."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import accumulate, pairwise
from json import dumps, loads
from sys import intern
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.digest import Digest
from nb2pipe.errors import Nb2pipeError, StoreError
from nb2pipe.serializers.collecting import paused
from nb2pipe.serializers.decode import Decoder
from nb2pipe.serializers.encode import Encoder, SelfMadeError
from nb2pipe.serializers.graph import Graph, may_be_interned
from nb2pipe.serializers.shapes import UnstorableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.store.base import Store

__all__ = ["Group", "UnstorableError", "dump", "leaves", "load", "partition", "unstorable"]

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Variables that share mutable objects, and so travel as one graph.

    Attributes:
        names: Sorted.
        digest: The store's artifact that holds the graph.
    """

    names: tuple[str, ...]
    digest: Digest


def partition(values: Mapping[str, object], *, namespace: dict[str, object]) -> tuple[tuple[str, ...], ...]:
    """The variables by whether they share mutable objects; nothing is stored or refused."""
    return Graph(values, namespace).components()


def unstorable(values: Mapping[str, object], *, namespace: dict[str, object]) -> tuple[UnstorableError, ...]:
    """Why each variable that cannot be passed on cannot be, in the order of the variables."""
    return Graph(values, namespace).refusals()


def dump(values: Mapping[str, object], *, store: Store, namespace: dict[str, object]) -> tuple[Group, ...]:
    """Stores variables, those that share mutable objects together.

    Args:
        values: The variables, by name.
        store: Where to.
        namespace: The notebook's `__main__` dictionary, to which its functions and classes belong.

    Returns:
        The groups, sorted by their names; equal values give equal digests, as far as their types allow.

    Raises:
        UnstorableError: A variable cannot be stored.
        StoreError: The store cannot be written.
    """
    with paused():
        graph = Graph(values, namespace)
        graph.raise_refused()
        return tuple(_dump_group(graph, names, store) for names in graph.components())


def _dump_group(graph: Graph, names: tuple[str, ...], store: Store) -> Group:
    apart: dict[Digest, None] = {}
    waiting: dict[str, object] = {}

    def encode(values: dict[str, object]) -> bytes:
        encoder = Encoder(graph, store.put)
        data = encoder.encode(values)
        apart.update(dict.fromkeys(encoder.leaves))
        waiting.update(encoder.needs)
        return data

    try:
        pieces = [encode({name: graph.values[name] for name in names})]
        needs = _needs(graph, names, encode, waiting, pieces)
    except SelfMadeError as cause:
        reason = f"a `{cause}` is among the arguments that its own `__reduce__` gives"
        hint = "give it a `__getstate__` that holds what refers back"
        raise UnstorableError(names[0], names[0], reason, hint) from None
    sizes = [len(piece) for piece in pieces]
    header = {"schema": _SCHEMA, "names": names, "leaves": [one.hex for one in apart], "needs": needs, "sizes": sizes}
    return Group(names=names, digest=store.put(b"\n".join([dumps(header).encode(), b"".join(pieces)])))


def _needs(
    graph: Graph,
    names: tuple[str, ...],
    encode: Callable[[dict[str, object]], bytes],
    waiting: dict[str, object],
    pieces: list[bytes],
) -> list[str]:
    """Adds a piece for each thing that functions read as a global, and that what they read reads; gives the names.

    A piece of its own, so that one that the loading namespace has already is not even looked at.
    """
    done: list[str] = []
    while waiting:
        name, value = waiting.popitem()
        if name not in done and name not in names and not graph.reaches_refused(value):
            done.append(name)
            pieces.append(encode({name: value}))
    return done


def leaves(group: Group, *, store: Store) -> tuple[Digest, ...]:
    """The artifacts that hold a group's large memory, beside its own.

    Raises:
        StoreError: The group's artifact is missing or damaged.
    """
    header, _ = _read(group, store)
    return tuple(Digest(one) for one in header["leaves"])


def load(group: Group, *, store: Store, namespace: dict[str, object]) -> dict[str, object]:
    """All variables of a group, as they were: the same object is the same object again.

    Functions and classes of the notebook are bound to `namespace`; it gets the modules and definitions they read, where
    it lacks them. Load groups in notebook order: of two that hold one definition, the later one's state stays.

    Args:
        group: The group.
        store: Where it lies.
        namespace: The notebook's `__main__` dictionary here.

    Raises:
        StoreError: An artifact is missing or damaged, or something that the values need is not here.
    """
    header, (first, *others) = _read(group, store)
    try:
        with paused(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what libraries say when they are unpickled
            values = Decoder(first, store=store, namespace=namespace).load()
            for name, piece in zip(header["needs"], others, strict=True):
                if name not in namespace:
                    namespace.update(Decoder(piece, store=store, namespace=namespace).load())
    except Nb2pipeError:
        raise
    except Exception as cause:
        raise _not_made(group, cause) from cause
    return {name: _interned(value) for name, value in cast("dict[str, object]", values).items()}


def _interned(value: object) -> object:
    return intern(cast("str", value)) if may_be_interned(value) else value


def _not_made(group: Group, cause: Exception) -> StoreError:
    names = ", ".join(f"`{name}`" for name in group.names)
    if isinstance(cause, ImportError):
        message = f"the module `{cause.name}`, which {names} needs, cannot be imported here: {cause}"
        return StoreError(message, hint="install it, or put the file beside the notebook")
    message = f"{names} cannot be made again from the store: {type(cause).__name__}: {cause}"
    hint = "a `__setstate__` or `__reduce__` failed, or a library changed; run the pipeline again"
    return StoreError(message, hint=hint)


def _read(group: Group, store: Store) -> tuple[dict[str, Any], list[bytes]]:
    """A group's header and its pieces: the variables, then each thing that they need."""
    line, _, data = store.get(group.digest).partition(b"\n")
    try:
        header = loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("schema") != _SCHEMA:
        hint = "load it with the version of nb2pipe that wrote it, or run the pipeline again"
        message = f"the artifact {group.digest.hex[:12]} is no group of variables that this version knows"
        raise StoreError(message, hint=hint)
    ends = list(accumulate(header["sizes"], initial=0))
    return header, [data[start:end] for start, end in pairwise(ends)]
