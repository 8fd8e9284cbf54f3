"""Gives objects the content that a checkpoint kept of them, so that whoever holds them sees it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.restored import (
    KEPT,
    Fields,
    GeneratorState,
    Kept,
    ModuleState,
    Stateful,
    is_generator,
    make_generator,
    write_generator,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING = object()


def put_back(old: Any, new: Any) -> Any:
    """Gives an object the content that it had.

    Args:
        old: The object as it is.
        new: Its content, as it was decoded.

    Returns:
        The object with the content: `old` where it could take it, else a new one.

    Raises:
        ValueError: There is no object that could take the content of one.
    """
    return Placing().put(old, new)


class Placing:
    """Puts contents into objects: into each object one, and one content into one object."""

    def __init__(self) -> None:
        self._placed: dict[int, Any] = {}
        self._taken: dict[int, Any] = {}

    def put(self, old: Any, new: Any) -> Any:
        """As `put_back`, which is this for one object."""
        if id(new) in self._placed:
            return self._placed[id(new)][1]
        free = _NOTHING if id(old) in self._taken and new is not KEPT else old
        found = self._put(free, new)
        if new is not KEPT and not isinstance(found, bool | int | float | str | type(None)):
            self._placed[id(new)] = new, found
            self._taken[id(found)] = found
        return found

    def _put(self, old: Any, new: Any) -> Any:
        match new:
            case Kept() | Stateful() | ModuleState():
                return self._as_it_is(old, new)
            case Fields():
                return self._object(old, new)
            case GeneratorState():
                return _put_generator(old, new)
            case tuple():
                return self._tuple(old, new)
            case dict() | list() | set() | deque() | bytearray():
                return self._container(old if type(old) is type(new) else _emptied(new), new)
            case _:
                return _put_memory(old, new)

    def _as_it_is(self, old: Any, new: Kept | Stateful | ModuleState) -> Any:
        """An object that only its own code can make."""
        if old is _NOTHING or old is None:
            raise ValueError("there is no object in the place of one that a checkpoint cannot make")
        if not isinstance(new, Kept):
            new.put_into(old)
        return old

    def _object(self, old: Any, new: Fields) -> Any:
        if old is _NOTHING or type(old).__qualname__ != new.name or not hasattr(old, "__dict__"):
            if new.kind is None:
                raise ValueError(f"there is no class `{new.name}`, of which a checkpoint holds an object")
            old = object.__new__(new.kind)
        self._taken[id(old)] = old
        self._mapping(vars(old), new.fields)
        return old

    def _tuple(self, old: Any, new: tuple[Any, ...]) -> Any:
        before = old if isinstance(old, tuple) and len(old) == len(new) else (_NOTHING,) * len(new)
        items = [self.put(one, two) for one, two in zip(before, new, strict=True)]
        if all(one is two for one, two in zip(before, items, strict=True)) and type(old) is type(new):
            return old
        return type(new)(items) if type(new) is tuple else type(new)._make(items)  # type: ignore[attr-defined]  # it is named

    def _container(self, old: Any, new: Any) -> Any:
        self._taken[id(old)] = old
        if isinstance(old, dict):
            self._mapping(old, new)
        elif isinstance(old, list | deque):
            before = [*old, *[_NOTHING] * max(0, len(new) - len(old))]
            items = [self.put(one, two) for one, two in zip(before, new, strict=False)]
            old.clear()
            old.extend(items)
        else:
            old.clear()
            (old.update if isinstance(old, set) else old.extend)(new)
        return old

    def _mapping(self, old: dict[Any, Any], new: Mapping[Any, Any]) -> None:
        before = dict(old)
        old.clear()
        for key, value in new.items():
            old[key] = self.put(before.get(key, _NOTHING), value)


def _emptied(new: Any) -> Any:
    """A container like another one, without what is in it."""
    if isinstance(new, deque):
        return deque(maxlen=new.maxlen)
    found = new.copy()
    found.clear()
    return found


def _put_generator(old: Any, new: GeneratorState) -> Any:
    found = old if is_generator(old) and type(old).__name__ == new.kind else make_generator(new)
    write_generator(found, new.state)
    return found


def _put_memory(old: Any, new: Any) -> Any:
    """An array or tensor of the same kind takes the content; all else is replaced."""
    module = type(old).__module__.partition(".")[0]
    if type(old) is not type(new) or module not in {"torch", "numpy"} or not hasattr(old, "shape"):
        return new
    if old.shape != new.shape or old.dtype != new.dtype:
        return new
    if module == "torch":
        import torch  # there is a tensor

        with torch.no_grad():
            return old.copy_(new)
    if not old.shape or not old.flags.writeable:
        return new
    old[...] = new
    return old
