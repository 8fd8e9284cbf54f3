"""Tensors that a loop sees and no checkpoint holds: that one of them changes shows, where the text does not tell.

An object with a method that the text cannot be followed into may change a tensor of its own, as a moving average of the
weights does. Each tensor counts its changes, so that looking at that count is enough.
"""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.modules import is_module
from nb2pipe.tracking.training.restored import is_authors
from nb2pipe.tracking.training.tensors import address_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_DEEPEST = 4
_MOST = 20_000
_LONGEST = 1000


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

    def changed(self, variables: Mapping[str, Any], saved: Collection[int]) -> str | None:
        """The way to a tensor that is another one now, or has another content; None where there is none.

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
        return None

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
