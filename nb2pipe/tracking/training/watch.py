"""Tensors, arrays and lists that a loop sees and no checkpoint holds: that one changes shows, where the text tells not.

An object with a method that the text cannot be followed into may change a tensor of its own, as a moving average of the
weights does; a function may shuffle a list. Each tensor counts its changes, so that looking at that count is enough.
"""

from __future__ import annotations

import sys
import weakref
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.modules import is_module
from nb2pipe.tracking.training.restored import is_authors
from nb2pipe.tracking.training.tensors import address_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_DEEPEST = 4
_MOST = 20_000
_LONGEST = 1000
_LARGEST = 1 << 20
_PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})


class Watch:
    """The tensors that variables lead to, as they were when it was made.

    Args:
        variables: Those that are watched, by name.
        apart: The ids of objects that are saved, and so are all tensors in them.
    """

    def __init__(self, variables: Mapping[str, Any], apart: Collection[int]) -> None:
        self._names = tuple(variables)
        self._apart = frozenset(apart)
        self._seen = {path: (weakref.ref(one), _version(one)) for path, one in self._tensors(variables)}
        self._prints = {name: fingerprint(one) for name, one in variables.items() if self._is_list(name, one)}

    def changed(self, variables: Mapping[str, Any], saved: Collection[int]) -> str | None:
        """The way to something that is another one now, or has another content; None where there is nothing.

        Args:
            variables: As they are now.
            saved: The addresses of memory that is saved.
        """
        now = {name: variables[name] for name in self._names if name in variables}
        for path, one in self._tensors(now):
            before = self._seen.get(path)
            is_other = before is not None and (before[0]() is not one or before[1] != _version(one))
            if is_other and address_of(one) not in saved:
                return path
        return next(
            (name for name in self._prints if name in now and fingerprint(now[name]) != self._prints[name]), None
        )

    def _is_list(self, name: str, value: Any) -> bool:
        kinds = isinstance(value, list | dict | set | deque) or type(value).__name__ == "ndarray"
        return kinds and not name.startswith("_") and id(value) not in self._apart

    def _tensors(self, variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        torch = sys.modules.get("torch")
        if torch is None:
            return
        met = set(self._apart)
        queue = [(name, value, 0) for name, value in variables.items() if not name.startswith("__")]
        for path, value, depth in queue:
            if id(value) in met or len(met) > _MOST:
                continue
            if isinstance(value, torch.Tensor):
                met.add(id(value))
                yield path, value
            elif depth < _DEEPEST:
                inner = [(f"{path}{label}", each, depth + 1) for label, each in _held(value)]
                if inner:
                    met.add(id(value))
                    queue += inner


def fingerprint(value: Any, depth: int = 2) -> Any:
    """What tells the content of a list, dictionary, set or array from most others, in little time.

    >>> fingerprint([1, 2]) == fingerprint([2, 1]), fingerprint({"a": [1]}) == fingerprint({"a": [1]})
    (False, True)
    """
    if type(value).__name__ == "ndarray" and type(value).__module__ == "numpy":
        part = value.reshape(-1)[:: max(1, value.nbytes // _LARGEST)] if value.dtype.kind in "biufc" else None
        return (value.shape, None if part is None else zlib.crc32(part.tobytes()))
    if not depth or not isinstance(value, list | tuple | dict | set | deque):
        return (type(value), value) if type(value) in _PLAIN else id(value)
    items = [*value, *value.values()] if isinstance(value, dict) else list(value)
    if isinstance(value, set):
        return hash(frozenset(map(id, items)))
    return hash((len(items), *(fingerprint(one, depth - 1) for one in items[:_MOST])))


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and len(value) <= _LONGEST:
        yield from ((f"[{key!r}]", one) for key, one in value.items() if isinstance(key, str | int))
    elif isinstance(value, list | tuple) and len(value) <= _LONGEST:
        yield from ((f"[{place}]", one) for place, one in enumerate(value))
    elif is_module(value):
        yield from ((f".{name}", one) for name, one in (*value.named_parameters(), *value.named_buffers()))
    elif is_authors(value):
        yield from ((f".{name}", one) for name, one in vars(value).items())


def _version(tensor: Any) -> int:
    """How often its content was changed; -1 where it does not count that."""
    try:
        return int(tensor._version)  # noqa: SLF001  # there is no other way
    except RuntimeError:
        return -1
