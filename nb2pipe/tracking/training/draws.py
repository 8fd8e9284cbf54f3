"""All random generators that a training may draw from: the global ones, and those that its variables hold."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.generators import ALL
from nb2pipe.tracking.training.restored import is_authors, is_generator, put_back, read_generator, write_generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 6
_MOST = 5000
_LONGEST = 1000
_SHORT = (list, tuple, set, deque)
_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True, slots=True)
class Draws:
    """What draws in a training, beside the global generators.

    Attributes:
        generators: By the way to them from a variable.
        others: Objects of the author's that samplers and data sets are or hold: their numbers and texts count too.
    """

    generators: Mapping[str, Any]
    others: Mapping[str, Any]

    def read(self) -> dict[str, Any]:
        """The states as they are now."""
        return {
            "global": {each.kind: each.read() for each in ALL if each.module in sys.modules},
            "own": {path: read_generator(one) for path, one in self.generators.items()},
            "fields": {path: _fields(one) for path, one in self.others.items()},
        }

    def write(self, states: Mapping[str, Any]) -> None:
        """Sets them to what `read` gave."""
        for path, fields in states["fields"].items():
            if path in self.others:
                mine = vars(self.others[path])
                mine.update({name: put_back(mine.get(name), one) for name, one in fields.items()})
        for path, state in states["own"].items():
            if path in self.generators:
                write_generator(self.generators[path], state)
        for each in ALL:
            if each.kind in states["global"] and each.module in sys.modules:
                each.write(states["global"][each.kind])


def find_draws(variables: Mapping[str, Any]) -> Draws:
    """What draws, among all that variables hold.

    Args:
        variables: Those that the loop sees, by name.
    """
    generators: dict[str, Any] = {}
    others: dict[str, Any] = {}
    met: set[int] = set()
    queue = [(name, value, 0) for name, value in list(variables.items()) if not name.startswith("__")]
    for path, value, depth in queue:
        if id(value) in met or len(met) > _MOST:
            continue
        met.add(id(value))
        if is_generator(value):
            generators[path] = value
            continue
        if is_authors(value):
            others[path] = value
        if depth < _DEEPEST:
            queue += [(f"{path}{label}", inner, depth + 1) for label, inner in _held(value)]
    return Draws(generators, others)


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    """What an object holds that may draw, or hold what draws."""
    if isinstance(value, dict) and len(value) <= _LONGEST:
        yield from ((f"[{key!r}]", inner) for key, inner in value.items() if isinstance(key, str))
    elif isinstance(value, list | tuple) and len(value) <= _LONGEST:
        yield from ((f"[{place}]", inner) for place, inner in enumerate(value))
    elif _may_hold(value):
        yield from ((f".{name}", inner) for name, inner in vars(value).items())


def _may_hold(value: Any) -> bool:
    """Whether it is an instance of a class of the author's, or one that torch's loaders are made of."""
    kind = type(value)
    if isinstance(value, type) or not hasattr(value, "__dict__") or callable(getattr(value, "backward", None)):
        return False
    return kind.__module__.startswith(("torch.utils.data", "torchvision")) or is_authors(value)


def _fields(value: Any) -> dict[str, Any]:
    """What an object holds that is small and plain: counters, names, short lists of them."""
    return {name: one for name, one in vars(value).items() if type(one) in _PLAIN or _is_short(one)}


def _is_short(value: Any) -> bool:
    if type(value) is dict:
        return len(value) <= _LONGEST and all(type(one) in _PLAIN for pair in value.items() for one in pair)
    return type(value) in _SHORT and len(value) <= _LONGEST and all(type(one) in _PLAIN for one in value)
