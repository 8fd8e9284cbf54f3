"""Brings values into the store and back, for one kernel; the namespace is the user's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, UnstorableError, dump, load, partition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.store.base import Store

_NAME = "state"


@dataclass(frozen=True, slots=True)
class Keeper:
    """The store as a kernel uses it.

    Attributes:
        store: The store.
        namespace: The user's `__main__` dictionary; functions and classes of the notebook are bound to it.
    """

    store: Store
    namespace: dict[str, Any]

    def put(self, data: bytes) -> str:
        """Stores bytes; their digest."""
        return str(self.store.put(data))

    def get(self, name: str) -> bytes:
        """The bytes that a digest names.

        Raises:
            StoreError: They are not there, or were altered.
        """
        return self.store.get(Digest(name))

    def put_value(self, value: object) -> str:
        """Stores one value as variables are stored; its digest.

        Raises:
            UnstorableError: It holds what cannot be stored.
        """
        (group,) = dump({_NAME: value}, store=self.store, namespace=self.namespace)
        return str(group.digest)

    def get_value(self, name: str) -> Any:
        """The value that `put_value` stored."""
        group = Group(names=(_NAME,), digest=Digest(name))
        return load(group, store=self.store, namespace=self.namespace)[_NAME]

    def digest(self, value: object) -> str | None:
        """The digest of a value's content; None if it holds what has no lasting state."""
        try:
            return str(digest(value, namespace=self.namespace))
        except UnstorableError:
            return None

    def shared(self, one: Mapping[str, object], two: Mapping[str, object]) -> tuple[str, ...]:
        """The names of both that share mutable objects with names of the other; names of both differ."""
        groups = partition({**one, **two}, namespace=self.namespace) if one and two else ()
        mixed = (group for group in groups if one.keys() & set(group) and two.keys() & set(group))
        return tuple(sorted(name for group in mixed for name in group))

    def dump(self, values: Mapping[str, object]) -> tuple[Group, ...]:
        """Stores variables; those that share mutable objects in one group.

        Raises:
            UnstorableError: A value cannot be stored.
        """
        return dump(values, store=self.store, namespace=self.namespace)

    def load(self, names: tuple[str, ...], name: str) -> dict[str, object]:
        """Variables of a group, by its digest; a name that was bound to something else since is not asked for."""
        found = load(Group(names=names, digest=Digest(name)), store=self.store, namespace=self.namespace)
        return {each: found[each] for each in names}
