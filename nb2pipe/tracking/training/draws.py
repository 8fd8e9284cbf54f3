"""All random generators that a training may draw from: the global ones, and those that its variables hold."""

from __future__ import annotations

import sys
from collections import deque
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.generators import ALL
from nb2pipe.tracking.training.modules import is_module
from nb2pipe.tracking.training.placing import Placing
from nb2pipe.tracking.training.restored import is_authors, is_generator, read_generator, write_generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 6
_MOST = 20_000
_LONGEST = 1000
_SHORT = (list, tuple, set, deque)
_PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})
_LARGEST = 20_000
"""Numbers and texts that an object may hold so that they are saved with it."""


@dataclass(frozen=True, slots=True)
class Draws:
    """What draws in a training, beside the global generators.

    Attributes:
        generators: By the way to them from a variable.
        others: Objects of the author's that samplers and data sets are or hold: their numbers and texts count too.
        first: What those held when the training began here.
    """

    generators: Mapping[str, Any]
    others: Mapping[str, Any]
    first: Mapping[str, Mapping[str, Any]]

    def read(self) -> dict[str, Any]:
        """The states as they are now."""
        return {
            "global": {each.kind: each.read() for each in ALL if each.module in sys.modules},
            "own": {path: read_generator(one) for path, one in self.generators.items()},
            "changed": {path: self._changed(path) for path in self.others},
            "same": {path: self._same(path) for path in self.others},
        }

    def write(self, states: Mapping[str, Any], *, here: bool) -> None:
        """Sets them to what `read` gave.

        Args:
            states: What it gave.
            here: It was in this process, where all that objects held then counts. In another one the code made them
                anew, and what did not change there is its own: a folder, a time.
        """
        for path in self.others.keys() & states["changed"].keys():
            mine = vars(self.others[path])
            before = states["same"][path] if here else self._same(path, changed=True)
            placing = Placing()
            wanted = {**before, **states["changed"][path]}
            mine.update({name: placing.put(mine.get(name), one) for name, one in wanted.items()})
        for path, state in states["own"].items():
            if path in self.generators:
                write_generator(self.generators[path], state)
        for each in ALL:
            if each.kind in states["global"] and each.module in sys.modules:
                each.write(states["global"][each.kind])

    def _changed(self, path: str) -> dict[str, Any]:
        """The fields of an object that are others than when the training began here."""
        first, now = self.first[path], _fields(self.others[path])
        return {name: deepcopy(one) for name, one in now.items() if name not in first or not _is_same(first[name], one)}

    def _same(self, path: str, *, changed: bool = False) -> dict[str, Any]:
        """What fields of an object held when the training began here: those that did not change, or those that did."""
        now = self._changed(path)
        return {name: deepcopy(one) for name, one in self.first[path].items() if (name in now) is changed}


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
        if type(value) in _PLAIN or id(value) in met or len(met) > _MOST:
            continue
        met.add(id(value))
        if is_generator(value):
            generators[path] = value
            continue
        if is_authors(value) and not is_module(value):  # a module's are saved with it, or are not the loop's to change
            others[path] = value
        if depth < _DEEPEST:
            queue += [(f"{path}{label}", inner, depth + 1) for label, inner in _held(value)]
    return Draws(generators, others, {path: deepcopy(_fields(one)) for path, one in others.items()})


def _is_same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)


def is_plain(value: Any) -> bool:
    """Whether it is a number, a text, or a container of these that is not too large to be saved with its owner.

    >>> is_plain({"loss": [0.5, 0.25], "best": None}), is_plain([object()])
    (True, False)
    """
    left = _LARGEST
    queue = [value]
    while queue and left:
        one = queue.pop()
        left -= 1
        if type(one) is dict:
            queue += [*one, *one.values()]
        elif type(one) in _SHORT:
            queue += one
        elif type(one) not in _PLAIN:
            return False
    return not queue


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    """What an object holds that may draw, or hold what draws."""
    if isinstance(value, dict) and len(value) <= _LONGEST:
        yield from ((f"[{key!r}]", inner) for key, inner in value.items() if isinstance(key, str))
    elif isinstance(value, list | tuple) and len(value) <= _LONGEST:
        yield from ((f"[{place}]", inner) for place, inner in enumerate(value))
    elif is_module(value):
        for path, module in value.named_modules():
            yield from ((f".{path}.{name}", inner) for name, inner in vars(module).items() if not name.startswith("_"))
    elif _may_hold(value):
        yield from ((f".{name}", inner) for name, inner in vars(value).items())


def _may_hold(value: Any) -> bool:
    """Whether it is an instance of a class of the author's, or one that torch's loaders are made of."""
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return False
    return type(value).__module__.startswith(("torch.utils.data", "torchvision")) or is_authors(value)


def _fields(value: Any) -> dict[str, Any]:
    """What an object holds that is small and plain: counters, names, short lists of them."""
    return {name: one for name, one in vars(value).items() if is_plain(one)}
